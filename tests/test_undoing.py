"""No form undoes what another request has done since the form's own request read the row."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import call_command
from django.forms import BaseForm
from django.test import Client as Browser
from django.urls import reverse

from accounts import deletion, email_changes
from accounts.backends import PasswordResetTokens
from accounts.models import Session, User
from botpenguin.platform.models import Bot
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import PASSWORD, logged_in, token_text
from tests.interleaving import just_before

NEW_PASSWORD, NEW_EMAIL = "another good passphrase", "alice@wonderland.example"
OF_USER = 'UPDATE "accounts_user" SET "(?!session_epoch)'
OF_FACTOR = '(UPDATE|SELECT) .*"mfa_authenticator".*'


def change_password(user: User) -> None:
    logged_in(user).post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
    )


def deactivate(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def delete(user: User) -> None:
    logged_in(user).post(reverse("delete-account"), {"email": user.email})


def change_email(user: User) -> None:
    email_changes.confirm(EmailAddress.objects.create(user=user, email=NEW_EMAIL))


def can_log_in(email: str, password: str) -> bool:
    return Browser().post("/account/login/", {"login": email, "password": password}).get("Location") == "/"


def save_name(browser: Browser) -> Any:
    return browser.post(reverse("my-account"), {"name": "Thief"})


def log_in(browser: Browser) -> Any:
    return Browser().post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})


def visit_elsewhere(browser: Browser) -> Any:
    """The account's time zone follows the browser's."""
    browser.cookies["time_zone"] = "Asia/Tokyo"
    return browser.get(reverse("my-account"))


FORMS = [save_name, log_in, visit_elsewhere]


@pytest.mark.parametrize("form", FORMS)
def test_a_new_password_stays(alice: User, form: Callable[[Browser], Any]) -> None:
    browser = logged_in(alice)

    with just_before(OF_USER, lambda: change_password(User.objects.get())) as met:
        form(browser)

    assert met
    assert can_log_in(alice.email, NEW_PASSWORD)
    assert not can_log_in(alice.email, PASSWORD)


@pytest.mark.parametrize("form", FORMS)
def test_a_deactivated_account_stays_so(alice: User, form: Callable[[Browser], Any]) -> None:
    browser = logged_in(alice)

    with just_before(OF_USER, lambda: deactivate(alice)):
        form(browser)

    assert not User.objects.get().is_active


@pytest.mark.parametrize("form", FORMS)
def test_a_deleted_account_stays_deleted_and_nothing_breaks(alice: User, form: Callable[[Browser], Any]) -> None:
    browser = logged_in(alice)

    with just_before(OF_USER, lambda: delete(User.objects.get())):
        answer = form(browser)

    sum(deletion.finish_all())
    assert answer.status_code < 500
    assert not User.objects.exists()
    assert not Session.objects.filter(user__isnull=False).exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_new_email_stays_the_one_of_user_and_address(alice: User, form: Callable[[Browser], Any]) -> None:
    browser = logged_in(alice)

    with just_before(OF_USER, lambda: change_email(alice)):
        form(browser)

    assert User.objects.get().email == EmailAddress.objects.get().email == NEW_EMAIL
    assert can_log_in(NEW_EMAIL, PASSWORD)


def rename_passkey(browser: Browser, passkey: Authenticator) -> Any:
    return browser.post(reverse("passkey", args=[passkey.pk]), {"name": "Thief's"})


@pytest.mark.parametrize(
    "remove",
    [
        lambda passkey: logged_in(passkey.user).post(reverse("remove-passkey", args=[passkey.pk])),
        lambda passkey: call_command("remove_factors", "--user", passkey.user.email),
    ],
)
def test_a_removed_passkey_stays_removed_while_it_is_renamed(alice: User, remove: Callable[[Any], Any]) -> None:
    passkey = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Laptop", "credential": {}})
    browser = logged_in(alice)

    with just_before(r'SAVEPOINT|SELECT .* FOR UPDATE|UPDATE "mfa_auth', lambda: remove(passkey)) as met:
        answer = rename_passkey(browser, passkey)

    assert met
    assert answer.status_code in (302, 404)
    assert not Authenticator.objects.exists()


def test_a_renamed_passkey_keeps_what_was_recorded_of_it_meanwhile(alice: User) -> None:
    passkey = Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Laptop", "credential": {}})
    browser = logged_in(alice)

    counted = {"name": "Laptop", "credential": {}, "counter": 7}
    with just_before("SAVEPOINT", lambda: Authenticator.objects.update(data=counted)):
        rename_passkey(browser, passkey)

    assert Authenticator.objects.get().data == counted | {"name": "Thief's"}


def test_codes_that_are_shown_stay_used(alice: User) -> None:
    """To note that they were shown writes the same column as the use of one."""
    TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(alice)
    first = codes.get_unused_codes()[0]
    browser = logged_in(alice)

    def use() -> None:
        assert RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk)).validate_code(first)

    with just_before("SAVEPOINT", use) as met:
        browser.post(reverse("show-recovery-codes"))

    assert met
    assert first not in RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk)).get_unused_codes()


def test_a_deleted_api_stays_deleted_and_what_was_typed_stays_on_the_page(alice: User) -> None:
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com"))
    browser = logged_in(alice)
    typed = {"name": "Orders of today", "method": "GET", "url": "https://api.example.com/today"}

    with just_before("SAVEPOINT", OutboundApi.objects.all().delete) as met:
        answer = browser.post(reverse("developers:outbound:api", args=[api.pk]), typed)

    assert met
    page = answer.content.decode()
    assert "This API was deleted meanwhile, in another tab or device. Nothing was saved." in page
    assert 'value="Orders of today"' in page
    assert not OutboundApi.objects.exists()


def test_a_removed_attribute_stays_removed(alice: User) -> None:
    plan = CustomAttribute.objects.named(alice, "plan")
    browser = logged_in(alice)

    with just_before('UPDATE "outbound_customattribute"', CustomAttribute.objects.all().delete) as met:
        answer = browser.post(reverse("developers:outbound:change-type", args=[plan.pk]), {"type": "number"})

    assert met
    assert answer.status_code == 404
    assert not CustomAttribute.objects.exists()


def test_a_deleted_bot_stays_deleted(alice: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Reception", platform="website")
    browser = logged_in(alice)
    headers = {"Authorization": f"Bearer {token_text(alice)}"}

    with just_before("SAVEPOINT", Bot.objects.all().delete):
        page = browser.post(reverse("platform:bot", args=[bot.pk]), {"name": "Night shift"})
    bot.save(force_insert=True)
    with just_before("SAVEPOINT", Bot.objects.all().delete):
        change = {"name": "Night shift"}
        answer = browser.patch(f"/api/v7/bots/{bot.pk}", change, content_type="application/json", headers=headers)

    assert (page.status_code, answer.status_code) == (404, 404)
    assert not Bot.objects.exists()


@pytest.mark.parametrize(
    ("path", "posted"),
    [
        ("/bots/new/", {"name": "Reception", "platform": "website"}),
        ("/inbox/segments/add/", {"name": "Customers", "tags": "customer"}),
        ("/developers/third-party-apps-api/new/", {"name": "Orders", "method": "GET", "url": "https://a.example"}),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_what_a_deleted_account_makes_leads_to_the_log_in_page(
    alice: User, monkeypatch: pytest.MonkeyPatch, path: str, posted: dict[str, str]
) -> None:
    browser = logged_in(alice)
    is_valid = BaseForm.is_valid
    deletions = iter([alice])

    def delete_first(form: BaseForm) -> bool:
        for user in deletions:
            delete(user)
        return is_valid(form)

    monkeypatch.setattr(BaseForm, "is_valid", delete_first)

    answer = browser.post(path, posted)

    sum(deletion.finish_all())
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/?next=")
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_refers_to_a_removed_account_leads_to_the_log_in_page(alice: User) -> None:
    browser = logged_in(alice)

    def remove() -> None:
        delete(User.objects.get())
        sum(deletion.finish_all())

    with just_before("INSERT", remove) as met:
        answer = browser.post(reverse("developers:copy-token"))

    assert met
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/?next=")


def test_a_change_of_password_does_not_undo_another(alice: User) -> None:
    """A thief who knows the password may send the same form in the same instant."""
    browser = logged_in(alice)
    thief = {"oldpassword": PASSWORD, "password1": "password of a thief", "password2": "password of a thief"}

    with just_before("SAVEPOINT", lambda: change_password(User.objects.get())) as met:
        answer = browser.post(reverse("account_change_password"), thief, follow=True)

    assert met
    assert "The password was changed elsewhere in the meantime." in answer.content.decode()
    assert "was revoked" not in answer.content.decode()
    assert can_log_in(alice.email, NEW_PASSWORD)
    assert not can_log_in(alice.email, thief["password1"])


def test_a_mailed_link_for_a_new_password_does_not_undo_another(alice: User) -> None:
    reader = Browser()
    key = PasswordResetTokens().make_token(alice)
    page = reader.get(f"/account/password/reset/key/{user_pk_to_url_str(alice)}-{key}/", follow=True)
    posted = {"password1": "password of a thief", "password2": "password of a thief"}

    with just_before("SAVEPOINT", lambda: change_password(User.objects.get())) as met:
        answer = reader.post(page.redirect_chain[-1][0], posted, follow=True)

    assert met
    assert "The password was changed elsewhere in the meantime." in answer.content.decode()
    assert can_log_in(alice.email, NEW_PASSWORD)
    assert not can_log_in(alice.email, posted["password1"])
