"""The origin of a page: only pages at PUBLIC_URL may use passkeys."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.mfa import webauthn
from accounts.models import User
from tests.accounts.mfa.ceremonies import WAYS, Ceremony, Way, challenge, logs_in
from tests.accounts.mfa.security_key import ORIGIN, SecurityKey
from tests.accounts.views.passkeys import ADD, add_passkey, options_on
from tests.cast import logged_in

pytestmark = pytest.mark.matrix

# Client data of a page inside another, and values that no browser sends.
SAID: list[dict[str, Any]] = [
    {"crossOrigin": True},
    {"crossOrigin": "true"},
    {"crossOrigin": 1},
    {"crossOrigin": None},
    {"crossOrigin": []},
    {"topOrigin": "https://evil.example.com"},
    {"topOrigin": ORIGIN},
    {"crossOrigin": True, "topOrigin": ORIGIN},
    {"origin": [ORIGIN]},
    {"origin": None},
    {"origin": ...},
]
# The origins of the page, real or claimed.
OTHER_PAGES: list[dict[str, Any]] = [
    *(
        {"origin": origin}
        for origin in (
            "https://user-pages.app.example.com",
            "https://a.b.app.example.com",
            "https://example.com",
            "https://xapp.example.com",
            "https://app.example.com:8443",
            "https://app.example.com:443",
            "https://app.example.com.",
            "https://app.example.com/",
            "https://app.example.com.evil.example",
            "https://alice@app.example.com",
            "https://APP.example.com",
            "http://app.example.com",
            "https://app.example.com\u0000",
            "https://\u0430pp.example.com",
            "android:apk-key-hash:abc",
            "app.example.com",
            "null",
            "",
        )
    ),
    *({"says": said} for said in SAID),
]
OTHER_ID = b"another passkey"


@pytest.mark.parametrize(
    "pages", [pytest.param(OTHER_PAGES, marks=pytest.mark.release), OTHER_PAGES[::14]], ids=["all pages", "a few"]
)
@pytest.mark.parametrize("way", WAYS)
def test_only_the_page_at_public_url_has_a_passkey_answer(alice: User, way: Way, pages: list[dict[str, Any]]) -> None:
    key = SecurityKey()
    add_passkey(alice, key)

    accepted = []
    for other in pages:
        cache.clear()
        accepted += [other] if way(alice, replace(key, **other)) else []

    assert accepted == []
    assert way(alice, key)
    # A browser of before Level 2 does not say whether a page is inside another.
    assert way(alice, replace(key, says={"crossOrigin": ...}))


@pytest.mark.parametrize("check", [webauthn.register, webauthn.authenticate])
def test_both_ceremonies_refuse_the_answers_of_other_pages(
    alice: User, check: Callable[[HttpRequest, str], object]
) -> None:
    key = SecurityKey()
    add_passkey(alice, key)
    is_registration = check is webauthn.register
    browser = logged_in(alice) if is_registration else Browser()
    options = options_on(browser.get(ADD)) if is_registration else challenge(browser)

    def accepts(answering: SecurityKey) -> bool:
        answer = answering.create(options) if is_registration else answering.get(options)
        return Ceremony(browser, check).accepts(answer)

    key = replace(key, id=OTHER_ID) if is_registration else key

    assert [other for other in OTHER_PAGES if accepts(replace(key, **other))] == []
    assert accepts(key)


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://app.example.com", "https://app.example.com", "app.example.com"),
        ("https://APP.Example.com:443", "https://app.example.com", "app.example.com"),
        ("https://app.example.com:8443/panel", "https://app.example.com:8443", "app.example.com"),
        ("http://localhost:8000", "http://localhost:8000", "localhost"),
        ("http://localhost:80", "http://localhost", "localhost"),
        ("http://localhost:443", "http://localhost:443", "localhost"),
        ("https://bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_the_origin_is_that_of_public_url_as_browsers_write_it(
    settings: Settings, url: str, origin: str, host: str
) -> None:
    settings.PUBLIC_URL = url

    assert (webauthn.public_origin(), webauthn.public_host()) == (origin, host)


def test_with_a_port_in_public_url_the_page_at_that_port_alone_has_a_passkey_answer(
    alice: User, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://app.example.com:8443"
    key = SecurityKey(origin="https://app.example.com:8443")
    add_passkey(alice, key)

    assert logs_in(alice, key)
    assert not logs_in(alice, replace(key, origin=ORIGIN))
