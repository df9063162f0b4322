"""A real server whose log and metrics are read, and what this process reports of its errors."""

import logging
import signal
from collections.abc import Iterator
from io import StringIO

import pytest
from django.utils.log import AdminEmailHandler
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.models import ApiToken
from developers.redaction import MaskingFormatter, WithoutSecrets
from tests.cast import PASSWORD, token_text
from tests.observability.actions import (
    APP,
    NEW_PASSWORD,
)
from tests.observability.observed import Observed, shown
from tests.observability.reported import CACHE_PASSWORD, DATABASE_PASSWORD, MAIL_PASSWORD, Watch
from tests.visitor import Visitor


@pytest.fixture
def watch(alice: User, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Turn `DEBUG` on, mail errors to an administrator, and give new authenticator apps a known key."""
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


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    with Observed(tmp_path_factory.mktemp("observed")) as running:
        yield running
        assert running.stop(signal.SIGINT) == 0, "other servers of the tests are ended by SIGTERM"


@pytest.fixture
def owner(server: Observed) -> Iterator[Visitor]:
    with server.client() as client:
        visitor = Visitor(client)
        assert visitor.log_in(*server.first_account).status_code == 302
        yield visitor


@pytest.fixture
def token(owner: Visitor) -> str:
    return shown(owner)
