"""The migration that writes the addresses of version 0.1.0 in their normal spelling, and the command for the rest."""

from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser
from post_office.models import Email

from accounts.mail import queue
from accounts.mail.queue import Mail
from accounts.models import Deletion, SignUp, User
from accounts.throttling import known_browsers
from botpenguin.platform import usages
from botpenguin.platform.models import Contact, ContactUsage
from tests.accounts.throttling.visitors import log_in
from tests.cast import PASSWORD, logged_in

pytestmark = pytest.mark.django_db


def account(stored: str, *, verified: bool = True) -> User:
    """Make an account as version 0.1.0 stored it."""
    number = User.objects.count()
    user = User.objects.create_user(f"made{number}@example.com", PASSWORD)
    User.objects.filter(pk=user.pk).update(email=stored)
    EmailAddress.objects.filter(user=user).update(email=stored, verified=verified)
    user.refresh_from_db()
    return user


def write_all(app: str, name: str) -> None:
    import_module(f"{app}.migrations.{name}").write_all(apps, connection.schema_editor())


def normalize_accounts() -> None:
    write_all("accounts", "0014_normal_addresses")


def addresses_of(user: User) -> list[Any]:
    user.refresh_from_db()
    return [user.email, *EmailAddress.objects.filter(user=user).order_by("pk").values_list("email", flat=True)]


@pytest.mark.parametrize(
    ("stored", "normal"),
    [
        ("x@ä.example", "x@xn--4ca.example"),
        ("x@a\u0308.example", "x@xn--4ca.example"),
        ("o'brien@sub.münchen.example", "o'brien@sub.xn--mnchen-3ya.example"),
        ("info@почта.рф", "info@xn--80a1acny.xn--p1ai"),
        ("x@例え.example", "x@xn--r8jz45g.example"),
        ("x@اختبار.example", "x@xn--mgbachtv.example"),
        ("X@Example.com", "x@example.com"),
        # Unchanged: normal already, or not the mailbox to which version 0.1.0 sent mail.
        ("asha@example.com", "asha@example.com"),
        ("x@xn--4ca.example", "x@xn--4ca.example"),
        ("x@straße.example", "x@straße.example"),
        ("x@\u2764.example", "x@\u2764.example"),
        ('"x"@ä.example', '"x"@ä.example'),
        ("\u017fam@evil.example", "\u017fam@evil.example"),
    ],
)
def test_an_account_of_before_has_its_normal_address(stored: str, normal: str) -> None:
    user = account(stored)

    normalize_accounts()
    normalize_accounts()

    assert addresses_of(user) == [normal, normal]
    assert log_in(Browser(), PASSWORD, stored).status_code == 302
    assert log_in(Browser(), PASSWORD, normal).status_code == 302


def test_what_waits_goes_along(alice: User, bob: User, queued_mail: None) -> None:
    unconfirmed = account("u@ä.example", verified=False)
    alice.emailaddress_set.create(email="new@ä.example")
    for email in ("bob@ö.example", "bob@xn--nda.example"):
        bob.emailaddress_set.create(email=email)
    SignUp.objects.create(email="s@ä.example", browser="1")
    for email in ("s@ö.example", "s@xn--nda.example"):
        SignUp.objects.create(email=email, browser="2")
    Deletion.objects.create(user_id=7, email="d@ä.example")
    queue.put(Mail("Hi", "Ho", ""), "x@example.com", "a-letter")
    Email.objects.update(to="m@ä.example")
    queue.put(Mail("Hi", "Ho", ""), "x@example.com", "another")
    Email.objects.filter(to="x@example.com").update(to="m@straße.example")

    normalize_accounts()

    assert addresses_of(unconfirmed) == ["u@xn--4ca.example"] * 2
    assert addresses_of(alice)[1:] == ["alice@example.com", "new@xn--4ca.example"]
    # Two requests of one person for one mailbox stay as they are, and so do two sign-ups of one browser.
    assert addresses_of(bob)[1:] == ["bob@example.org", "bob@ö.example", "bob@xn--nda.example"]
    assert set(SignUp.objects.values_list("email", flat=True)) == {
        "s@xn--4ca.example",
        "s@ö.example",
        "s@xn--nda.example",
    }
    assert Deletion.objects.get().email == "d@xn--4ca.example"
    assert [mail.to for mail in Email.objects.order_by("pk")] == [["m@xn--4ca.example"], ["m@straße.example"]]


