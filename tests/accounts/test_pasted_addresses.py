"""Addresses as people paste them, as they are shown, and as version 0.1.0 stored them."""

import pytest
from django.core.exceptions import ValidationError

from accounts.email_addresses import (
    REASONS,
    account_address,
    is_sendable,
    mailbox,
    normalized,
    of_before,
    shown,
    spelled,
)

OTHER_LETTERS = [
    *("ä@evil.example", "Ünal@ä.example", "\u0131@evil.example", "почта@почта.рф", "李@example.com", "ä.b@example.com"),
    *("x\u0308@example.com", "naïve@example.com", "a。b@example.com", "x🐧@example.com"),
]
JOINED = [
    "x@क्\u200dष.example",
    "x@क्\u200cष.example",
    "x@بیت\u200cکوین.example",
    "x@نامه\u200cای.com",
    "x@www.نامه\u200cای.com",
    "x@ශ්\u200dරී.example",
    "X＠क्\u200dष。example",
    "x@क्\u200dष\u200b.example",
]
# What people paste, and the mailbox that they mean.
PASTED = {
    "a mark of direction": ("\u202ax@evil.example\u202c", "x@evil.example"),
    "a soft hyphen": ("x\u00ad@ev\u00adil.example", "x@evil.example"),
    "an invisible blank": ("x\u200b@evil\u200b.example", "x@evil.example"),
    "a word joiner": ("x\u2060@evil.example", "x@evil.example"),
    "a byte order mark": ("\ufeffx@evil.example", "x@evil.example"),
    "blanks around": ("\u00a0\u3000x@evil.example\n", "x@evil.example"),
    "full width": ("ｘ．ｙ＠ｅｖｉｌ．ｅｘａｍｐｌｅ", "x.y@evil.example"),
    "an ideographic full stop": ("x@evil\u3002example", "x@evil.example"),
    "a half-width full stop": ("x@evil\uff61example", "x@evil.example"),
    "a dot leader": ("x@evil\u2024example", "x@evil.example"),
    "a hyphen that does not break": ("x\u2011y@e\u2010vil.example", "x-y@e-vil.example"),
    "a minus": ("x@e\u2212vil.example", "x@e-vil.example"),
    "the Kelvin sign": ("\u212a@\u212aä.example", "k@xn--k-0fa.example"),
    "letters like symbols": ("x@evi\u2113.example", "x@evil.example"),
    "an accent of its own": ("x@a\u0308.example", "x@xn--4ca.example"),
    "half-width kana": ("x@ﾊﾟｿｺﾝ.example", "x@xn--tckta3d4g.example"),
    "a joiner that no domain has there": ("x@evil\u200d.example", "x@evil.example"),
    "a joiner that no domain has behind a letter": ("x@भ\u200dा.example", "x@xn--q2b8a.example"),
    "a joiner before the @": ("x\u200c@evil.example", "x@evil.example"),
    "an emoji's variant": ("1\ufe0f@evil.example", "1@evil.example"),
}


@pytest.mark.parametrize(("text", "address"), PASTED.values(), ids=PASTED)
def test_a_pasted_address_is_the_mailbox_that_it_shows(text: str, address: str) -> None:
    assert (normalized(text), mailbox(text), spelled(text)) == (address, address, address)


@pytest.mark.parametrize(
    ("text", "code"),
    [*((text, "local_part") for text in OTHER_LETTERS), *((text, "joiner") for text in JOINED)],
    ids=ascii,
)
def test_an_address_that_cannot_be_has_its_reason(text: str, code: str) -> None:
    for rule in (normalized, spelled):
        with pytest.raises(ValidationError) as refused:
            rule(text)

        assert (refused.value.code, refused.value.messages) == (code, [REASONS[code]])


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ｘ＠ä．example", "x@xn--4ca.example"),
        ('"X"@Evil.example', '"x"@evil.example'),
        ("x@[127.0.0.1]", "x@[127.0.0.1]"),
        # The validator of 0.1.0 accepted them too.
        ("x@क्\u200dष.example", "x@क्\u200dष.example"),
        ("\u0131@evil.example", "\u0131@evil.example"),
    ],
)
def test_an_account_logs_in_with_what_version_0_1_0_accepted(text: str, address: str) -> None:
    assert account_address(text) == address


@pytest.mark.parametrize(
    ("text", "code"), [("ä@evil.example", "local_part"), ("x", "invalid"), ("x@evil@y", "invalid")]
)
def test_what_no_version_accepted_logs_nobody_in(text: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        account_address(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("x@xn--4ca.example", "x@ä.example"),
        ("x@xn--80a1acny.xn--p1ai", "x@почта.рф"),
        ("x@xn--strae-oqa.example", "x@straße.example"),
        ("x@xn--tckta3d4g.example", "x@パソコン.example"),
        ("x@sub.xn--4ca.example", "x@sub.ä.example"),
        # A joiner, an emoji, a Kelvin sign, no Punycode, a part of it, and a label of ASCII alone.
        ("x@xn--11b2ezcw70k.example", "x@xn--11b2ezcw70k.example"),
        ("x@xn--ls8h.example", "x@xn--ls8h.example"),
        ("x@xn--elvin-3b3d.example", "x@xn--elvin-3b3d.example"),
        ("x@xn--\u00e4.example", "x@xn--\u00e4.example"),
        ("x@xn--a.example", "x@xn--a.example"),
        ("x@xn--abc-.example", "x@xn--abc-.example"),
        ("xn--4ca@evil.example", "xn--4ca@evil.example"),
        ("asha@example.com", "asha@example.com"),
        ("", ""),
    ],
)
def test_an_address_is_shown_in_its_script_where_that_is_the_same_domain(address: str, read: str) -> None:
    assert shown(address) == read


@pytest.mark.parametrize(
    ("stored", "address"),
    [
        ("x@ä.example", "x@xn--4ca.example"),
        ("X@Ä.example", "x@xn--4ca.example"),
        ("x@a\u0308.example", "x@xn--4ca.example"),
        ("x@xn--4ca.example", "x@xn--4ca.example"),
        ("Asha@Example.com", "asha@example.com"),
        # 0.1.0 sent mail to strasse.example, and could send none to the others.
        *(
            (text, None)
            for text in ("x@straße.example", "x@οδός.example", "\u017fam@evil.example", "x\u200b@x.example")
        ),
        *((text, None) for text in ('"x"@evil.example', "x@[127.0.0.1]", "x@evil\u200d.example\u202e", "")),
        ("x@" + "ä" * 60 + ".example", None),
    ],
)
def test_an_address_of_before_is_the_mailbox_that_its_mail_went_to(stored: str, address: str | None) -> None:
    assert is_sendable(stored) == (address is not None)
    if address:
        assert of_before(stored) == address
