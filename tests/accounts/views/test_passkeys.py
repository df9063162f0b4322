"""Adding, using and removing passkeys, with a software key."""

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.quotas import PASSKEYS
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import (
    ADD,
    LOG_IN,
    NONSENSE,
    REAUTHENTICATE,
    REFUSED,
    SECOND_STEP,
    add_passkey,
    is_logged_in,
    log_in,
    options_on,
)
from tests.accounts.views.second_step import SECURITY, TWO_HOURS, dump, reauthentication_url
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = pytest.mark.matrix


@pytest.fixture
def passkey(alice: User) -> Authenticator:
    """A passkey of Alice, for actions that do not read its data."""
    found: Authenticator = Authenticator.objects.create(
        user=alice, type=Authenticator.Type.WEBAUTHN, data={"name": "My laptop", "credential": {}}
    )
    return found


@pytest.mark.no_cover
@pytest.mark.parametrize(("name", "kept"), [("My laptop", "My laptop"), ("", "Passkey 1")])
def test_a_passkey_is_added_with_recovery_codes_and_logs_in_alone(alice: User, name: str, kept: str) -> None:
    key = SecurityKey()

    response = add_passkey(alice, key, name)

    assert (response.status_code, response["Location"]) == (302, "/account/security/recovery-codes/")
    assert [str(own) for own in Authenticator.objects.filter(type="webauthn")] == [kept]
    assert is_logged_in(log_in(key))


def test_a_second_passkey_leaves_recovery_codes_as_they_are(alice: User) -> None:
    add_passkey(alice, SecurityKey())

    response = add_passkey(alice, SecurityKey(), "")

    assert (response.status_code, response["Location"]) == (302, SECURITY)
    assert sorted(str(own) for own in Authenticator.objects.filter(type="webauthn")) == ["My laptop", "Passkey 2"]


def test_one_passkey_too_many_is_refused_with_a_sentence_and_those_there_stay(alice: User, settings: Settings) -> None:
    settings.QUOTA_PASSKEYS = 2
    first, browser = SecurityKey(), logged_in(alice)
    add_passkey(alice, first)
    # Two pages were opened while there was room for one.
    answers = [SecurityKey().create(options_on(browser.get(ADD)))]
    twin = logged_in(alice)
    late = SecurityKey().create(options_on(twin.get(ADD)))

    added, refused = browser.post(ADD, {"credential": answers[0]}), twin.post(ADD, {"credential": late})
    settings.QUOTA_PASSKEYS = 1
    pages = [browser.get(page).content.decode() for page in (ADD, SECURITY)]

    assert (added.status_code, refused.status_code) == (302, 200)
    sentence = "You have 2 of {}. Remove one that you don&#x27;t use to make room."
    assert refused.content.decode().count(sentence.format("2 passkeys")) == 1
    assert [page.count(sentence.format("1 passkey")) for page in pages] == [1, 1]
    assert 'data-passkey="create"' not in pages[0]
    assert Authenticator.objects.filter(user=alice, type="webauthn").count() == 2
    assert is_logged_in(log_in(first))


def test_an_account_has_25_passkeys_if_nothing_else_is_set() -> None:
    assert PASSKEYS.most == 25


