"""URLs of services: a password is percent-encoded, or refused by a sentence that does not show it."""

import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from botpenguin.configuration import service_urls

READ: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "DATABASE_URL": ("postgres://bot:{}@db.example.com:5432/panel", service_urls.database),
    "CACHE_URL": ("redis://bot:{}@cache.example.com:6379/0", service_urls.cache),
    "EMAIL_URL": ("smtp+tls://bot:{}@mail.example.com:587", service_urls.email),
}
ODD_PASSWORDS = [
    *("hunter2#1", "hunter2@home", "hunter2/1", "hunter2?", "100%hunter2", "hunter2%", "[hunter2", "hunter2]1"),
    *(
        "#hunter2",
        "@hunter2",
        "/hunter2",
        "?hunter2",
        "%hunter2",
        "hunter2@a/b",
        "a#hunter2@b",
        "hunter2\tx",
    ),
    *("hunter2/x@y?z#1", "hunter2%zz"),
]


def password_in(name: str, configuration: dict[str, Any]) -> str:
    if name == "CACHE_URL":
        return str(redis.ConnectionPool.from_url(configuration["LOCATION"]).connection_kwargs["password"])
    return str(configuration["PASSWORD" if name == "DATABASE_URL" else "EMAIL_HOST_PASSWORD"])


@pytest.mark.parametrize("password", ODD_PASSWORDS)
@pytest.mark.parametrize("name", READ)
def test_a_raw_character_that_means_something_else_is_refused(name: str, password: str) -> None:
    template, read = READ[name]

    with pytest.raises(ImproperlyConfigured) as caught:
        read(template.format(password))

    assert str(caught.value).startswith(f"{name} contains a character that means something else in a URL.")
    assert "percent-encode it" in str(caught.value)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("password", [*ODD_PASSWORDS, "a+b c", "100%25", "ÿ日本", "a:b", "\\", "'\""])
@pytest.mark.parametrize("name", READ)
def test_a_percent_encoded_password_is_read(name: str, password: str) -> None:
    template, read = READ[name]

    assert password_in(name, read(template.format(quote(password, safe="")))) == password


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.sampled_from(sorted(READ)))
def test_any_percent_encoded_password_is_read(password: str, name: str) -> None:
    template, read = READ[name]

    assert password_in(name, read(template.format(quote(password, safe="")))) == password


@pytest.mark.parametrize(
    "password", ["hunter2", "a+b", "a:b", "a b", "a&b=c", "!$*(),;", "ÿ", "^|{}`<>", "a\\b", "~-._", "＃℀＠", "a,b"]
)
@pytest.mark.parametrize("name", READ)
def test_other_characters_may_stay_as_they_are(name: str, password: str) -> None:
    template, read = READ[name]

    assert password_in(name, read(template.format(password))) == password


def test_a_user_may_be_an_email_address() -> None:
    found = service_urls.email(" smtp+tls://me@gmail.com:hunter2@smtp.gmail.com:587 ")

    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST"]) == ("me@gmail.com", "smtp.gmail.com")


@pytest.mark.parametrize("port", ["hunter2", "5432x", "-1", "99999999"])
@pytest.mark.parametrize(("name", "url"), [("DATABASE_URL", "postgres://h:{}/n"), ("EMAIL_URL", "smtp://h:{}")])
def test_a_port_that_is_no_number_is_refused(name: str, url: str, port: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^The host or the port in {name} cannot be read") as caught:
        READ[name][1](url.format(port))

    assert port not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("name", "url", "sentence"),
    [
        ("DATABASE_URL", "mysql://bot:hunter2@host/panel", "DATABASE_URL names neither SQLite nor PostgreSQL."),
        ("DATABASE_URL", "hunter2://host/panel", "DATABASE_URL names neither SQLite nor PostgreSQL."),
        ("CACHE_URL", "hunter2://host", "CACHE_URL names no cache such as redis://host:6379/0."),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL names no mail server such as smtp+tls://user@host:587."),
        ("EMAIL_URL", "hunter2://host", "EMAIL_URL names no mail server such as smtp+tls://user@host:587."),
    ],
)
def test_a_service_of_another_kind_is_refused(name: str, url: str, sentence: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        READ[name][1](url)

    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("url", "host", "name", "user"),
    [
        ("postgres://host/name", "host", "name", ""),
        ("POSTGRESQL://u@host/name", "host", "name", "u"),
        ("postgres://u@a:1,b:2/name", "a,b", "name", "u"),
        ("postgres://u@[2001:db8::1]:5432/name", "2001:db8::1", "name", "u"),
        ("postgres://u@host/a+b%20c", "host", "a+b c", "u"),
        ("postgres://u+v:p@host/name?sslmode=require", "host", "name", "u+v"),
        ("pgsql://%40u@host/name", "host", "name", "@u"),
        ("postgres://u@host/name?options=-c+search_path%3Dx", "host", "name", "u"),
    ],
)
def test_a_url_of_postgresql_is_read(url: str, host: str, name: str, user: str) -> None:
    found = service_urls.database(url)

    assert (found["HOST"], found["NAME"], found["USER"]) == (host, name, user)


@pytest.mark.parametrize(("scheme", "read"), [("valkey", "redis"), ("valkeys", "rediss"), ("rediss", "rediss")])
def test_valkey_is_read_as_redis(scheme: str, read: str) -> None:
    assert service_urls.cache(f"{scheme}://h:6379/1")["LOCATION"] == f"{read}://h:6379/1"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example.com", "https://app.example.com"),
        ("https://app.example.com/", "https://app.example.com"),
        ("HTTPS://App.Example.COM", "https://app.example.com"),
        ("https://app.example.com:443", "https://app.example.com"),
        ("http://localhost:80/", "http://localhost"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://app_1.example.com:8443", "https://app_1.example.com:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_a_public_url_is_an_origin(url: str, origin: str) -> None:
    assert service_urls.public(url) == origin


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://app.example.com/panel", "contains a path"),
        ("https://app.example.com/panel/", "contains a path"),
        ("https://app.example.com//x", "contains a path"),
        ("https://app.example.com/?", "contains a query or a fragment"),
        ("https://app.example.com?next=hunter2", "contains a query or a fragment"),
        ("https://app.example.com/#hunter2", "contains a query or a fragment"),
        ("https://bot:hunter2@app.example.com", "contains a user or a password"),
        ("https://hunter2@app.example.com", "contains a user or a password"),
        ("app.example.com", "is no address"),
        ("//app.example.com", "is no address"),
        ("https:app.example.com", "is no address"),
        ("https://", "is no address"),
        ("https:///panel", "is no address"),
        ("ftp://app.example.com", "is no address"),
        ("https://app.example.com:hunter2", "is no address"),
        ("https://app.example.com:99999", "is no address"),
        ("https://app example.com", "is no address"),
        ("https://app.exa\tmple.com", "is no address"),
        ("https:\\\\app.example.com", "is no address"),
        ("https://*.example.com", "is no address"),
        ("https://[::1", "is no address"),
        ("https://[v1.x]", "is no address"),
        ("https://ÿ..example", "is no address"),
        ("", "is no address"),
    ],
)
def test_what_is_no_origin_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        service_urls.public(url)

    assert str(caught.value) == (
        f"PUBLIC_URL {problem}. It is a scheme, a host and perhaps a port, such as https://app.example.com."
    )
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
