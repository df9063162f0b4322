"""What a fresh and a stale proof of identity open, and where one comes back who gives a new one.

The other acts of the table are asked in `test_identity` (Show, Copy, Revoke) and `test_two_step` (factors).
"""

from urllib.parse import urlencode

import pytest

from accounts.models import User
from tests.cast import PASSWORD, prove_identity, sign_in

pytestmark = pytest.mark.usefixtures("queued_mail")

NEW_PASSWORD = "another good passphrase"
CHANGE_PASSWORD, CHANGE_EMAIL, DELETE = "/account/password/change/", "/account/email/", "/account/delete/"
FORMS = {
    CHANGE_PASSWORD: {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    CHANGE_EMAIL: {"email": "alice@wonderland.example", "action_add": ""},
    DELETE: {"email": "alice@example.com"},
}
OPENS = (200, "")
AGES = {"fresh": 3540, "stale": 3660}


def asks(page: str) -> tuple[int, str]:
    return 302, f"/account/reauthenticate/?{urlencode({'next': page})}"


@pytest.mark.parametrize(
    ("proof", "page", "method", "answer"),
    [
        ("fresh", CHANGE_PASSWORD, "get", OPENS),
        ("fresh", CHANGE_PASSWORD, "post", (302, "/account/")),
        ("fresh", CHANGE_EMAIL, "get", OPENS),
        ("fresh", CHANGE_EMAIL, "post", (302, CHANGE_EMAIL)),
        ("fresh", DELETE, "get", OPENS),
        ("fresh", DELETE, "post", (302, "/account/login/")),
        # Its form asks for the current password, which is the proof.
        ("stale", CHANGE_PASSWORD, "get", OPENS),
        ("stale", CHANGE_PASSWORD, "post", (302, "/account/")),
        ("stale", CHANGE_EMAIL, "get", asks(CHANGE_EMAIL)),
        ("stale", CHANGE_EMAIL, "post", asks(CHANGE_EMAIL)),
        ("stale", DELETE, "get", asks(DELETE)),
        ("stale", DELETE, "post", asks(DELETE)),
    ],
)
def test_what_is_asked(alice: User, proof: str, page: str, method: str, answer: tuple[int, str]) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=AGES[proof])

    response = getattr(browser, method)(page, FORMS[page] if method == "post" else None)

    assert (response.status_code, response.get("Location", "")) == answer


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("page", [CHANGE_EMAIL, DELETE])
def test_one_who_proves_who_they_are_comes_back_to_the_page_and_nothing_was_done(
    alice: User, page: str, method: str
) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=AGES["stale"])
    asked = getattr(browser, method)(page, FORMS[page] if method == "post" else None)

    back = browser.post(asked["Location"], {"password": PASSWORD}, follow=True)

    assert (back.redirect_chain, back.status_code) == ([(page, 302)], 200)
    assert list(alice.emailaddress_set.values_list("email", flat=True)) == ["alice@example.com"]


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {"Accept": "application/json"}], ids=["htmx", "fetch"])
@pytest.mark.parametrize("page", [CHANGE_EMAIL, DELETE])
def test_scripts_are_told_where_the_proof_is_given(alice: User, page: str, headers: dict[str, str]) -> None:
    browser = sign_in(alice)
    prove_identity(browser, alice, seconds_ago=AGES["stale"])

    response = browser.post(page, FORMS[page], headers=headers)

    assert (response.status_code, response["HX-Redirect"]) == (403, asks(page)[1])


def test_the_current_password_must_be_right_however_fresh_the_proof(alice: User) -> None:
    browser = sign_in(alice)

    browser.post(CHANGE_PASSWORD, FORMS[CHANGE_PASSWORD] | {"oldpassword": "guessed wrong"})

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
