"""The rule for email addresses: every mail program reads a valid address as one mailbox."""

import email
import email.policy
from email.message import EmailMessage

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import sanitize_address
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from accounts.email_addresses import (
    is_address,
    mailbox,
    normalized,
    shown,
    spellings,
)

LETTERS = st.characters(codec=None) | st.sampled_from(
    '=?"@.,;:<>()[]\\ %!+-_ \t\r\n\v\f\0äßςΣİK\u00ad\u200b\u2024\u3002＠．'
)
# Text that is nearly an address; random text never is.
TYPED = st.builds("{}@{}.{}".format, st.text(LETTERS, min_size=1), st.text(LETTERS, min_size=1), st.text(LETTERS)) | (
    st.builds(
        "{}@{}".format, st.from_regex(r"[!-~]{1,70}", fullmatch=True), st.sampled_from(["x.example", "ä.example"])
    )
)
REFUSED = [
    '"x,victim@corp.example,"@evil.example',
    '"x"@evil.example',
    '"x\x0bBcc:victim@corp.example"@evil.example',
    '"x\x0c"@evil.example',
    "x@evil.example,victim@corp.example",
    "x@evil.example;victim@corp.example",
    "x@evil.example victim@corp.example",
    "victim@corp.example@evil.example",
    "X <victim@corp.example>",
    "<victim@corp.example>",
    "x(victim@corp.example)@evil.example",
    # RFC 2047: Python's email reads it as "x,victim@corp.example,"@evil.example.
    "=?utf-8?q?x=2Cvictim=40corp.example=2C?=@evil.example",
    "=?utf-8?b?eA==?=.a@evil.example",
    "a.=?utf-8?q?b?=@evil.example",
    *[f"x{letter}@evil.example" for letter in "\0\t\n\v\f\r\x1b\x7f\x85\xa0\u2028\u3000\u2800 ,;:<>()[]\\"],
    *[f"x@evil{letter}.example" for letter in "\0\t\n\v\f\r\x1b\x7f\x85\xa0\u2028\u3000\u2800 ,;:<>\\"],
    *["x@evil.example\0", "x@evil.example\x1b", "x@evil.example\ud800"],
    *[
        "",
        "@",
        "x",
        "x@",
        "@evil.example",
        "x@@evil.example",
        ".x@evil.example",
        "x..y@evil.example",
        "x.@evil.example",
    ],
    *[
        "x@[127.0.0.1]",
        "x@[::1]",
        "x@127.0.0.1",
        "x@evil",
        "x@evil.example.",
        "x@.example",
        "x@-evil.example",
        "x@a..b",
    ],
    # Letters that have no one form in lower case, or show nothing.
    "x@ev\u0130l.example",
    *[
        "x@example.ΟΔΟΣ",
        "x@\u3164.example",
        "x@\u2800.example",
        "x@\u2764.example",
        "x@ev＠il.example",
    ],
    f"{'x' * 65}@evil.example",
    f"x@{'.'.join(['a' * 60] * 5)}.example",
    f"{'x' * 60}@{'.'.join(['a' * 60] * 4)}.example",
    f"x@{'a' * 64}.example",
    f"x@{'ä' * 60}.example",
    f"x@{'ä' * 60_000}.example",
    f"x{chr(0x200B) * 1_000}@evil.example",
]


def test_text_that_is_not_plainly_one_mailbox_is_refused() -> None:
    for text in REFUSED:
        with pytest.raises(ValidationError) as refused:
            normalized(text)

        assert (text, refused.value.messages) == (text, ["Enter a valid email address."])
        assert (text, is_address(text), mailbox(text)) == (text, False, text.lower())


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Alice@Example.COM", "alice@example.com"),
        ("o'brien+news@sub.example.org", "o'brien+news@sub.example.org"),
        ("a.b-c_d!#$%&*/=?^`{|}~@example.com".replace("=?", "?="), "a.b-c_d!#$%&*/?=^`{|}~@example.com"),
        ("me@localhost", "me@localhost"),
        ("x@ä.example", "x@xn--4ca.example"),
        ("x@Ä.example", "x@xn--4ca.example"),
        ("x@XN--4CA.example", "x@xn--4ca.example"),
        ("x@straße.example", "x@xn--strae-oqa.example"),
        ("x@ΟΔΟΣ.example", "x@xn--pxavbq.example"),
        ("x@почта.рф", "x@xn--80a1acny.xn--p1ai"),
        ("x@a--b.example", "x@a--b.example"),
        (f"{'x' * 64}@{'.'.join(['a' * 59] * 3)}.a.example", f"{'x' * 64}@{'.'.join(['a' * 59] * 3)}.a.example"),
    ],
)
def test_a_mailbox_has_one_spelling(text: str, address: str) -> None:
    assert (normalized(text), mailbox(text), is_address(text)) == (address, address, True)
    assert normalized(address) == address


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Alice@example.com", ["alice@example.com"]),
        ("x@XN--4ca.example", ["x@xn--4ca.example", "x@ä.example"]),
        ("x@Ä.example", ["x@ä.example", "x@xn--4ca.example"]),
        ("ｘ＠example.com", ["ｘ＠example.com", "x@example.com"]),
        ("", []),
        ("x@xn--ls8h.example", ["x@xn--ls8h.example"]),
        ('"X"@evil.example', ['"x"@evil.example']),
        ("x\0@evil.example", []),
        ("x\udc80@evil.example", []),
    ],
)
def test_an_account_is_looked_up_under_each_spelling_that_it_may_have(text: str, names: list[str]) -> None:
    assert spellings(text) == names


@pytest.mark.no_cover
@settings(max_examples=40)
@given(TYPED)
@example("=?utf-8?q?x=2Cvictim=40corp.example=2C?=@evil.example")
@example("a?=b=@x.example")
def test_an_accepted_address_is_one_address_to_every_reader_of_a_header(text: str) -> None:
    assume(is_address(text))
    address = normalized(text)

    by_django = EmailMultiAlternatives("Hi", "Ho", "a@example.com", [address]).message().as_bytes()
    by_python = EmailMessage()
    by_python["To"] = address

    assert sanitize_address(address, "utf-8") == address
    for raw in (by_django, by_python.as_bytes(policy=email.policy.SMTP)):
        read = email.message_from_bytes(raw, policy=email.policy.default)
        assert [to.addr_spec for to in read["to"].addresses] == [address]
        assert sorted(set(read.keys()) - {"To"}) in (
            [],
            ["Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject"],
        )


@pytest.mark.no_cover
@settings(max_examples=40)
@given(TYPED)
def test_a_spelling_of_a_mailbox_stays_that_mailbox(text: str) -> None:
    assume(is_address(text))

    assert mailbox(text.upper() if text.isascii() else text) == mailbox(mailbox(text)) == normalized(text)


@pytest.mark.no_cover
@given(TYPED)
def test_a_shown_address_is_typed_as_itself(text: str) -> None:
    assume(is_address(text))

    assert normalized(shown(normalized(text))) == normalized(text)
