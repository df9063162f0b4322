"""Debug pages and error mails hold no secret, whatever fails."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.views.debug import get_default_exception_reporter_filter
from pytest_django.fixtures import Settings

from accounts.mfa import encryption
from accounts.models import User
from developers import tokens
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, token_text
from tests.observability.actions import (
    APP,
    NEW,
    PAGE,
    Action,
    anonymous,
    as_alice,
    bearer_check,
    change_password,
    copy,
    first_token,
    give_password_again,
    log_in,
    report_exposed,
    revoke,
    show,
    sign_up,
)
from tests.observability.reported import Failure, Watch

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]


clear_cached_filter: Callable[[], None] = get_default_exception_reporter_filter.cache_clear  # type: ignore[attr-defined]


def broken(*arguments: Any, **options: Any) -> Any:
    raise Failure


class BrokenHasher(MD5PasswordHasher):
    encode = verify = broken


def new_authenticator(alice: User) -> Action:
    return partial(as_alice(alice).get, "/account/security/authenticator/")


def code_of_new_authenticator(alice: User) -> Action:
    browser = as_alice(alice)
    browser.get("/account/security/authenticator/")
    return partial(browser.post, "/account/security/authenticator/", {"code": "123456"})


def second_step(alice: User) -> Action:
    TOTP.activate(alice, APP)
    RecoveryCodes.activate(alice)
    browser = anonymous()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    return partial(browser.post, "/account/login/second-step/", {"code": "00000000"})


def show_codes(alice: User) -> Action:
    RecoveryCodes.activate(alice)
    return partial(as_alice(alice).post, "/account/security/recovery-codes/show/")


def reset_password(alice: User) -> Action:
    browser = anonymous()
    browser.post("/account/password/reset/", {"email": alice.email})
    return partial(browser.post, browser.get(link_in(newest()))["Location"], NEW)


SEAL, OPEN, DIGEST = "cryptography.fernet.Fernet.encrypt", "cryptography.fernet.Fernet.decrypt", "hmac.HMAC.update"
SEAL_FACTOR, OPEN_FACTOR = "cryptography.fernet.MultiFernet.encrypt", "cryptography.fernet.MultiFernet.decrypt"
CODES, CODE = (
    "allauth.mfa.recovery_codes.internal.auth.sha1",
    "allauth.mfa.recovery_codes.internal.auth.compare_user_code",
)


@pytest.mark.parametrize(
    ("action", "part"),
    [
        *((first_token, SEAL), (first_token, DIGEST), (revoke, SEAL), (show, OPEN), (copy, OPEN), (show, DIGEST)),
        *((bearer_check, DIGEST), (report_exposed, DIGEST)),
        *((new_authenticator, SEAL_FACTOR), (code_of_new_authenticator, OPEN_FACTOR), (second_step, OPEN_FACTOR)),
        *((second_step, CODES), (second_step, CODE), (show_codes, OPEN_FACTOR), (show_codes, CODES)),
    ],
)
def test_no_report_of_failing_cryptography_holds_a_secret(
    alice: User, watch: Watch, monkeypatch: pytest.MonkeyPatch, action: Callable[[User], Action], part: str
) -> None:
    sent = action(alice)
    codes = Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES).first()
    if codes:
        watch.secrets |= {"seed": encryption.decrypt(codes.data["seed"]), "code": codes.wrap().get_unused_codes()[0]}
    monkeypatch.setattr(part, broken)

    watch.keep(sent())

    assert watch.leaks() == []


@pytest.mark.parametrize("action", [log_in, sign_up, give_password_again, change_password, reset_password])
def test_no_report_of_a_failing_hasher_holds_a_password(
    alice: User, watch: Watch, settings: Settings, action: Callable[[User], Action]
) -> None:
    sent = action(alice)
    settings.PASSWORD_HASHERS = [f"{__name__}.BrokenHasher"]

    watch.keep(sent())

    assert watch.leaks() == []


@pytest.mark.parametrize(
    ("action", "part", "found"),
    [
        (log_in, "django.contrib.auth.hashers.MD5PasswordHasher.verify", {"password"}),
        (change_password, "django.contrib.auth.hashers.MD5PasswordHasher.encode", {"new password"}),
        (new_authenticator, SEAL_FACTOR, {"key of the app"}),
        (show, DIGEST, {"token"}),
    ],
)
def test_reports_as_django_makes_them_hold_what_ours_do_not(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    alice: User,
    watch: Watch,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    action: Callable[[User], Action],
    part: str,
    found: set[str],
) -> None:
    """This shows that the other tests search for secrets that would be there."""
    settings.DEFAULT_EXCEPTION_REPORTER = "django.views.debug.ExceptionReporter"
    settings.DEFAULT_EXCEPTION_REPORTER_FILTER = "django.views.debug.SafeExceptionReporterFilter"
    clear_cached_filter()
    sent = action(alice)
    monkeypatch.setattr(part, broken)

    watch.keep(sent())

    clear_cached_filter()
    assert {*watch.leaks()} >= found | {"password of the cache"}


def test_no_report_holds_a_cookie_a_header_or_the_query_of_a_request_that_carries_a_secret(
    alice: User, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = as_alice(alice)
    browser.get("/account/login/?next=/inbox/", follow=True)
    watch.secrets |= {name: cookie.value for name, cookie in browser.cookies.items() if name != "messages"}
    token = watch.secrets["token"]
    headers = {"Authorization": f"Bearer {token}", "User-Agent": token, "X-CSRFToken": watch.secrets["csrftoken"]}
    monkeypatch.setattr("django.template.loader.render_to_string", broken)

    watch.keep(browser.get(f"{PAGE}?apiKey={token}", headers=headers))

    assert {"sessionid", "csrftoken"} <= watch.secrets.keys()
    assert watch.leaks() == []


def test_a_report_still_says_where_and_for_whom_something_broke(
    alice: User, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = show(alice)
    monkeypatch.setattr(OPEN, broken)

    response = sent()

    [report], [sent_mail] = [response.content.decode()], mail.outbox
    assert response.status_code == 500
    assert "Failure at /developers/api-access-token/show/" in report
    assert f"&lt;User {alice.pk}&gt;" in report
    assert "&lt;ApiToken&gt;" in report
    assert "USER: alice@example.com" in str(sent_mail.body)


def test_what_an_exception_says_is_masked_too(alice: User, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(_key: bytes, message: bytes, *_: Any) -> Any:
        raise Failure(message)

    mask = tokens.mask(token_text(alice)[-4:])
    sent = bearer_check(alice)
    monkeypatch.setattr(DIGEST, verify)

    watch.keep(sent())

    assert watch.leaks() == []
    assert f"Failure: b'{mask}'\n" in watch.log.getvalue()
    assert f"Exception Value: b'{mask}'" in str(mail.outbox[0].body)