def test_an_answer_works_once(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    first, second = Browser(), Browser()
    options = first.get(LOG_IN, headers={"Accept": "application/json"}).json()["request_options"]["publicKey"]
    second.get(LOG_IN, headers={"Accept": "application/json"})
    answer = {"credential": key.get(options)}

    for browser in (first, second):
        browser.post(LOG_IN, answer)

    assert (is_logged_in(first), is_logged_in(second)) == (True, False)


def test_after_the_password_a_passkey_is_the_second_step(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert not is_logged_in(browser)

    response = browser.post(SECOND_STEP, {"credential": key.get(options_on(browser.get(SECOND_STEP)))})

    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_logged_in(browser)


def test_a_passkey_reauthenticates_and_leads_back(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)
    page = browser.get(f"{REAUTHENTICATE}?next={ADD}")

    refused = browser.post(REAUTHENTICATE, {"credential": NONSENSE[-5], "next": ADD})
    options = options_on(refused)
    accepted = browser.post(REAUTHENTICATE, {"credential": key.get(options), "next": ADD})

    assert (page.status_code, refused.status_code) == (200, 200)
    assert REFUSED in refused.content.decode()
    assert (accepted.status_code, accepted["Location"]) == (302, ADD)
    assert browser.get(ADD).status_code == 200


def test_the_second_step_can_be_left_for_another_account(alice: User) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    response = browser.post("/account/login/start-again/")

    assert (response.status_code, response["Location"]) == (302, "/account/login/")
    assert browser.get("/account/login/").status_code == 200
    assert browser.get(SECOND_STEP)["Location"] == "/account/login/"


def test_a_new_passkey_can_be_found_without_an_email_and_verifies_its_user(alice: User) -> None:
    response = logged_in(alice).get(ADD)

    options = options_on(response)
    assert options["rp"] == {"id": "app.example.com", "name": "BotPenguin"}
    assert options["user"]["name"] == "alice@example.com"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert "no-store" in response["Cache-Control"]


def test_the_host_of_a_request_does_not_choose_whose_passkeys_are_asked_for(db: None) -> None:
    response = Browser().get(LOG_IN, headers={"Accept": "application/json", "Host": "127.0.0.1"})

    options = response.json()["request_options"]["publicKey"]
    assert (options["rpId"], options["userVerification"]) == ("app.example.com", "required")
    assert "no-store" in response["Cache-Control"]


def test_visiting_the_address_of_the_challenge_leads_to_the_log_in_page(db: None) -> None:
    response = Browser().get(LOG_IN)

    assert (response.status_code, response["Location"]) == (302, "/account/login/")


def test_a_passkey_is_renamed(alice: User, passkey: Authenticator) -> None:
    browser = logged_in(alice)

    responses = [browser.post(f"{SECURITY}passkeys/{passkey.pk}/", {"name": name}) for name in ("Office", "", "x" * 61)]

    assert [response.status_code for response in responses] == [302, 200, 200]
    passkey.refresh_from_db()
    assert passkey.data["name"] == "Office"


def test_a_passkey_is_removed(alice: User, passkey: Authenticator) -> None:
    response = logged_in(alice).post(f"{SECURITY}passkeys/{passkey.pk}/remove/")

    assert (response.status_code, response["Location"]) == (302, SECURITY)
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(("method", "action"), [("get", ""), ("post", ""), ("post", "remove/")])
def test_the_passkey_of_another_is_not_found(bob: User, passkey: Authenticator, method: str, action: str) -> None:
    response = getattr(logged_in(bob), method)(f"{SECURITY}passkeys/{passkey.pk}/{action}", {"name": "Mine"})

    assert response.status_code == 404
    assert Authenticator.objects.get().data["name"] == "My laptop"


@pytest.mark.parametrize(
    ("method", "path", "page"),
    [
        ("get", "passkeys/add/", "passkeys/add/"),
        ("post", "passkeys/add/", "passkeys/add/"),
        ("get", "passkeys/{}/", "passkeys/{}/"),
        ("post", "passkeys/{}/", "passkeys/{}/"),
        ("post", "passkeys/{}/remove/", ""),
    ],
)
def test_every_action_on_a_passkey_needs_a_recent_authentication_and_stores_nothing(
    alice: User, passkey: Authenticator, method: str, path: str, page: str
) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=TWO_HOURS)
    before = (dict(browser.session), dump("mfa_authenticator"))

    response = getattr(browser, method)(SECURITY + path.format(passkey.pk))

    assert (response.status_code, response["Location"]) == (
        302,
        reauthentication_url(SECURITY + page.format(passkey.pk)),
    )
    assert (dict(browser.session), dump("mfa_authenticator")) == before


def test_a_person_without_a_passkey_confirms_by_password(alice: User) -> None:
    response = logged_in(alice).get(f"{REAUTHENTICATE}?next={SECURITY}")

    assert (response.status_code, response["Location"]) == (302, reauthentication_url(SECURITY))
