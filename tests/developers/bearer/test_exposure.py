"""Tokens that are reported as exposed or revoke themselves, and the notices to their owners."""

import secrets
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.web.clients import Client
from developers import issuance, tokens
from developers.bearer import verification
from developers.bearer.verification import report_exposed
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE, logged_in, token_events, token_text
from tests.test_races import at_once

pytestmark = pytest.mark.no_cover

PAGE = "/developers/api-access-token/"
SCANNER = Client("198.51.100.4", "gitleaks/8.21 see evil.example")
UNKNOWN = tokens.generate().open()
WEEK = timedelta(days=7)


def page_text(user: User) -> str:
    return " ".join(logged_in(user).get(PAGE).content.decode().split())


def revoke_itself(user: User, client: Client) -> None:
    token = ApiToken.objects.get(user=user)
    verification.revoke(
        verification.Bearer(user.pk, user.email, True, token.generation, token.hint, token.issued_at, None), client
    )


def test_a_reported_token_is_revoked_and_a_new_one_is_in_place(alice: User, bob: User) -> None:
    found, others = token_text(alice), token_text(bob)

    report_exposed([found], SCANNER)

    revoked = RevokedToken.objects.get()
    assert (revoked.user, revoked.generation, revoked.hint, revoked.reason) == (alice, 1, found[-4:], "exposed")
    assert token_text(alice) != found
    assert token_text(bob) == others


def test_among_many_texts_each_live_token_is_found_and_the_rest_are_passed_over(alice: User, bob: User) -> None:
    old = token_text(bob)
    issuance.revoke(bob, 1, PHONE, even_if_used=True)
    texts = [
        UNKNOWN,
        "",
        "bpat_",
        "\0",
        "•" * 51,
        old,
        token_text(bob),
        token_text(alice),
        token_text(alice),
        "x" * 9000,
    ]

    report_exposed(texts, SCANNER)

    assert set(RevokedToken.objects.values_list("user", "generation", "reason")) == {
        (bob.pk, 1, "owner"),
        (alice.pk, 1, "exposed"),
        (bob.pk, 2, "exposed"),
    }


@pytest.mark.parametrize("text", ["{}\n", " {}", '"{}"', "curl -H 'Authorization: Bearer {}' https://x", "?key={}&a=b"])
def test_a_token_is_found_whatever_stands_around_it(alice: User, text: str) -> None:
    found = token_text(alice)

    report_exposed([text.format(found)], SCANNER)

    assert RevokedToken.objects.get().hint == found[-4:]


def test_unknown_texts_cost_one_query_however_many(db: None) -> None:
    texts = [tokens.generate().open() for _ in range(100)]

    with CaptureQueriesContext(connection) as queries:
        report_exposed(texts, SCANNER)

    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_the_token_of_a_disabled_account_is_revoked_too(alice: User) -> None:
    """Enabling the account again must not bring it back."""
    User.objects.update(is_active=False)

    report_exposed([token_text(alice)], SCANNER)

    assert ApiToken.objects.get().generation == 2


def test_a_token_under_an_older_key_of_the_ring_is_revoked_too(alice: User, settings: Settings) -> None:
    found = token_text(alice)
    settings.TOKEN_KEYS = [secrets.token_urlsafe(32), *settings.TOKEN_KEYS]

    report_exposed([found], SCANNER)

    assert RevokedToken.objects.get().hint == found[-4:]


def test_a_token_that_cannot_be_read_is_revoked_all_the_same(alice: User) -> None:
    found = token_text(alice)
    ApiToken.objects.update(ciphertext="damaged")

    report_exposed([found], SCANNER)

    assert token_events().get(kind="token-revoked").detail == "exposed"
    assert token_text(alice) != found


def test_activity_says_that_it_was_reported_and_from_where(alice: User) -> None:
    found = token_text(alice)

    report_exposed([found], SCANNER)

    event = token_events().get(kind="token-revoked")
    assert (event.detail, event.hint, event.ip, event.client) == ("exposed", found[-4:], SCANNER.ip, SCANNER.user_agent)
    assert "Reported as exposed." in page_text(alice)


def test_activity_says_that_a_token_revoked_itself(alice: User) -> None:
    revoke_itself(alice, LAPTOP)

    assert RevokedToken.objects.get().reason == "api"
    assert token_events().get(kind="token-revoked").detail == "api"
    assert "Through the API." in page_text(alice)


