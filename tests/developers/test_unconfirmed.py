"""Nothing is said to be done, or not done, while the database has not confirmed which."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client
from post_office.models import STATUS, Email

from accounts.models import User
from accounts.orm.confirmations import NotConfirmed, confirmations
from developers import issuance
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, logged_in, token_text

PAGE = "/developers/api-access-token/"
REVOKE = {"generation": 1, "even_if_used": "on"}
# What the page, the page's script, htmx and a program get if a revoke is not confirmed.
WAYS: dict[str, tuple[str, dict[str, str]]] = {
    "page": (f"{PAGE}revoke/", {}),
    "script": (f"{PAGE}revoke/", {"Accept": "application/json"}),
    "htmx": (f"{PAGE}revoke/", {"HX-Request": "true"}),
    "program": ("/api/v7/token/revoke", {}),
}


@pytest.fixture
def browser(alice: User) -> Client:
    browser = logged_in(alice)
    browser.raise_request_exception = False
    return browser


@contextmanager
def failing(table: str, error: Exception) -> Iterator[None]:
    """Fail where a table is changed."""

    def fail(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(f'UPDATE "{table}"'):
            raise error
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.parametrize("way", WAYS)
def test_a_revoke_that_is_not_confirmed_is_said_to_be_so(browser: Client, alice: User, way: str) -> None:
    path, headers = WAYS[way]
    headers = headers | ({"Authorization": f"Bearer {token_text(alice)}"} if way == "program" else {})

    with failing("developers_apitoken", NotConfirmed("The database has not answered within 10 s.")):
        answer = browser.post(path, REVOKE, headers=headers)

    text = answer.content.decode()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "may or may not take effect" in text
    assert "othing was changed" not in text
    assert way == "program" or answer.headers["Not-Confirmed"]


def test_an_outage_before_the_commit_changes_nothing_and_says_so(browser: Client) -> None:
    with failing("developers_apitoken", OperationalError("The database has not answered within 10 s.")):
        answer = browser.post(f"{PAGE}revoke/", REVOKE)

    assert answer.status_code == 503
    assert "Nothing was changed" in answer.content.decode()
    assert "Not-Confirmed" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/bots/", 200),
        ("HEAD", "/bots/", 200),
        ("GET", "/account/", 200),
        ("POST", "/bots/", 503),
        ("POST", f"{PAGE}revoke/", 503),
        ("POST", "/account/logout/", 503),
        ("GET", "/api/v7/token", 200),
        ("HEAD", "/api/v7/bots", 200),
        ("POST", "/api/v7/bots", 503),
        ("POST", "/api/v7/token/revoke", 503),
        ("POST", "/api/v7/token/report-exposed", 503),
        ("PATCH", "/api/v7/inbox/users/x", 503),
        ("GET", "/readyz", 200),
    ],
)
def test_after_a_commit_in_vain_reads_go_on_and_writes_are_refused_at_once(
    browser: Client, alice: User, method: str, path: str, status: int
) -> None:
    headers = {"Authorization": f"Bearer {token_text(alice)}"}
    confirmations.is_in_doubt = True

    answer = browser.generic(method, path, "{}", content_type="application/json", headers=headers)

    assert answer.status_code == status
    assert status != 503 or "othing was changed" in answer.content.decode()
    assert ApiToken.objects.get(user=alice).generation == 1


@pytest.fixture
def revoked(transactional_db: None, alice: User) -> str:
    """Alice's revoked token, whose revoke may have been committed on the primary alone."""
    old = token_text(alice)
    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)
    vars(confirmations).update(_known=set(), is_in_doubt=True, confirmed_at=None)
    return old


def test_a_page_shows_a_new_token_only_once_its_issue_is_confirmed(revoked: str, browser: Client) -> None:
    answers = [browser.get(path) for path in (PAGE, f"{PAGE}moved/")]
    confirmations.is_in_doubt = False
    confirmed = browser.get(PAGE)

    is_confirmed = connection.vendor == "sqlite"
    assert [answer.status_code for answer in answers] == [200, 302] if is_confirmed else [503, 302]
    assert is_confirmed or "Not confirmed yet" in answers[0].content.decode()
    assert confirmed.status_code == 200


def test_the_api_says_that_a_token_was_revoked_only_once_that_is_confirmed(revoked: str) -> None:
    headers = {"Authorization": f"Bearer {revoked}"}
    early = Client().get("/api/v7/token", headers=headers)
    confirmations.is_in_doubt = False
    late = Client().get("/api/v7/token", headers=headers)

    assert early.status_code == (401 if connection.vendor == "sqlite" else 503)
    assert "was revoked" not in early.content.decode() or connection.vendor == "sqlite"
    assert late.status_code == 401


def test_a_repeated_revoke_says_replaced_only_once_that_is_confirmed(revoked: str, alice: User) -> None:
    confirmations.is_in_doubt = True

    def repeat() -> str:
        try:
            return issuance.revoke(alice, 1, LAPTOP, even_if_used=True).verdict
        except NotConfirmed:
            return "not confirmed"

    early = repeat()
    confirmations.is_in_doubt = False

    assert early == ("already-replaced" if connection.vendor == "sqlite" else "not confirmed")
    assert repeat() == "already-replaced"
    assert RevokedToken.objects.count() == 1


def test_a_mail_about_a_revoke_waits_until_that_is_confirmed(revoked: str) -> None:
    if connection.vendor == "postgresql":
        with pytest.raises(NotConfirmed):
            call_command("mail_worker", once=True)
        assert not sent()
    confirmations.is_in_doubt = False

    call_command("mail_worker", once=True)

    assert sent() == [["alice@example.com"]]


def sent() -> list[list[str]]:
    return [mail.to for mail in Email.objects.filter(status=STATUS.sent)]
