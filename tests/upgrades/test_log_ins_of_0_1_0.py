"""Sessions, passwords, second factors and links of release 0.1.0 work in a database that is brought up to date."""

from dataclasses import replace

import pyotp
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key
from django.contrib.auth.hashers import check_password, get_hasher, identify_hasher
from django.test import Client as Browser
from django.utils import timezone
from fido2.utils import websafe_encode
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.models import PasskeyCredential, User
from tests.accounts.mfa.security_key import SecurityKey
from tests.upgrades.browsers import ALICE, BOB, DAVE, FRIEDA, OWNER, PASSWORD, is_logged_in, log_in, visiting, words_on
from tests.upgrades.databases import KEPT

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.django_db,
    pytest.mark.usefixtures("upgraded"),
    # A process makes the database once.
    pytest.mark.xdist_group("upgrades"),
]

NEW_PASSWORD = "another good passphrase"


SECOND_STEP = "/account/login/second-step/"


@pytest.fixture
def hashers_of_the_project(settings: Settings) -> None:
    """Use the hashers of the project instead of the cheap ones of the tests."""
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[1:]


def passkey_of_alice() -> SecurityKey:
    kept = KEPT["passkey"]
    key = load_der_private_key(bytes.fromhex(kept["key"]), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return SecurityKey(id=bytes.fromhex(kept["id"]), key=key, user_handle=kept["user_handle"])


def log_in_by(key: SecurityKey) -> Browser:
    browser = Browser()
    path = "/account/login/passkey/"
    options = browser.get(path, headers={"Accept": "application/json"}).json()["request_options"]["publicKey"]
    browser.post(path, {"credential": key.get(options)})
    return browser


@pytest.mark.parametrize("email", [ALICE, BOB, OWNER])
def test_browsers_stay_logged_in(email: str) -> None:
    page = visiting(email).get("/account/")

    assert (page.status_code, email in page.content.decode()) == (200, True)


def test_the_administration_is_open_to_its_administrator_alone() -> None:
    assert [visiting(email).get("/admin/").status_code for email in (OWNER, BOB)] == [200, 302]


@pytest.mark.usefixtures("hashers_of_the_project")
def test_a_password_by_pbkdf2_logs_in_and_is_hashed_anew() -> None:
    before = User.objects.get_by_natural_key(DAVE).password

    browser = log_in(DAVE)

    after = User.objects.get_by_natural_key(DAVE).password
    assert is_logged_in(browser)
    assert [identify_hasher(hashed).algorithm for hashed in (before, after)] == ["pbkdf2_sha256", "argon2"]


@pytest.mark.usefixtures("hashers_of_the_project")
def test_sessions_and_known_browsers_outlive_the_new_hash_of_their_password() -> None:
    earlier, before = visiting(BOB), User.objects.get(email=BOB).password
    count = Email.objects.count()

    known = log_in(BOB, known=True)
    mails_after = [Email.objects.count() - count]
    log_in(BOB)
    mails_after += [Email.objects.count() - count]

    after = User.objects.get(email=BOB).password
    assert (after == before, get_hasher().must_update(after)) == (False, False)
    assert (is_logged_in(known), is_logged_in(earlier)) == (True, True)
    assert mails_after == [0, 1]


def test_unused_recovery_codes_log_in() -> None:
    used, unused, *others = KEPT["recovery_codes"]
    browser = log_in(ALICE)

    browser.post(SECOND_STEP, {"code": used})
    before = is_logged_in(browser)
    browser.post(SECOND_STEP, {"code": unused})

    assert (before, is_logged_in(browser)) == (False, True)
    codes = Authenticator.objects.get(type="recovery_codes", user__email=ALICE).wrap()
    assert codes.get_unused_codes() == others


def test_a_code_of_the_app_logs_in() -> None:
    browser = log_in(ALICE)

    browser.post(SECOND_STEP, {"code": pyotp.TOTP(KEPT["totp"]).at(timezone.now())})

    assert is_logged_in(browser)


def test_the_passkey_is_listed_and_logs_in_its_owner_alone() -> None:
    listed = words_on(visiting(ALICE).get("/account/security/"))
    key = passkey_of_alice()
    frieda = User.objects.get(email=FRIEDA)

    browsers = [log_in_by(key), log_in_by(replace(key, user_handle=websafe_encode(str(frieda.pk).encode())))]

    assert "My laptop" in listed
    assert [is_logged_in(browser) for browser in browsers] == [True, False]


def test_the_first_of_passkeys_with_one_id_is_known_and_unreadable_ones_are_skipped() -> None:
    assert list(PasskeyCredential.objects.values_list("authenticator__user__email", "sign_count")) == [(ALICE, 0)]
    assert Authenticator.objects.filter(user__email=FRIEDA, type="webauthn").count() == 2


def test_the_link_to_a_new_email_works() -> None:
    bob = visiting(BOB)

    bob.post(KEPT["links"]["email"])

    assert "bob@example.net" in words_on(bob.get("/account/"))
    assert list(EmailAddress.objects.filter(user__email="bob@example.net").values_list("email", "verified")) == [
        ("bob@example.net", True)
    ]


def test_the_link_of_a_sign_up_works() -> None:
    addresses = EmailAddress.objects.filter(user__email="carol@example.com")
    before = addresses.get().verified

    Browser().post(KEPT["links"]["sign_up"], {"password": PASSWORD})

    assert (before, addresses.get().verified) == (False, True)


def test_the_link_to_a_new_password_works() -> None:
    visitor = Browser()
    form = visitor.get(KEPT["links"]["reset"], follow=True).request["PATH_INFO"]

    visitor.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert not is_logged_in(visiting(BOB))
    assert check_password(NEW_PASSWORD, User.objects.get(email=BOB).password)
