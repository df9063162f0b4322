"""One address is one mailbox: on input, in limits, and when mail is sent."""

import re
from collections.abc import Iterator

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.forms import EmailField
from django.test import Client as Browser
from django.urls import get_resolver
from django.utils import timezone
from post_office.models import STATUS, Email
from pytest_django.fixtures import Settings

from accounts import deletion
from accounts.forms.account import (
    ChangeEmailForm,
    DeleteAccountForm,
    MailboxForm,
    PlainForm,
    ResetPasswordForm,
    SignupForm,
)
from accounts.mail import queue
from accounts.mail.queue import Mail
from accounts.models import User
from developers import issuance
from tests.accounts.samples import sample
from tests.accounts.throttling.visitors import NEW_PASSWORD, addresses, at, log_in
from tests.cast import LAPTOP, PASSWORD, logged_in
from tests.mail_server import MailServer

pytestmark = [pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

VICTIM = "victim@corp.example"
TWO_IN_ONE = f'"x,{VICTIM},"@evil.example'
# Version 0.1.0 accepted each of them.
REFUSED = [
    TWO_IN_ONE,
    f'"x\x0bBcc:{VICTIM}"@evil.example',
    '"x\x0c"@evil.example',
    "x@क्\u200dष.example",
    "ä@evil.example",
    "x@evil\u3000.example",
    "x@[127.0.0.1]",
    "=?utf-8?q?x=2Cvictim=40corp.example=2C?=@evil.example",
    f"{'x' * 300}@evil.example",
    "x\0@evil.example",
]
INVALID = "Enter a valid email address."
# Other reasons.
REASONS = {
    "x@क्\u200dष.example": "The domain contains an invisible joiner.",
    "ä@evil.example": "Before the @, only the letters a to z, digits and signs",
}


@pytest.fixture
def mail_server(settings: Settings) -> Iterator[MailServer]:
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    settings.POST_OFFICE = settings.POST_OFFICE | {"BACKENDS": {"default": smtp}}
    with MailServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def old_account() -> User:
    """An account of version 0.1.0 with an invalid address and a token."""
    user = User.objects.create_user("old@example.com", PASSWORD)
    User.objects.update(email=TWO_IN_ONE)
    EmailAddress.objects.update(email=TWO_IN_ONE)
    user.refresh_from_db()
    issuance.issue(user, LAPTOP)
    return user


def forms(person: User) -> dict[str, tuple[Browser, str, dict[str, str]]]:
    return {
        "sign-up": (Browser(), "/account/signup/", {"password1": NEW_PASSWORD}),
        "reset": (Browser(), "/account/password/reset/", {}),
        "change": (logged_in(person), "/account/email/", {"action_add": ""}),
    }


@pytest.mark.no_cover
@pytest.mark.parametrize("text", sample(REFUSED, {TWO_IN_ONE, *REASONS}), ids=ascii)
@pytest.mark.parametrize("form", ["sign-up", "reset", "change"])
def test_every_form_that_has_mail_sent_refuses_what_is_not_one_mailbox(alice: User, form: str, text: str) -> None:
    browser, path, rest = forms(alice)[form]

    response = browser.post(path, {"email": text, **rest})

    assert response.status_code == 200
    assert REASONS.get(text, INVALID) in response.content.decode()
    assert not Email.objects.exists()
    assert list(User.objects.values_list("email", flat=True)) == [alice.email]


@pytest.mark.parametrize("text", sample(REFUSED, {TWO_IN_ONE, "x@[127.0.0.1]", "x\0@evil.example"}), ids=ascii)
def test_log_in_answers_what_is_not_one_mailbox_like_a_wrong_password_or_a_wrong_form(text: str) -> None:
    response = log_in(Browser(), PASSWORD, text)

    assert response.status_code == 200
    assert not Email.objects.exists()


def test_a_sign_up_is_one_recipient_and_one_mail(mail_server: MailServer) -> None:
    for number, text in enumerate(["New@Example.net", *REFUSED]):
        at(f"192.0.2.{number}").post("/account/signup/", {"email": text, "password1": NEW_PASSWORD})

    call_command("mail_worker", "--once")

    [mail] = mail_server.letters
    assert mail_server.recipients == ["<new@example.net>"]
    assert re.findall(r"^([\w-]+):", mail.partition("\r\n\r\n")[0], re.MULTILINE) == [
        *("Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID"),
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize("spelled", ["x@xn--4ca.example", "X@ä.example", "x@Ä.EXAMPLE", " x@XN--4ca.Example\x0c"])
def test_an_account_is_opened_by_every_spelling_of_its_mailbox(spelled: str) -> None:
    User.objects.create_user("x@ä.example", PASSWORD)

    assert User.objects.get().email == "x@xn--4ca.example"
    assert log_in(Browser(), PASSWORD, spelled).status_code == 302
    assert User.objects.get_by_natural_key(spelled.strip()) == User.objects.get()


@pytest.mark.parametrize("kept", ["x@ä.example", "x@i❤.example", TWO_IN_ONE, "x@[127.0.0.1]"])
def test_an_account_of_version_0_1_0_goes_on_and_is_deleted(kept: str) -> None:
    User.objects.create_user("old@example.com", PASSWORD)
    User.objects.update(email=kept)
    EmailAddress.objects.update(email=kept)
    browser = Browser()

    opened = log_in(browser, PASSWORD, kept.upper().replace("Ä", "ä"))
    queue.put(Mail("Hi", "Ho", ""), kept, "a-letter")
    deleted = browser.post("/account/delete/", {"email": kept})

    assert (opened.status_code, deleted.status_code) == (302, 302)
    sum(deletion.finish_all())
    assert not User.objects.exists()
    # The notice of the deletion.
    assert Email.objects.count() == 1


def test_an_account_kept_with_a_unicode_domain_is_opened_by_its_ascii_spelling() -> None:
    User.objects.create_user("old@example.com", PASSWORD)
    User.objects.update(email="x@ä.example")
    EmailAddress.objects.update(email="x@ä.example")

    response = log_in(Browser(), PASSWORD, "x@xn--4ca.example")

    assert (response.status_code, response["Location"]) == (302, "/")
    assert not Email.objects.exists()


def test_no_account_is_made_twice_for_one_mailbox() -> None:
    User.objects.create_user("x@ä.example", PASSWORD)

    for spelled in ("x@ä.example", "X@XN--4CA.example"):
        Browser().post("/account/signup/", {"email": spelled, "password1": NEW_PASSWORD})

    assert User.objects.count() == 1
    assert set(Email.objects.values_list("subject", flat=True)) == {"You already have a BotPenguin account"}


def test_limits_count_a_mailbox_by_its_one_spelling(clock: list[float]) -> None:
    User.objects.create_user("x@ä.example", PASSWORD)
    spellings = ["x@ä.example", "X@Ä.example", "x@xn--4ca.example", "x@XN--4CA.EXAMPLE", "X@ä.example", "x@Ä.Example"]

    for ip, spelled in zip(addresses(), spellings, strict=False):
        clock[0] += 181
        at(ip).post("/account/signup/", {"email": spelled, "password1": NEW_PASSWORD})
        at(ip).post("/account/password/reset/", {"email": spelled})
    attempts = [log_in(at("192.0.2.1"), "guessed wrongly", spelled) for spelled in spellings]

    assert Email.objects.filter(subject="You already have a BotPenguin account").count() == 3
    assert Email.objects.filter(subject="Choose a new BotPenguin password").count() == 3
    assert [response.status_code for response in attempts] == [200] * 5 + [429]


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_no_account_is_made_by_code_or_command_for_what_is_not_one_mailbox(text: str) -> None:
    reason = REASONS.get(text, INVALID)
    with pytest.raises(ValidationError, match=reason):
        User.objects.create_user(text, PASSWORD)
    with pytest.raises(CommandError, match=reason):
        call_command("create_first_account", "--email", text)
    with pytest.raises(CommandError, match=f"{INVALID}|{reason}|at most 254 characters"):
        call_command("createsuperuser", "--noinput", "--email", text)

    assert not User.objects.exists()


@pytest.mark.parametrize("text", [*REFUSED, "nobody@example.com", "x\udc80@evil.example", ""], ids=ascii)
@pytest.mark.parametrize("command", [("remove_factors",), ("revoke_tokens",)])
def test_a_command_for_somebody_says_that_there_is_no_such_account(command: tuple[str], text: str) -> None:
    with pytest.raises(CommandError):
        call_command(*command, "--user", text)


def test_a_mail_to_an_invalid_address_has_failed_and_its_revoke_holds(
    old_account: User, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = issuance.revoke(old_account, 1, LAPTOP, even_if_used=True)
    warnings = [message for message in caplog.messages if "not sent" in message]
    for _round in range(2):
        call_command("mail_worker", "--once")

    assert outcome.verdict == issuance.Verdict.REPLACED
    assert list(Email.objects.values_list("status", flat=True)) == [STATUS.failed]
    assert mail_server.recipients == []
    assert [ascii(TWO_IN_ONE) in message for message in warnings] == [True]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"to": TWO_IN_ONE},
        {"to": f"x@evil.example, {VICTIM} "[:-1] + "\u202e"},
        {"to": "x@stra\u00dfe.example"},
        {"to": ""},
        {"to": "alice@example.com", "cc": TWO_IN_ONE},
        {"to": "alice@example.com", "bcc": f"Victim <{VICTIM}>"},
        {"to": "alice@example.com", "subject": f"Hi\nBcc: {VICTIM}"},
        {"to": "alice@example.com", "headers": {"Reply-To": f"a\r\nBcc: {VICTIM}"}},
    ],
    ids=ascii,
)
def test_a_mail_that_cannot_be_sent_fails_at_once_and_delays_no_other(
    mail_server: MailServer, caplog: pytest.LogCaptureFixture, spoiled: dict[str, str]
) -> None:
    queue.put(Mail("Spoiled", "Ho", "<p>Ho</p>"), "x@evil.example", "spoiled")
    Email.objects.update(created=timezone.now(), **spoiled)
    queue.put(Mail("Hi", "Ho", ""), "bob@example.org", "good")

    for _round in range(3):
        Email.objects.update(scheduled_time=None)
        call_command("mail_worker", "--once")

    assert mail_server.recipients == ["<bob@example.org>"]
    assert list(Email.objects.order_by("pk").values_list("status", "number_of_retries")) == [
        (STATUS.failed, None),
        (STATUS.sent, None),
    ]
    assert len([message for message in caplog.messages if "is not sent" in message]) == 1
    assert not any(record.exc_info for record in caplog.records)


def test_every_form_with_an_address_has_the_rule_or_sends_no_mail() -> None:
    """Log-in and deletion compare what was typed with an account's address, which may be of version 0.1.0."""
    get_resolver().url_patterns  # noqa: B018 - imports every form
    forms = [
        form
        for form in subclasses(PlainForm)
        if any(isinstance(field, EmailField) for field in form.base_fields.values())
    ]

    assert {form for form in forms if not issubclass(form, MailboxForm)} == {DeleteAccountForm}
    assert {form for form in forms if issubclass(form, MailboxForm)} >= {SignupForm, ResetPasswordForm, ChangeEmailForm}


def subclasses(of: type[PlainForm]) -> Iterator[type[PlainForm]]:
    for form in of.__subclasses__():
        yield form
        yield from subclasses(form)
