"""What is done about a signed report of GitHub, and how its signature is verified."""

import hashlib
import json
import logging
from typing import Any

import pytest
from django.core.cache import cache
from hypothesis import given
from hypothesis import strategies as st
from post_office.models import Email

from accounts.models import User
from accounts.web.clients import PLACE_LENGTH
from developers import issuance, tokens
from developers.models import ApiToken, RevokedToken
from developers.scanning import github as scanning
from developers.scanning.github import ScannerMatch
from developers.scanning.public_keys import CACHED
from tests.cast import PHONE, logged_in, token_events, token_text
from tests.developers.outbound.servers import LocalServer
from tests.github import NAME, URL, GitHub, listing, row
from tests.test_races import at_once

PLACE = f"GitHub, content: {URL}"
LOG, PAGE = "/account/security/log/", "/developers/api-access-token/"
# The sample of GitHub's documentation, with its test key.
SAMPLE = b'[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]'
SAMPLE_SIGNATURE = "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY="
SAMPLE_KEY = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP\n"
    "HzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==\n"
    "-----END PUBLIC KEY-----\n"
)


def feedback(token: str, label: str, kind: str = "botpenguin_api_token") -> dict[str, str]:
    return {"token_hash": hashlib.sha256(token.encode()).hexdigest(), "token_type": kind, "label": label}


def log_text(user: User) -> str:
    return " ".join(logged_in(user).get(LOG).content.decode().split())


@pytest.mark.django_db
def test_the_sample_of_githubs_documentation_is_signed(github: GitHub) -> None:
    github.answers(listing(row(NAME, SAMPLE_KEY)))

    answer = github.post(
        SAMPLE, {"GITHUB-PUBLIC-KEY-IDENTIFIER": NAME, "GITHUB-PUBLIC-KEY-SIGNATURE": SAMPLE_SIGNATURE}
    )

    assert (answer.status_code, answer.json()) == (200, [feedback("some_token", "false_positive", "some_type")])


def test_a_report_revokes_each_live_token_and_says_which_were_tokens(github: GitHub, alice: User, bob: User) -> None:
    live, others, unknown = token_text(alice), token_text(bob), tokens.generate().open()
    issuance.revoke(bob, 1, PHONE, even_if_used=True)

    answer = github.report(live, others, unknown, "no token")

    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json; charset=utf-8")
    assert answer.json() == [
        feedback(live, "true_positive"),
        feedback(others, "true_positive"),
        feedback(unknown, "false_positive"),
        feedback("no token", "false_positive"),
    ]
    revoked = RevokedToken.objects.values_list("user", "reason", "place")
    assert set(revoked) == {(alice.pk, "exposed", PLACE), (bob.pk, "owner", None)}
    assert live not in answer.content.decode()


def test_the_owner_reads_where_it_was_found(github: GitHub, alice: User) -> None:
    github.report(token_text(alice))

    mail, event = Email.objects.get(), token_events().get(kind="token-revoked")
    assert (mail.to, mail.subject) == (["alice@example.com"], "Your API access token was reported as exposed")
    assert f"Found in: {PLACE}" in mail.message
    assert f">{PLACE}</bdi></td>" in mail.html_message
    assert f'href="{URL}' not in mail.html_message
    assert (event.detail, event.place, event.ip) == ("exposed", PLACE, "198.51.100.4")
    assert f"Reported as exposed. {PLACE}" in log_text(alice)
    assert PLACE in logged_in(alice).get(f"{LOG}download/").content.decode()
    page = " ".join(logged_in(alice).get(PAGE).content.decode().split())
    assert f'It was found in: <bdi class="mono">{PLACE}</bdi>' in page
    assert f'href="{URL}' not in page


def test_a_report_of_somebody_else_names_no_place(alice: User) -> None:
    issuance.revoke(alice, 1, PHONE, even_if_used=True, reason=RevokedToken.Reason.EXPOSED)

    assert "Found in" not in Email.objects.get().message
    assert "It was found in" not in logged_in(alice).get(PAGE).content.decode()
    assert token_events().get(kind="token-revoked").place is None


