"""What the server requests of a passkey, accepts and refuses, with a software key and with nonsense."""

import base64
import json
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client as Browser
from fido2.webauthn import AuthenticatorData
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.quotas import PASSKEYS
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.test_second_step import SECURITY, TWO_HOURS, dump, reauthentication_url
from tests.cast import PASSWORD, logged_in, reauthenticate

pytestmark = pytest.mark.matrix

ADD = "/account/security/passkeys/add/"
LOG_IN = "/account/login/passkey/"
REAUTHENTICATE = "/account/reauthenticate/passkey/"
SECOND_STEP = "/account/login/second-step/"
REFUSED = "That passkey did not work. Try again."


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def credential(**response: str) -> dict[str, Any]:
    return {"id": "eA", "rawId": "eA", "type": "public-key", "clientExtensionResults": {}, "response": response}


CLIENT_DATA = encoded(
    json.dumps({"type": "webauthn.get", "challenge": "eA", "origin": "https://app.example.com"}).encode()
)
# Whatever a browser, or somebody with a script, may send in the place of a credential.
NONSENSE: list[Any] = [
    "",
    "{",
    "null",
    "[]",
    "1",
    '"text"',
    "{}",
    json.dumps(credential()),
    json.dumps(credential(clientDataJSON="", authenticatorData="", signature="", userHandle="")),
    json.dumps(credential(clientDataJSON="é", authenticatorData="%", signature="", userHandle="%")),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(b"x"), signature="", userHandle="MQ")),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(bytes(37)), signature="eA")),
    json.dumps(
        credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(bytes(37)), signature="eA", userHandle="MQ")
    ),
    json.dumps(
        credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(bytes(37)), signature="eA", userHandle="_w")
    ),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, attestationObject=encoded(b"\xa1"))),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, attestationObject=encoded(b"\xf9\x00"))),
    json.dumps(
        credential(clientDataJSON=CLIENT_DATA, attestationObject=encoded(b"\xa3cfmtdnonegattStmt\xa0hauthDataAx"))
    ),
]


@pytest.fixture
def passkey(alice: User) -> Authenticator:
    """A passkey of Alice, for actions that do not read its data."""
    found: Authenticator = Authenticator.objects.create(
        user=alice, type=Authenticator.Type.WEBAUTHN, data={"name": "My laptop", "credential": {}}
    )
    return found


def options_on(page: Any) -> Any:
    """Return the challenge that a page holds for its script."""
    text = page.content.decode().partition('<script id="passkey-options" type="application/json">')[2]
    return json.loads(text.partition("</script>")[0])["publicKey"]


def add_passkey(user: User, key: SecurityKey, name: str = "My laptop") -> Any:
    browser = logged_in(user)
    return browser.post(ADD, {"credential": key.create(options_on(browser.get(ADD))), "name": name})


def log_in(key: SecurityKey) -> Browser:
    """Return a browser in which somebody has used a passkey on the log-in page."""
    browser = Browser()
    options = browser.get(LOG_IN, headers={"Accept": "application/json"}).json()["request_options"]["publicKey"]
    browser.post(LOG_IN, {"credential": key.get(options)})
    return browser


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


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
    sentence = "You have 2 of {} passkeys. Remove one that you don&#x27;t use to make room."
    assert refused.content.decode().count(sentence.format(2)) == 1
    assert [page.count(sentence.format(1)) for page in pages] == [1, 1]
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


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example.com"},
        {"origin": "http://app.example.com"},
        {"flags": AuthenticatorData.FLAG.UP},
        {"key": ec.generate_private_key(ec.SECP256R1())},
        {"id": b"another"},
        {"user_handle": ""},
    ],
    ids=["another site", "plain http", "nobody verified", "another key", "another id", "no person"],
)
def test_an_answer_that_is_not_quite_right_logs_nobody_in(alice: User, change: dict[str, Any]) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    assert not is_logged_in(log_in(replace(key, **change)))


def test_the_passkey_of_one_person_does_not_log_in_another(alice: User, bob: User) -> None:
    hers, his = SecurityKey(), SecurityKey()
    add_passkey(alice, hers)
    add_passkey(bob, his)

    assert not is_logged_in(log_in(replace(his, user_handle=hers.user_handle)))


def test_a_deactivated_account_is_not_opened_by_its_passkey(alice: User) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    User.objects.update(is_active=False)

    assert not is_logged_in(log_in(key))


def test_a_passkey_that_verifies_nobody_is_not_added(alice: User) -> None:
    response = add_passkey(alice, SecurityKey(flags=AuthenticatorData.FLAG.UP))

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


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


@pytest.mark.no_cover
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_logs_nobody_in_and_is_answered_on_the_log_in_page(alice: User, nonsense: str) -> None:
    browser = Browser()
    browser.get(LOG_IN, headers={"Accept": "application/json"})

    response = browser.post(LOG_IN, {"credential": nonsense, "next": SECURITY})

    assert (response.status_code, response["Location"]) == (302, "/account/login/?next=%2Faccount%2Fsecurity%2F")
    assert browser.get("/account/").status_code == 302


@pytest.mark.no_cover
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_adds_no_passkey(alice: User, nonsense: str) -> None:
    browser = logged_in(alice)
    browser.get(ADD)

    response = browser.post(ADD, {"credential": nonsense, "name": "My laptop"})

    assert response.status_code == 200
    assert not Authenticator.objects.exists()


@pytest.mark.no_cover
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_is_no_second_step(alice: User, nonsense: str) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})

    response = browser.post(SECOND_STEP, {"credential": nonsense})

    assert response.status_code == 200
    assert browser.get("/account/").status_code == 302


def test_a_passkey_without_a_challenge_is_refused(alice: User) -> None:
    response = Browser().post(LOG_IN, {"credential": NONSENSE[-5]}, follow=True)

    assert REFUSED in response.content.decode()


def test_a_second_step_takes_five_wrong_answers_of_a_passkey(alice: User) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    browser = Browser()
    browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})
    for _time in range(5):
        browser.post(SECOND_STEP, {"credential": NONSENSE[-5]})

    responses = [browser.post(SECOND_STEP, answer) for answer in ({"credential": NONSENSE[-5]}, {"code": "000000"})]

    assert [response.status_code for response in responses] == [429, 200]


def test_an_address_gets_so_many_challenges_a_minute(alice: User, settings: Settings) -> None:
    settings.MFA_RATE_LIMITS = {"passkey_challenge": "2/m/ip"}
    browser = Browser()

    responses = [browser.get(LOG_IN, headers={"Accept": "application/json"}) for _time in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]


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


def test_one_without_a_passkey_confirms_by_password(alice: User) -> None:
    response = logged_in(alice).get(f"{REAUTHENTICATE}?next={SECURITY}")

    assert (response.status_code, response["Location"]) == (302, reauthentication_url(SECURITY))
