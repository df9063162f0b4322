import re
from importlib import import_module

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone

from accounts.adapter import AccountAdapter
from accounts.middleware import activate_time_zone
from accounts.models import User
from accounts.passwords import Argon2
from tests.cast import PASSWORD, logged_in


def test_passwords_are_hashed_by_argon2_first() -> None:
    """The tests use a cheaper one; the project must not."""
    project = import_module("botpenguin.settings")

    assert project.PASSWORD_HASHERS[0] == "accounts.passwords.Argon2"
    # OWASP's parameters: 19 MiB, two passes, one thread.
    assert Argon2().encode(PASSWORD, "a salt of letters").startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("path", "hints"),
    [
        ("/account/login/", {"login": "username", "password": "current-password"}),
        ("/account/signup/", {"email": "username", "password1": "new-password"}),
    ],
)
def test_password_managers_find_what_to_fill_in(db: None, path: str, hints: dict[str, str]) -> None:
    page = Browser().get(path).content.decode()

    assert dict(re.findall(r'<input [^>]*name="(\w+)"[^>]* autocomplete="([\w-]+)"', page)) == hints


@pytest.mark.parametrize("typed", ["carol.smith@example.net", "Carol.Smith@Example.NET", " CAROL.SMITH@example.net "])
def test_an_account_made_by_code_can_log_in_at_once_however_its_email_is_written(db: None, typed: str) -> None:
    User.objects.create_user("Carol.Smith@Example.net", PASSWORD)

    response = Browser().post("/account/login/", {"login": typed, "password": PASSWORD})

    assert (response.status_code, response["Location"]) == (302, "/")


def test_an_account_made_by_command_can_log_in_at_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@Example.net")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", interactive=False, verbosity=0)

    root = User.objects.get(email="root@example.net")
    assert (root.is_staff, root.is_superuser, root.is_active) == (True, True, True)
    response = Browser().post("/account/login/", {"login": "root@example.net", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")


def test_an_account_needs_an_email(db: None) -> None:
    with pytest.raises(ValueError, match=r"An account needs an email address\."):
        User.objects.create_user("")


def test_an_account_is_called_by_its_email(alice: User) -> None:
    assert str(alice) == "alice@example.com"


def test_an_account_is_found_by_its_email_in_any_case(alice: User) -> None:
    assert User.objects.get_by_natural_key("ALICE@EXAMPLE.COM") == alice


def test_a_deactivated_account_cannot_log_in(alice: User) -> None:
    User.objects.update(is_active=False)

    assert authenticate(RequestFactory().get("/"), email="alice@example.com", password=PASSWORD) is None


def zone_seen(user: User | None, cookie: str | None) -> str:
    """Return the time zone in which a page shows times."""
    seen: list[str] = []
    request = RequestFactory().get("/")
    request.user = user or AnonymousUser()
    if cookie is not None:
        request.COOKIES["time_zone"] = cookie

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(timezone.get_current_timezone_name())
        return HttpResponse()

    activate_time_zone(view)(request)
    return seen[0]


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [
        (None, "UTC"),
        ("", "UTC"),
        ("Asia/Kolkata", "Asia/Kolkata"),
        ("asia/kolkata", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("Asia/Kolkata\x00", "UTC"),
        ("x" * 4000, "UTC"),
    ],
)
def test_a_logged_out_visitor_reads_times_in_the_zone_of_the_browser(cookie: str | None, zone: str) -> None:
    assert zone_seen(None, cookie) == zone


@pytest.mark.parametrize(
    ("cookie", "zone"),
    [(None, "Europe/Berlin"), ("nonsense", "Europe/Berlin"), ("Asia/Kolkata", "Asia/Kolkata")],
)
def test_the_zone_of_an_account_follows_the_browser(alice: User, cookie: str | None, zone: str) -> None:
    User.objects.update(time_zone="Europe/Berlin")
    alice.refresh_from_db()

    seen = zone_seen(alice, cookie)

    alice.refresh_from_db()
    assert (seen, alice.time_zone) == (zone, zone)


def test_the_zone_of_one_request_does_not_outlive_it(db: None) -> None:
    zone_seen(None, "Asia/Kolkata")

    assert timezone.get_current_timezone_name() == "UTC"


def test_a_name_can_be_changed(alice: User, bob: User) -> None:
    response = logged_in(alice).post("/account/", {"name": "Alice Liddell", "email": "bob@example.org"})

    alice.refresh_from_db()
    bob.refresh_from_db()
    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert (alice.name, alice.email, bob.name) == ("Alice Liddell", "alice@example.com", "Bob")


def test_a_name_that_is_too_long_changes_nothing(alice: User) -> None:
    response = logged_in(alice).post("/account/", {"name": "x" * 101})

    alice.refresh_from_db()
    assert (response.status_code, alice.name) == (200, "Alice")


def test_logging_out_ends_the_session_and_clears_what_the_browser_has_cached(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.post("/account/logout/")

    assert (response.status_code, response["Location"]) == (302, "/account/login/")
    assert response["Clear-Site-Data"] == '"cache"'
    assert browser.get("/account/").status_code == 302


def test_visiting_the_log_out_page_logs_nobody_out(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.get("/account/logout/")

    assert "Clear-Site-Data" not in response
    assert browser.get("/account/").status_code == 200


@pytest.mark.parametrize(("peer", "name"), [("203.0.113.9", "203.0.113.9"), ("", "0.0.0.0")])  # noqa: S104
def test_rate_limits_know_a_client_by_its_address_or_one_name_for_those_without(peer: str, name: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer)

    assert AccountAdapter(request).get_client_ip(request) == name
