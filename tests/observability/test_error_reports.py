"""Debug pages and error mails: whatever fails, wherever, they hold no secret of whoever it failed for."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.utils.log import AdminEmailHandler
from django.views.debug import get_default_exception_reporter_filter
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts.mfa import encryption
from accounts.models import User
from developers import tokens
from developers.models import ApiToken
from developers.redaction import MaskingFormatter, WithoutSecrets
from tests.accounts.mail.mails import link_in, newest
from tests.cast import PASSWORD, logged_in, reauthenticate, token_text
from tests.leaks import find

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]

PAGE = "/developers/api-access-token/"
NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "revoke_token": "on"}
APP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DATABASE_PASSWORD, MAIL_PASSWORD, CACHE_PASSWORD = "opens-the-database", "opens-the-mail", "opens-the-cache"

Act = Callable[[], Any]


# A transaction must end; and rate limits, of which an act asks many, are like one another.
PASSED_OVER = re.compile("SAVEPOINT|accounts_counter|accounts_cachedvalue")


class Fault(Exception):
    """What breaks in the middle of an act."""


@dataclass
class Watch:
    """What was reported, by page, by mail and in the log, and the secrets that must not be in it."""

    secrets: dict[str, str]
    log: StringIO
    pages: list[str] = field(default_factory=list)

    def keep(self, response: Any) -> None:
        assert response.status_code == 500
        self.pages.append(response.content.decode())

    def leaks(self) -> list[str]:
        assert self.pages
        mails = [f"{sent.subject} {sent.body}" for sent in mail.outbox]
        assert len(mails) >= len(self.pages)
        return find([*self.pages, *mails, self.log.getvalue()], self.secrets)


@pytest.fixture
def watch(alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A server with `DEBUG` on that mails its errors to an administrator, and the app of Alice has a known key."""
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.generate_totp_secret", lambda: APP)
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", DATABASE_PASSWORD)
    settings.DEBUG = True
    settings.ADMINS = [("Operator", "operator@example.com")]
    settings.EMAIL_HOST_PASSWORD = MAIL_PASSWORD
    settings.CACHE_ELSEWHERE = {"LOCATION": f"redis://:{CACHE_PASSWORD}@cache.example"}
    mails = AdminEmailHandler(email_backend=settings.EMAIL_BACKEND)
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    lines = logging.StreamHandler(StringIO())
    lines.setFormatter(MaskingFormatter())
    for handler in (mails, lines):
        handler.setLevel(logging.ERROR)
        handler.addFilter(WithoutSecrets())
        logging.getLogger().addHandler(handler)
    token = ApiToken.objects.get(user=alice)
    yield Watch(
        {
            "token": token_text(alice),
            "ciphertext": token.ciphertext,
            "digest": ascii(bytes(token.digest))[2:-1],
            "password": PASSWORD,
            "hash of the password": alice.password,
            "new password": NEW_PASSWORD,
            "key of the app": APP,
            "SECRET_KEY": settings.SECRET_KEY,
            "TOKEN_KEYS": settings.TOKEN_KEYS[0],
            "password of the database": DATABASE_PASSWORD,
            "password of the mail server": MAIL_PASSWORD,
            "password of the cache": CACHE_PASSWORD,
        },
        lines.stream,
    )
    for handler in (mails, lines):
        logging.getLogger().removeHandler(handler)


def as_alice(alice: User) -> Browser:
    # What failed late may have changed her password, and so ended every log-in with the one of before.
    alice.refresh_from_db()
    browser = logged_in(alice)
    browser.raise_request_exception = False
    return browser


def anonymous() -> Browser:
    return Browser(raise_request_exception=False)


# What may fail: each prepares a request, and returns how to send it.


def first_token(alice: User) -> Act:
    ApiToken.objects.all().delete()
    return partial(as_alice(alice).get, PAGE)


def show(alice: User) -> Act:
    return partial(as_alice(alice).post, f"{PAGE}show/", headers={"HX-Request": "true"})


def copy(alice: User) -> Act:
    return partial(as_alice(alice).post, f"{PAGE}copy/", headers={"Accept": "application/json"})


def revoke(alice: User) -> Act:
    return partial(as_alice(alice).post, f"{PAGE}revoke/", {"generation": 1})


def bearer_check(alice: User) -> Act:
    return partial(anonymous().get, "/api/v7/token", headers={"Authorization": f"Bearer {token_text(alice)}"})


def report_exposed(alice: User) -> Act:
    body = {"tokens": [token_text(alice)]}
    return partial(anonymous().post, "/api/v7/token/report-exposed", body, content_type="application/json")


def log_in(alice: User) -> Act:
    return partial(anonymous().post, "/account/login/", {"login": alice.email, "password": PASSWORD})


def sign_up(alice: User) -> Act:
    User.objects.exclude(pk=alice.pk).delete()
    return partial(anonymous().post, "/account/signup/", {"email": "carol@example.com", "password1": NEW_PASSWORD})


def give_password_again(alice: User) -> Act:
    browser = as_alice(alice)
    reauthenticate(browser, alice, seconds_ago=7200)
    return partial(browser.post, "/account/reauthenticate/", {"password": PASSWORD})


def change_password(alice: User) -> Act:
    return partial(as_alice(alice).post, "/account/password/change/", {"oldpassword": PASSWORD} | NEW)


# One failing statement in so many, for every run; each statement takes long.
SAMPLE = 4
ACTS = [
    *((act, SAMPLE) for act in (show, revoke, bearer_check, report_exposed)),
    *(
        pytest.param(act, 1, marks=pytest.mark.release)
        for act in (show, revoke, bearer_check, report_exposed, first_token, log_in, change_password)
    ),
]