def test_an_account_loses_its_request_for_the_address_that_it_gets() -> None:
    user = account("x@ä.example")
    user.emailaddress_set.create(email="x@xn--4ca.example")

    normalize_accounts()

    assert addresses_of(user) == ["x@xn--4ca.example"] * 2


def test_of_two_accounts_with_one_mailbox_both_go_on_and_a_command_lists_them() -> None:
    kept, normal = account("x@ä.example"), account("x@xn--4ca.example")
    claimed, lost = account("y@ä.example"), account("ß@straße.example")
    other = account("z@example.com")
    other.emailaddress_set.create(email="y@xn--4ca.example", verified=True)

    normalize_accounts()

    assert [user.email for user in User.objects.order_by("pk")] == [
        *("x@ä.example", "x@xn--4ca.example", "y@ä.example", "ß@straße.example", "z@example.com"),
    ]
    assert [opened(text) for text in ("x@ä.example", "X@XN--4CA.example")] == [kept, normal]
    assert listed() == [
        f"Account {kept.pk}, x@ä.example: account {normal.pk} has x@xn--4ca.example.",
        f"Account {claimed.pk}, y@ä.example: it gets no mail. Give it another address.",
        f"Account {lost.pk}, ß@straße.example: it gets no mail. Give it another address.",
        "Found 3.",
    ]


def opened(typed: str) -> User:
    browser = Browser()
    assert log_in(browser, PASSWORD, typed).status_code == 302
    return User.objects.get(pk=browser.session["_auth_user_id"])


def listed() -> list[str]:
    output = StringIO()
    call_command("list_email_collisions", stdout=output)
    return output.getvalue().splitlines()


def test_contacts_of_before_have_their_normal_emails(alice: User, bob: User) -> None:
    emails = [
        "x@ä.example",
        "a..b@straße.example",
        "y@ä.example",
        "y@xn--4ca.example",
        "ß@x.example",
        "x\u200b@x.example",
    ]
    mine = [Contact.objects.create(owner=alice, name="Asha", email=email) for email in emails]
    other = Contact.objects.create(owner=bob, email="y@ä.example")
    for owner in (alice, bob):
        ContactUsage.objects.create(owner=owner, **usages.count(owner.pk))

    for _round in range(2):
        write_all("botpenguin.platform", "0010_normal_emails")

    assert [Contact.objects.get(pk=contact.pk).email for contact in mine] == [
        *("x@xn--4ca.example", "a..b@xn--strae-oqa.example", "y@ä.example", "y@xn--4ca.example"),
        *("ß@x.example", "x@x.example"),
    ]
    assert Contact.objects.get(pk=other.pk).searched == "y@xn--4ca.example\ny@ä.example"
    assert {usage.owner_id: (usage.contacts, usage.size) for usage in ContactUsage.objects.all()} == {
        owner.pk: tuple(usages.count(owner.pk).values()) for owner in (alice, bob)
    }
    assert sorted(listed()) == sorted(
        [
            f"Contact {mine[2].pk} of account {alice.pk}, y@ä.example: contact {mine[3].pk} has y@xn--4ca.example.",
            f"Contact {mine[4].pk} of account {alice.pk}, ß@x.example: it is no address.",
            "Found 2.",
        ]
    )


def test_the_command_prints_an_email_on_one_line(alice: User) -> None:
    Contact.objects.create(owner=alice, email="ß\n\u202e@x.example")

    assert listed()[0].endswith(r"'\xdf\n\u202e@x.example': it is no address.")


def test_a_browser_stays_known_and_a_session_open() -> None:
    user = account("x@ä.example")
    browser = logged_in(user)

    normalize_accounts()

    page = browser.get("/account/")
    assert page.status_code == 200
    assert "x@ä.example" in page.content.decode()
    assert known_browsers.COOKIE


def test_migrating_back_writes_domains_as_people_typed_them(alice: User) -> None:
    typed = ["x@ä.example", "x@xn--ls8h.example", "x@xn--strae-oqa.example", "y@ö.example", "y@xn--nda.example"]
    users = [account(text) for text in typed]
    normalize_accounts()

    import_module("accounts.migrations.0014_normal_addresses").write_back(apps, connection.schema_editor())

    assert [addresses_of(user)[0] for user in [*users, alice]] == [*typed, alice.email]
