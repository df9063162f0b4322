"""Revoking on the token page: confirmation of used tokens, and stale forms."""

import re

import pytest
from post_office.models import Email

from accounts.models import User
from developers.issuance import revoke
from developers.models import ApiToken
from tests.cast import LAPTOP, logged_in, token_text
from tests.developers.views.token_page import HTMX, JSON, PAGE, text, use

pytestmark = pytest.mark.matrix


def test_an_unused_token_is_replaced_at_once_by_htmx(alice: User) -> None:
    old = alice.api_token.hint

    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1}, headers=HTMX)

    assert response.content.decode().strip().startswith('<div id="panel" class="panel">')
    assert f"The old one, ending {old} , stopped working at" in text(response)
    assert ApiToken.objects.get(user=alice).mask in response.content.decode()
    assert Email.objects.get().to == ["alice@example.com"]


def test_an_unused_token_is_replaced_at_once_by_a_plain_form(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.post(f"{PAGE}revoke/", {"generation": 1})

    assert (response.status_code, response["Location"]) == (302, f"{PAGE}?replaced=1")
    assert "A new token is in place" in text(browser.get(response["Location"]))


def test_the_notice_of_a_revoke_is_not_shown_again_after_the_next_one(alice: User) -> None:
    browser = logged_in(alice)
    for generation in (1, 2):
        browser.post(f"{PAGE}revoke/", {"generation": generation})

    assert "A new token is in place" not in text(browser.get(f"{PAGE}?replaced=1"))


def test_a_used_token_is_asked_about_in_a_dialog_by_htmx(alice: User) -> None:
    use(alice)

    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1}, headers=HTMX)

    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#dialog", "innerHTML")
    assert (
        text(response)
        .replace("\xa0", " ")
        .startswith(
            "This token is in use. Revoke it? "
            "Everything using it will be refused at once. A new token takes its place. "
            "Last used 3 minutes ago From 203.0.113.9 By python-requests 2.32 Keep this token"
        )
    )
    assert ApiToken.objects.get(user=alice).generation == 1


def test_a_used_token_is_asked_about_on_a_page_by_a_plain_form(alice: User) -> None:
    use(alice)

    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1})

    assert "This token is in use. Revoke it?" in text(response)
    assert ApiToken.objects.get(user=alice).generation == 1


@pytest.mark.parametrize("headers", [HTMX, JSON, {}])
def test_a_used_token_is_replaced_once_it_is_confirmed(alice: User, headers: dict[str, str]) -> None:
    use(alice)

    logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1, "even_if_used": "on"}, headers=headers)

    assert ApiToken.objects.get(user=alice).generation == 2


def test_a_stale_form_revokes_nothing_and_says_when_it_was_replaced(alice: User) -> None:
    browser = logged_in(alice)
    revoke(alice, 1, LAPTOP, even_if_used=True)

    response = browser.post(f"{PAGE}revoke/", {"generation": 1}, headers=HTMX)

    assert re.search(r"This token was already replaced at \d\d:\d\d, in another tab or device", text(response))
    assert ApiToken.objects.get(user=alice).generation == 2
    assert Email.objects.count() == 1


def test_a_stale_plain_form_says_the_same(alice: User) -> None:
    browser = logged_in(alice)
    revoke(alice, 1, LAPTOP, even_if_used=True)

    response = browser.post(f"{PAGE}revoke/", {"generation": 1}, follow=True)

    assert response.redirect_chain == [(f"{PAGE}?already-replaced=1", 302)]
    assert "This token was already replaced at" in text(response)


@pytest.mark.parametrize(
    "generation",
    [
        *("7", "one", "9" * 30, None),
        *(pytest.param(text, marks=pytest.mark.release) for text in ("0", "-1", "", "1.5")),
    ],
)
def test_an_unknown_generation_revokes_nothing(alice: User, generation: str | None) -> None:
    form = {} if generation is None else {"generation": generation}

    response = logged_in(alice).post(f"{PAGE}revoke/", form, follow=True)

    assert "Nothing was revoked just now This page was out of date." in text(response)
    assert ApiToken.objects.get(user=alice).generation == 1


@pytest.mark.parametrize("query", ["replaced=", "replaced=x", f"replaced={'9' * 5000}", "replaced=1"])
def test_a_made_up_outcome_in_the_url_is_not_shown(alice: User, query: str) -> None:
    response = logged_in(alice).get(f"{PAGE}?{query}")

    assert (response.status_code, "A new token is in place" in text(response)) == (200, False)


@pytest.mark.parametrize(("generation", "status"), [(1, 200), (2, 409)])
def test_a_script_gets_the_verdict(alice: User, generation: int, status: int) -> None:
    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": generation}, headers=JSON)

    verdict = "replaced" if status == 200 else "already-replaced"
    assert response.status_code == status
    assert response.json() == {"verdict": verdict, "hint": ApiToken.objects.get(user=alice).hint}


def test_a_token_that_cannot_be_read_can_be_revoked(alice: User) -> None:
    browser = logged_in(alice)
    ApiToken.objects.update(ciphertext="damaged")

    response = browser.post(f"{PAGE}revoke/", {"generation": 1}, headers=HTMX)

    assert "A new token is in place" in text(response)
    assert "Its stored copy could not be read." in text(response)
    assert token_text(alice)
