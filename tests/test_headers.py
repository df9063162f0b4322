"""What every page tells a browser to refuse."""

import sys
from pathlib import Path

import pytest
from django.test import Client as Browser

from accounts.models import User
from tests import prepared, server
from tests.cast import PASSWORD, sign_in

POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; style-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types default"
)
SIGNED_IN_PAGES = ["/bots/", "/inbox/", "/developers/api-access-token/", "/account/", "/no/such/page"]


@pytest.mark.parametrize("path", SIGNED_IN_PAGES)
def test_a_page_is_kept_nowhere_framed_nowhere_and_runs_only_our_scripts(alice: User, path: str) -> None:
    response = sign_in(alice).get(path)

    assert sorted(response["Content-Security-Policy"].split("; ")) == sorted(POLICY.split("; "))
    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "clipboard-write=(self)" in response["Permissions-Policy"]


def test_the_cookies_are_out_of_reach_of_scripts(alice: User) -> None:
    browser = Browser()

    browser.get("/account/login/")
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    assert {name: bool(cookie["httponly"]) for name, cookie in browser.cookies.items()} == {
        "csrftoken": True,
        "known": True,
        "sessionid": True,
    }
    assert {cookie["samesite"] for cookie in browser.cookies.values()} == {"Lax"}


def test_under_https_the_cookies_belong_to_this_host_alone(tmp_path: Path) -> None:
    environment = server.environment(tmp_path, HTTPS="true", **prepared.SECRETS)
    names = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"

    told = server.run(sys.executable, "manage.py", "shell", "-v0", "-c", names, env=environment)

    assert told.stdout == "__Host-sessionid __Host-csrftoken\n", told.stderr