def test_a_token_that_was_replaced_meanwhile_revokes_nothing(alice: User) -> None:
    token = ApiToken.objects.get()
    replaced = verification.Bearer(alice.pk, alice.email, True, 1, token.hint, token.issued_at, None)
    issuance.revoke(alice, 1, PHONE, even_if_used=True)

    verification.revoke(replaced, LAPTOP)

    assert ApiToken.objects.get().generation == 2


def test_the_page_shows_the_report_until_the_token_is_replaced_again(alice: User) -> None:
    found = token_text(alice)
    report_exposed([found], SCANNER)
    expected = (
        f'Your token ending <span class="mono" dir="ltr">{found[-4:]}</span> was reported as exposed today at '
        f"{timezone.localtime(RevokedToken.objects.get().revoked_at):%H:%M} and revoked."
    )

    before = page_text(alice)
    issuance.revoke(alice, 2, LAPTOP, even_if_used=True)

    assert expected in before.replace("\xa0", " ")
    assert "was reported as exposed" not in page_text(alice)


def test_the_page_shows_the_report_for_a_week(alice: User) -> None:
    report_exposed([token_text(alice)], SCANNER)
    RevokedToken.objects.update(revoked_at=timezone.now() - WEEK)

    assert "was reported as exposed" not in page_text(alice)


def test_the_page_shows_that_a_token_was_revoked_through_the_api(alice: User) -> None:
    revoke_itself(alice, LAPTOP)

    assert "was revoked through the API today at" in page_text(alice).replace("\xa0", " ")


def test_the_page_shows_no_notice_of_its_owners_own_revoke(alice: User) -> None:
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)

    assert "A new one is in place: copy it into whatever used it." not in page_text(alice)


@pytest.mark.parametrize("way", [{"HX-Request": "true"}, {}], ids=["htmx", "plain"])
def test_a_revoke_that_comes_after_a_report_says_what_happened(alice: User, way: dict[str, str]) -> None:
    browser = logged_in(alice)
    report_exposed([token_text(alice)], SCANNER)

    received = browser.post(f"{PAGE}revoke/", {"generation": 1}, headers=way, follow=True)

    text = " ".join(received.content.decode().split()).replace("\xa0", " ")
    assert "This token was reported as exposed and already replaced today at" in text
    assert text.count("reported as exposed") == 1
    assert ApiToken.objects.get().generation == 2


def test_the_mail_of_a_report_says_what_happened_and_what_to_do(alice: User) -> None:
    found = token_text(alice)

    report_exposed([found], SCANNER)

    mail = Email.objects.get()
    assert (mail.to, mail.subject) == (["alice@example.com"], "Your API access token was reported as exposed")
    for text in (mail.message, mail.html_message.replace('<strong dir="ltr">', "").replace("</strong>", "")):
        assert f"ending {found[-4:]} where others can read it, and reported it. It was revoked today at" in text
        assert "Copy the new token into whatever used the old one" in text
        assert "Remove the old one from where it was published" in text
        assert f"https://app.example.com{PAGE}" in text
        assert "Reported from" in text
        assert "198.51.100.4" in text
        assert "gitleaks" not in text
        assert token_text(alice)[-10:] not in text
        assert found[-10:] not in text


def test_the_mail_of_a_token_that_revoked_itself_says_so(alice: User) -> None:
    revoke_itself(alice, LAPTOP)

    mail = Email.objects.get()
    assert mail.subject == "Your API access token was revoked"
    for text in (mail.message, mail.html_message):
        assert "It was revoked through the API, by a program that had the token itself." in text
        assert "203.0.113.9" in text
        assert "python-requests 2.32" in text
        assert "Change your password" not in text


@pytest.mark.django_db(transaction=True)
def test_reports_of_one_token_at_once_revoke_it_once_and_mail_once(alice: User) -> None:
    found = token_text(alice)

    at_once(10, lambda: report_exposed([found], SCANNER))

    assert ApiToken.objects.get().generation == 2
    assert RevokedToken.objects.count() == 1
    assert Email.objects.count() == 1
    assert sorted(token_events().values_list("kind", flat=True)) == ["token-issued", "token-issued", "token-revoked"]


@pytest.mark.django_db(transaction=True)
def test_a_report_and_its_owners_revoke_at_once_leave_one_new_token(alice: User) -> None:
    found = token_text(alice)
    turns = iter(range(10))

    def report_or_revoke() -> None:
        if next(turns) % 2:
            report_exposed([found], SCANNER)
        else:
            issuance.revoke(alice, 1, LAPTOP, even_if_used=True)

    at_once(10, report_or_revoke)

    assert ApiToken.objects.get().generation == 2
    assert Email.objects.count() == 1