def test_a_replayed_report_changes_nothing(github: GitHub, alice: User) -> None:
    found = token_text(alice)
    body = json.dumps([{"token": found, "type": "t"}]).encode()
    headers = github.headers(body)

    answers = [github.post(body, headers).json() for _ in range(3)]

    assert answers == [[feedback(found, "true_positive", "t")]] * 3
    assert (ApiToken.objects.get().generation, Email.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_reports_of_one_token_at_once_revoke_it_once(github: GitHub, alice: User) -> None:
    found = token_text(alice)
    github.report("no token")

    answers = at_once(6, lambda: github.report(found))

    assert [answer.json() for answer in answers] == [[feedback(found, "true_positive")]] * 6
    assert (ApiToken.objects.get().generation, Email.objects.count()) == (2, 1)


def test_a_token_at_several_places_is_mailed_once_with_their_number(github: GitHub, alice: User) -> None:
    found = token_text(alice)
    rows = [{"token": found, "url": f"https://github.com/a/{number % 3}"} for number in range(5)]

    answer = github.post(json.dumps(rows).encode())

    assert answer.json() == [feedback(found, "true_positive", "")] * 5
    assert Email.objects.count() == 1
    assert RevokedToken.objects.get().place == "GitHub: https://github.com/a/0 and 2 more places"


@pytest.mark.parametrize("number", [1_000, pytest.param(8_000, marks=pytest.mark.release)])
def test_thousands_of_tokens_take_a_few_queries(
    github: GitHub, alice: User, django_assert_max_num_queries: Any, number: int
) -> None:
    unknown = [tokens.generate().open() for _ in range(number)]
    body = json.dumps([{"token": token, "type": "t"} for token in [*unknown, token_text(alice)]]).encode()
    github.report("no token")

    with django_assert_max_num_queries(60):
        answer = github.post(body)

    assert len(body) < 1024 * 1024
    labels = [row["label"] for row in answer.json()]
    assert labels == ["false_positive"] * number + ["true_positive"]


WRONG_ROWS: list[Any] = [
    *(None, 7, "bpat_", [], {}, True),
    *({"token": None}, {"token": 7}, {"token": ["x"]}, {"Token": "x"}, {"url": URL, "source": "content"}),
]


def test_rows_that_are_no_match_keep_no_token_alive(
    github: GitHub, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    found = token_text(alice)

    with caplog.at_level(logging.WARNING):
        answer = github.post(json.dumps([*WRONG_ROWS, {"token": found}, *WRONG_ROWS]).encode())

    assert answer.json() == [feedback(found, "true_positive", "")]
    assert caplog.messages == ["22 rows of a report of GitHub have no text named token."]
    assert RevokedToken.objects.get().place == "GitHub"


@pytest.mark.parametrize("value", [None, 7, ["content"], {}, True, "\ud800"])
@pytest.mark.parametrize("name", ["type", "url", "source"])
def test_whatever_stands_beside_a_token_it_is_revoked(github: GitHub, alice: User, name: str, value: Any) -> None:
    answer = github.report(token_text(alice), **{name: value})

    assert answer.json()[0]["label"] == "true_positive"
    assert ApiToken.objects.get().generation == 2


def test_an_empty_report_is_answered(github: GitHub, db: None) -> None:
    assert github.post(b"[]").json() == []


SHOWN = {
    "usual": (URL, "content", PLACE),
    "nothing": ("", "", "GitHub"),
    "only a source": ("", "pull_request_comment", "GitHub, pull request comment"),
    "only a URL": (URL, "", f"GitHub: {URL}"),
    "unknown source": (URL, "Log in at evil.example!", f"GitHub: {URL}"),
    "long source": (URL, "a" * 41, f"GitHub: {URL}"),
    "sentence": ("https://g.example/Call 555 now", "commit", "GitHub, commit: https://g.example/Call%20555%20now"),
    "lines": ("https://g.example/\r\nTo: bob", "", "GitHub: https://g.example/%0D%0ATo:%20bob"),
    "HTML": ("https://g.example/<a href='x'>", "", "GitHub: https://g.example/%3Ca%20href='x'%3E"),
    "quotes": ('https://g.example/"x', "", "GitHub: https://g.example/%22x"),
    "NUL": ("https://g.example/\0", "", "GitHub: https://g.example/%00"),
    "direction": ("https://g.example/\u202etxt", "", "GitHub: https://g.example/%E2%80%AEtxt"),
    "invisible": ("https://g.example/\u200b\u3164", "", "GitHub: https://g.example/%E2%80%8B%E3%85%A4"),
    "look-alike": ("https://gіthub.com/", "", "GitHub: https://g%D1%96thub.com/"),
    "emoji": ("https://g.example/🐧", "", "GitHub: https://g.example/%F0%9F%90%A7"),
    "half a pair": ("https://g.example/\ud800", "", "GitHub: https://g.example/?"),
    "escaped already": ("https://g.example/a%20b?c=d#L1-L2", "", "GitHub: https://g.example/a%20b?c=d#L1-L2"),
    "long": (f"https://g.example/{'a' * 9000}/b.txt", "", f"GitHub: https://g.example/{'a' * 102}…{'a' * 74}/b.txt"),
    "as long as is shown": (f"{URL:a<200}", "", f"GitHub: {URL:a<200}"),
}


@pytest.mark.parametrize(("url", "source", "place"), SHOWN.values(), ids=SHOWN)
def test_a_place_is_one_printable_line(url: str, source: str, place: str) -> None:
    shown = ScannerMatch("", url=url, source=source).place

    assert shown == place
    assert shown.isprintable()


@pytest.mark.matrix
@given(url=st.text(), source=st.text() | st.from_regex(r"[a-z_]{1,40}", fullmatch=True))
def test_every_place_is_one_printable_line_of_ascii(url: str, source: str) -> None:
    shown = ScannerMatch("", url=url, source=source).place

    assert shown.startswith("GitHub")
    assert shown.isprintable()
    assert shown.replace("…", "").isascii()
    assert len(shown) <= PLACE_LENGTH - len(" and 9,999 more places")


def test_a_place_holds_no_token() -> None:
    token = tokens.generate().open()

    place = ScannerMatch("", url=f"https://g.example/?token={token}&again={token}").place

    assert token not in place
    assert token[-4:] in place


def test_the_longest_place_fits(github: GitHub, alice: User) -> None:
    found = token_text(alice)
    rows = [
        {"token": found, "url": f"https://github.com/{'a' * 300}" if number else "x" * 201, "source": "s" * 40}
        for number in range(2_000)
    ]

    github.post(json.dumps(rows).encode())

    assert len(RevokedToken.objects.get().place or "") <= 300


SIGNATURES = ["", "=", "AAAA", "A" * 96, "A" * 95 + "=", "é" * 96, "MEUC" * 24, "MEUC" * 500, "MEUC\nMEUC", "-_" * 40]


@pytest.mark.django_db
@pytest.mark.parametrize("signature", SIGNATURES, ids=range(len(SIGNATURES)))
def test_no_text_is_taken_for_a_signature(github: GitHub, signature: str) -> None:
    headers = {"Github-Public-Key-Identifier": NAME, "Github-Public-Key-Signature": signature}

    assert scanning.is_signed(headers, b"[]") is False


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", " ", "a" * 129, "../x", "a b", "é", "a\n"])
def test_what_cannot_be_the_name_of_a_key_fetches_none(github: GitHub, key_server: LocalServer, name: str) -> None:
    assert scanning.is_signed(github.headers(b"[]", name), b"[]") is False
    assert (key_server.connections, cache.get(CACHED)) == (0, None)
