"""The headers by which every page restricts what a browser does."""

import sys
from pathlib import Path

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from tests import prepared, server
from tests.cast import PASSWORD, logged_in

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix]

POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; style-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types default"
)
SET_COOKIE = rb'"\012Set-Cookie: a=1"'
LOGGED_IN_PAGES = ["/bots/", "/inbox/", "/developers/api-access-token/", "/account/", "/no/such/page"]


@pytest.mark.parametrize("path", LOGGED_IN_PAGES)
def test_a_page_is_kept_nowhere_framed_nowhere_and_runs_only_our_scripts(alice: User, path: str) -> None:
    response = logged_in(alice).get(path)

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
    browser.post("/account/sessions/end-others/")

    assert {name: bool(cookie["httponly"]) for name, cookie in browser.cookies.items()} == {
        "csrftoken": True,
        "known": True,
        "messages": True,
        "sessionid": True,
    }
    # The last two are what the prefix `__Host-` asks for besides `Secure`.
    kept = {(cookie["samesite"], cookie["path"], cookie["domain"]) for cookie in browser.cookies.values()}
    assert kept == {("Lax", "/", "")}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, marks=[] if name == "messages" or value == SET_COOKIE else pytest.mark.release)
        for name in ("sessionid", "csrftoken", "messages", "known", "language", "time_zone", "unknown")
        for value in (b"\x00", b"\x01\x1f\x7f", rb'"\000"', SET_COOKIE, b'"', b"\xff\xfe", b"a" * 4000)
    ],
)
def test_no_cookie_breaks_a_page_or_comes_back_with_control_characters(alice: User, name: str, value: bytes) -> None:
    """Later versions of Python refuse to make such cookies, and would answer 500 where one was set as it came."""
    browser = Browser(headers={"Cookie": f"{name}={value.decode('latin-1')}"})

    page = browser.get("/account/login/")
    answered = browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})

    assert (page.status_code, answered.status_code) == (200, 302)
    sent = [morsel.OutputString() for answer in (page, answered) for morsel in answer.cookies.values()]
    assert [cookie for cookie in sent if not cookie.isprintable() or "Set-Cookie" in cookie] == []


def test_no_answer_opens_itself_to_pages_of_other_sites(db: None, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "some.js").write_text("")
    settings.STATIC_ROOT = tmp_path
    browser = Browser(headers={"Origin": "https://elsewhere.example"})

    answers = [browser.get(path) for path in ("/static/some.js", "/account/login/", "/api/v7/token", "/no/such/page")]
    for answer in answers:
        answer.close()

    assert [answer.status_code for answer in answers] == [200, 200, 401, 404]
    assert [name for answer in answers for name in answer.headers if name.startswith("Access-Control-")] == []


# Prints the names of the cookies, whether they are secure, and the headers of a page.
UNDER_HTTPS = """
from django.conf import settings
from django.test import Client

from accounts.throttling import known_browsers
from botpenguin.http import messages
from developers import snippets

print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, known_browsers.COOKIE, messages.Cookie.cookie_name)
print(snippets.COOKIE, settings.LANGUAGE_COOKIE_NAME)
print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.LANGUAGE_COOKIE_SECURE)
print(Client(SERVER_NAME="localhost").get("/healthz", secure=True).headers["Cross-Origin-Opener-Policy"])
"""


@pytest.fixture(scope="module")
def shown_under_https(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    environment = server.environment(tmp_path_factory.mktemp("https"), HTTPS="true", **prepared.SECRETS)
    environment.pop(server.COVERAGE, None)
    shown = server.run(sys.executable, "manage.py", "shell", "--no-imports", "-c", UNDER_HTTPS, env=environment)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.splitlines()


# Together, since each process of the tests would start another one.
@pytest.mark.xdist_group("https")
def test_under_https_the_cookies_belong_to_this_host_alone(shown_under_https: list[str]) -> None:
    assert shown_under_https[:3] == [
        "__Host-sessionid __Host-csrftoken __Host-known __Host-messages",
        "__Host-snippets __Host-language",
        "True True True",
    ]


@pytest.mark.xdist_group("https")
def test_under_https_no_other_site_holds_on_to_a_window_of_ours(shown_under_https: list[str]) -> None:
    assert shown_under_https[3:] == ["same-origin"]
