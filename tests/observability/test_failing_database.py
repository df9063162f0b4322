"""Debug pages and error mails hold no secret if the database fails, at any statement."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from post_office.models import Email

from accounts.models import User
from tests.accounts.mail.mails import link_in
from tests.cast import token_text
from tests.github import GitHub, github, key_server
from tests.observability.actions import (
    Action,
    anonymous,
    as_alice,
    bearer_check,
    change_password,
    first_token,
    log_in,
    report_exposed,
    revoke,
    show,
)
from tests.observability.reported import Failure, Watch

__all__ = ["github", "key_server"]
pytestmark = [pytest.mark.matrix, pytest.mark.django_db(transaction=True)]

# Transactions must end, and the many queries of rate limits are alike.
PASSED_OVER = re.compile("SAVEPOINT|accounts_counter|accounts_cachedvalue")
# The normal run breaks each fourth statement, since each takes long.
SAMPLE = 4
ACTIONS = [
    *((action, SAMPLE) for action in (show, revoke, bearer_check, report_exposed)),
    *(
        pytest.param(action, 1, marks=pytest.mark.release)
        for action in (show, revoke, bearer_check, report_exposed, first_token, log_in, change_password)
    ),
]


def fail_at_queries(prepare: Callable[[], Action], watch: Watch, step: int) -> None:
    """Repeat a request. Its first statement fails, then the one `step` later, and so on."""
    for number in range(0, 1000, step):
        cache.clear()
        count = 0

        def break_one(execute: Any, sql: str, *arguments: Any, number: int = number) -> Any:
            nonlocal count
            if not PASSED_OVER.search(sql):
                count += 1
            if count == number + 1:
                count += 1
                raise Failure
            return execute(sql, *arguments)

        action = prepare()
        with connection.execute_wrapper(break_one):
            response = action()
        if count <= number:
            return
        if response.status_code == 500:
            watch.keep(response)
    raise AssertionError("the statements of this request do not end")


@pytest.mark.parametrize(("action", "step"), ACTIONS)
def test_no_report_of_a_failing_database_holds_a_secret(
    alice: User, watch: Watch, action: Callable[[User], Action], step: int
) -> None:
    fail_at_queries(lambda: action(alice), watch, step)

    assert watch.leaks() == []


@pytest.mark.release
def test_no_error_in_a_report_of_github_holds_a_token(alice: User, github: GitHub, watch: Watch) -> None:
    fail_at_queries(lambda: partial(github.report, token_text(alice)), watch, 1)

    assert watch.leaks() == []


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
