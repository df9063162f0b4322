"""What the settings read, and refuse to read."""

import secrets
from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured

from botpenguin import settings


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "missing"),
        ("k3yT0oSh0rt", "too short"),
        ("changeme" * 8, "too easy to guess"),
        ("django-insecure-8w5z@_-rx1^tq9jv0c2u6n4m3b7y$hd!kfsapgeli", "too easy to guess"),
    ],
)
def test_a_secret_that_others_could_have_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, problem: str) -> None:
    monkeypatch.setenv("SECRET_KEY", value)

    with pytest.raises(ImproperlyConfigured, match=f"^SECRET_KEY is {problem}: it needs at least 50 random characters"):
        settings.env.secret("SECRET_KEY", 50)


@pytest.mark.parametrize("make", [secrets.token_urlsafe, secrets.token_hex])
def test_a_secret_of_chance_is_taken(monkeypatch: pytest.MonkeyPatch, make: Callable[[int], str]) -> None:
    value = make(48)
    monkeypatch.setenv("SECRET_KEY", value)

    assert settings.env.secret("SECRET_KEY", 50) == value


@pytest.mark.parametrize("value", ["", "db.sqlite3"])
def test_what_is_no_address_of_a_database_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DATABASE_URL", value)

    with pytest.raises(ImproperlyConfigured) as caught:
        settings.address("DATABASE_URL", "sqlite:////srv/db.sqlite3")

    assert str(caught.value) == (
        "DATABASE_URL is no address such as sqlite:////srv/db.sqlite3, which stands in where it is left out."
    )