def fail_at_queries(prepare: Callable[[], Act], watch: Watch, step: int) -> None:
    """Do an act again and again, with its first statement failing, then the one `step` after it, and so on."""
    for number in range(0, 1000, step):
        cache.clear()
        count = 0

        def break_one(execute: Any, sql: str, *arguments: Any, number: int = number) -> Any:
            nonlocal count
            if not PASSED_OVER.search(sql):
                count += 1
            if count == number + 1:
                count += 1
                raise Fault
            return execute(sql, *arguments)

        act = prepare()
        with connection.execute_wrapper(break_one):
            response = act()
        if count <= number:
            return
        if response.status_code == 500:
            watch.keep(response)
    raise AssertionError("there is no end to the statements of this act")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("act", "step"), ACTS)
def test_no_report_of_a_failing_database_holds_a_secret(
    alice: User, watch: Watch, act: Callable[[User], Act], step: int
) -> None:
    fail_at_queries(lambda: act(alice), watch, step)

    assert watch.leaks() == []


clear_cached_filter: Callable[[], None] = get_default_exception_reporter_filter.cache_clear  # type: ignore[attr-defined]


def broken(*arguments: Any, **options: Any) -> Any:
    raise Fault


class BrokenHasher(MD5PasswordHasher):
    encode = verify = broken


def new_authenticator(alice: User) -> Act:
    return partial(as_alice(alice).get, "/account/security/authenticator/")


def code_of_new_authenticator(alice: User) -> Act:
    browser = as_alice(alice)
    browser.get("/account/security/authenticator/")
    return partial(browser.post, "/account/security/authenticator/", {"code": "123456"})


def second_step(alice: User) -> Act:
    TOTP.activate(alice, APP)
    RecoveryCodes.activate(alice)
    browser = anonymous()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    return partial(browser.post, "/account/login/second-step/", {"code": "00000000"})


def show_codes(alice: User) -> Act:
    RecoveryCodes.activate(alice)
    return partial(as_alice(alice).post, "/account/security/recovery-codes/show/")


def reset_password(alice: User) -> Act:
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
    ("act", "part"),
    [
        *((first_token, SEAL), (first_token, DIGEST), (revoke, SEAL), (show, OPEN), (copy, OPEN), (show, DIGEST)),
        *((bearer_check, DIGEST), (report_exposed, DIGEST)),
        *((new_authenticator, SEAL_FACTOR), (code_of_new_authenticator, OPEN_FACTOR), (second_step, OPEN_FACTOR)),
        *((second_step, CODES), (second_step, CODE), (show_codes, OPEN_FACTOR), (show_codes, CODES)),
    ],
)
def test_no_report_of_failing_cryptography_holds_a_secret(
    alice: User, watch: Watch, monkeypatch: pytest.MonkeyPatch, act: Callable[[User], Act], part: str
) -> None:
    sent = act(alice)
    codes = Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES).first()
    if codes:
        watch.secrets |= {"seed": encryption.decrypt(codes.data["seed"]), "code": codes.wrap().get_unused_codes()[0]}
    monkeypatch.setattr(part, broken)

    watch.keep(sent())

    assert watch.leaks() == []


@pytest.mark.parametrize("act", [log_in, sign_up, give_password_again, change_password, reset_password])
def test_no_report_of_a_failing_hasher_holds_a_password(
    alice: User, watch: Watch, settings: Settings, act: Callable[[User], Act]
) -> None:
    sent = act(alice)
    settings.PASSWORD_HASHERS = [f"{__name__}.BrokenHasher"]

    watch.keep(sent())

    assert watch.leaks() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", [SAMPLE, pytest.param(1, marks=pytest.mark.release)])
def test_no_report_of_a_mailed_link_holds_its_key(alice: User, watch: Watch, step: int) -> None:
    anonymous().post("/account/password/reset/", {"email": alice.email})
    as_alice(alice).post("/account/email/", {"email": "alice@wonderland.example", "action_add": ""})
    links = [link_in(sent) for sent in Email.objects.filter(message_id__startswith="<link.")]
    watch.secrets |= {link: link.rstrip("/").rpartition("/")[2] for link in links}

    for link in links:
        fail_at_queries(lambda link=link: partial(anonymous().get, link), watch, step)  # type: ignore[misc]

    assert len(links) == 2
    assert watch.leaks() == []


@pytest.mark.parametrize(
    ("act", "part", "found"),
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
    act: Callable[[User], Act],
    part: str,
    found: set[str],
) -> None:
    """Else the search of the tests above might have looked for nothing."""
    settings.DEFAULT_EXCEPTION_REPORTER = "django.views.debug.ExceptionReporter"
    settings.DEFAULT_EXCEPTION_REPORTER_FILTER = "django.views.debug.SafeExceptionReporterFilter"
    clear_cached_filter()
    sent = act(alice)
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
    assert "Fault at /developers/api-access-token/show/" in report
    assert f"&lt;User {alice.pk}&gt;" in report
    assert "&lt;ApiToken&gt;" in report
    assert "USER: alice@example.com" in str(sent_mail.body)


def test_what_an_exception_says_is_masked_too(alice: User, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    def verify(_key: bytes, message: bytes, *_: Any) -> Any:
        raise Fault(message)

    mask = tokens.mask(token_text(alice)[-4:])
    sent = bearer_check(alice)
    monkeypatch.setattr(DIGEST, verify)

    watch.keep(sent())

    assert watch.leaks() == []
    assert f"Fault: b'{mask}'\n" in watch.log.getvalue()
    assert f"Exception Value: b'{mask}'" in str(mail.outbox[0].body)
