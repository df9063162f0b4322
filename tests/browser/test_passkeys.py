"""Passkeys by Chromium's virtual authenticator, and the look of every page of the second step."""

import re
from collections.abc import Callable

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from playwright.sync_api import BrowserContext, CDPSession, Page, expect

from accounts.models import User
from tests.browser.conftest import Site
from tests.browser.people import follow, log_in, open_page, texts
from tests.browser.soundness import expect_sound
from tests.browser.test_reauthentication import age_reauthentication

pytestmark = pytest.mark.browser

SECURITY = "/account/security/"


class Device:
    """A device with a fingerprint reader whose owner is always there."""

    def __init__(self, page: Page) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable", {"enableUI": False})
        added = self.cdp.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                }
            },
        )
        self.id = added["authenticatorId"]

    def refuse_fingerprints(self) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})

    def forget(self) -> None:
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})


@pytest.fixture
def device(page: Page) -> Device:
    return Device(page)


def open_security(page: Page, site: Site) -> None:
    open_page(page, site, SECURITY)
    expect(page.get_by_role("heading", name="How you log in")).to_be_visible()


def add_passkey(page: Page, name: str) -> None:
    """Add a passkey by the page Security, which is open."""
    follow(page, page.get_by_role("link", name="Add a passkey"))
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()


def log_out(page: Page) -> None:
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def use_passkey(page: Page) -> None:
    page.get_by_role("button", name="Use a passkey").click()


def current_code(secret: str) -> str:
    return pyotp.TOTP(secret).now()


def test_a_passkey_is_added_logs_in_confirms_is_renamed_and_removed(
    page: Page, site: Site, alice: User, device: Device
) -> None:
    open_security(page, site)
    add_passkey(page, "My laptop")
    log_out(page)

    page.goto(site.url("/account/login/?next=/account/security/"))
    use_passkey(page)

    expect(page).to_have_url(site.url(SECURITY))
    expect(page.get_by_role("heading", name="My laptop")).to_be_visible()
    expect(page.get_by_text("Last used today")).to_be_visible()

    age_reauthentication()
    follow(page, page.get_by_role("link", name="Change My laptop"))
    follow(page, page.get_by_role("link", name="Use a passkey instead"))
    use_passkey(page)

    expect(page.get_by_role("heading", name="My laptop")).to_be_visible()
    page.get_by_label("Name").fill("Office laptop")
    page.get_by_role("button", name="Save name").click()

    expect(page.get_by_text("Name saved.")).to_be_visible()
    page.get_by_role("link", name="Change Office laptop").click()
    page.get_by_role("button", name="Remove passkey").click()

    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    assert not Authenticator.objects.exists()


def test_after_the_password_a_passkey_is_the_second_step(page: Page, site: Site, alice: User, device: Device) -> None:
    open_security(page, site)
    add_passkey(page, "My laptop")
    log_out(page)

    log_in(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    use_passkey(page)

    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.mark.release
def test_a_passkey_that_was_removed_logs_nobody_in(page: Page, site: Site, alice: User, device: Device) -> None:
    open_security(page, site)
    add_passkey(page, "My laptop")
    log_out(page)
    Authenticator.objects.all().delete()

    page.goto(site.url("/account/login/?next=/account/security/"))
    use_passkey(page)

    expect(page.get_by_text("That passkey did not work. Try again.")).to_be_visible()
    expect(page).to_have_url(site.url("/account/login/?next=%2Faccount%2Fsecurity%2F"))


@pytest.mark.release
def test_a_device_without_the_passkey_or_with_somebody_else_before_it_says_so(
    page: Page, site: Site, alice: User, device: Device
) -> None:
    open_security(page, site)
    add_passkey(page, "My laptop")
    log_out(page)
    for make_useless in (device.refuse_fingerprints, device.forget):
        page.goto(site.url("/account/login/"))
        make_useless()

        use_passkey(page)

        expect(page.get_by_text("No passkey was used. Try again.")).to_be_visible()


@pytest.mark.release
def test_a_device_is_added_once(page: Page, site: Site, alice: User, device: Device) -> None:
    open_security(page, site)
    add_passkey(page, "My laptop")

    page.goto(site.url("/account/security/passkeys/add/"))
    page.get_by_role("button", name="Add passkey").click()

    expect(page.get_by_text("This device already has a passkey for your account.")).to_be_visible()


def test_an_app_is_set_up_by_its_key_and_logs_in(page: Page, site: Site, alice: User) -> None:
    open_security(page, site)
    follow(page, page.get_by_role("link", name="Set up"))
    key = page.locator(".account__key").inner_text()
    page.get_by_label("Code from the app").fill(current_code(key))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="See the codes").click()
    codes = texts(page.locator("#codes > li"), 10)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()

    assert download.value.path().read_text() == "".join(f"{code}\n" for code in codes)
    log_out(page)
    log_in(page)
    page.get_by_label("Code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


@pytest.mark.release
def test_the_second_step_can_be_left(page: Page, site: Site, alice: User) -> None:
    TOTP.activate(alice, pyotp.random_base32())
    page.goto(site.url("/account/login/"))
    log_in(page)

    page.get_by_role("button", name="Start again").click()

    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.release
@pytest.mark.long
def test_every_page_of_two_steps_is_sound(open_context: Callable[..., BrowserContext], site: Site, alice: User) -> None:
    page = open_context().new_page()
    Device(page)
    open_security(page, site)
    expect_sound(page)
    for path in ("authenticator/", "passkeys/add/"):
        page.goto(site.url(f"{SECURITY}{path}"))
        expect_sound(page)
    add_passkey_here(page)
    expect_sound(page)
    page.get_by_role("button", name="See the codes").click()
    expect(page.locator("#codes")).to_be_visible()
    expect_sound(page)
    secret = pyotp.random_base32()
    TOTP.activate(alice, secret)
    for path in (SECURITY, f"{SECURITY}authenticator/remove/", f"{SECURITY}recovery-codes/"):
        page.goto(site.url(path))
        expect_sound(page)
    page.goto(site.url(f"{SECURITY}passkeys/{Authenticator.objects.get(type='webauthn').pk}/"))
    expect_sound(page)
    for path in ("code/", "passkey/", ""):
        page.goto(site.url(f"/account/reauthenticate/{path}"))
        expect_sound(page)
    page.context.clear_cookies()
    page.goto(site.url("/account/login/"))
    log_in(page)
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    expect_sound(page)
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("That code is not right"))).to_be_visible()
    expect_sound(page)


def add_passkey_here(page: Page) -> None:
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


@pytest.mark.release
def test_a_page_open_for_too_long_makes_no_passkey_and_says_so(
    page: Page, site: Site, alice: User, device: Device
) -> None:
    open_security(page, site)
    page.clock.install()
    page.goto(site.url(f"{SECURITY}passkeys/add/"))
    page.clock.fast_forward("10:01")

    page.get_by_role("button", name="Add passkey").click()

    expect(page.get_by_text("That did not work. Reload the page and try again.")).to_be_visible()
    assert device.cdp.send("WebAuthn.getCredentials", {"authenticatorId": device.id}) == {"credentials": []}
