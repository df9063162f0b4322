"""Accounts made by command."""

import re
from io import StringIO
from threading import Barrier, Thread

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from accounts import email_changes
from accounts.models import Session, User
from tests.cast import logged_in


def create_first_account(*arguments: str) -> str:
    output = StringIO()
    call_command("create_first_account", *arguments, stdout=output)
    return output.getvalue()


def password_in(output: str, email: str) -> str:
    match = re.fullmatch(
        rf"The first account: {email} with the password ([\w-]{{20}})\n"
        r"The password is shown only now\. Write it down, or change it under My Account\.\n",
        output,
    )
    assert match, output
    return match[1]


@pytest.mark.django_db
def test_the_first_account_logs_in_with_the_password_that_was_printed(client: Client) -> None:
    password = password_in(create_first_account(), "owner@example.com")

    answer = client.post("/account/login/", {"login": "owner@example.com", "password": password})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


@pytest.mark.django_db
def test_the_first_account_may_do_everything_and_its_address_is_verified() -> None:
    create_first_account("--email", "chief@example.com")

    chief = User.objects.get()
    assert (chief.email, chief.is_superuser, chief.is_staff, chief.is_active) == ("chief@example.com", True, True, True)
    assert list(chief.emailaddress_set.values_list("email", "verified", "primary")) == [
        ("chief@example.com", True, True)
    ]


@pytest.mark.django_db
def test_where_there_is_an_account_no_other_is_made_and_nothing_is_said() -> None:
    User.objects.create_user("alice@example.com")

    output = create_first_account()

    assert output == ""
    assert [str(user) for user in User.objects.all()] == ["alice@example.com"]


@pytest.mark.django_db
def test_a_command_that_looked_too_early_leaves_the_account_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """On PostgreSQL two first starts can read at the same time; then the unique address decides."""
    User.objects.create_user("owner@example.com", "correct horse battery")
    monkeypatch.setattr(QuerySet, "exists", lambda self: False)

    output = create_first_account()

    assert output == ""
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.django_db(transaction=True)
def test_of_two_first_starts_at_once_one_makes_the_account() -> None:
    together, outputs = Barrier(2), []

    def start() -> None:
        together.wait()
        outputs.append(create_first_account())
        connection.close()

    starts = [Thread(target=start) for _ in range(2)]
    for thread in starts:
        thread.start()
    for thread in starts:
        thread.join()

    silent, output = sorted(outputs)
    assert silent == ""
    assert User.objects.get().check_password(password_in(output, "owner@example.com"))


@pytest.mark.django_db
def test_a_superuser_made_by_command_logs_in_at_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")

    call_command("createsuperuser", "--noinput", stdout=StringIO())

    answer = client.post("/account/login/", {"login": "root@example.com", "password": "correct horse battery"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_a_password_that_an_operator_chooses_logs_out_everywhere_and_cancels_a_change_of_email(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in (alice, bob):
        logged_in(person).post("/account/email/", {"email": "new@example.net", "action_add": ""})
    monkeypatch.setattr("getpass.getpass", lambda prompt: "another good passphrase")

    call_command("changepassword", "alice@example.com", stdout=StringIO())

    alice.refresh_from_db()
    assert alice.check_password("another good passphrase")
    assert [session.user for session in Session.objects.exclude(user=None)] == [bob]
    assert [address.user for address in email_changes.waiting()] == [bob]
