"""Mails about tokens: one an event, few in a day, and a failure never stops a revoke."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from post_office.models import Email

from accounts.models import User
from accounts.security_log import Kind
from accounts.web.clients import Client
from developers import issuance, usage
from developers.issuance import Verdict
from developers.models import ProgramLabel, RevokedToken
from tests.cast import LAPTOP, PHONE, token_events, token_text
from tests.developers.uses import add_use

pytestmark = [pytest.mark.matrix, pytest.mark.django_db]


def test_revoking_queues_one_mail_to_the_owner_without_any_token(alice: User) -> None:
    before = token_text(alice)

    issuance.revoke(alice, 1, PHONE, even_if_used=False)

    mail = Email.objects.get()
    assert mail.to == ["alice@example.com"]
    assert mail.subject == "Your API access token was revoked"
    for body in (mail.message, mail.html_message):
        assert f"token ending {before[-4:]} was revoked" in " ".join(re.sub("<[^>]+>", "", body).split())
        assert "https://app.example.com/developers/api-access-token/" in body
        assert before[:-4] not in body
        assert token_text(alice)[:-4] not in body


def test_a_revoke_and_its_mail_hold_where_the_mail_cannot_be_drawn(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure of mail must not keep a leaked token valid, nor lose the notice to its owner."""
    before = token_text(alice)
    alice.time_zone = "Nowhere/Land"

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=False)

    mail, event = Email.objects.get(), token_events().get(kind=Kind.TOKEN_REVOKED)
    assert outcome.verdict is Verdict.REPLACED
    assert token_text(alice) != before
    assert mail.message_id == f"<security-event.{event.pk}@app.example.com>"
    assert mail.message == (
        "Your API access token was revoked.\n\nWhat happened, when and from where:\n"
        "https://app.example.com/account/security/log/\n"
    )
    assert caplog.messages == [
        f"The mail 'Your API access token was revoked' to user {alice.pk} goes out without its details."
    ]


def test_a_revoke_and_its_mail_hold_where_the_address_is_none(alice: User) -> None:
    alice.email = "no address at all"

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert outcome.verdict is Verdict.REPLACED
    assert Email.objects.get().to == ["no address at all"]


@pytest.mark.parametrize("name", ["{%debug%}/1", "{{x}}/1", "{%include'429.html'%}"])
def test_the_name_of_a_program_is_never_run_as_a_template(alice: User, name: str) -> None:
    issuance.revoke(alice, 1, Client("203.0.113.9", name), even_if_used=False)

    mail = Email.objects.get()
    assert "203.0.113.9" in mail.message
    assert "By:" not in mail.message


def still_in_use(user: User, *, revoked_ago: timedelta) -> RevokedToken:
    revoked = issuance.revoke(user, 1, LAPTOP, even_if_used=True).revoked
    assert revoked is not None
    RevokedToken.objects.update(revoked_at=timezone.now() - revoked_ago)
    Email.objects.all().delete()
    return revoked


def test_the_first_hour_after_a_revoke_brings_no_mail_of_its_use(alice: User) -> None:
    revoked = still_in_use(alice, revoked_ago=timedelta(minutes=59))

    usage.record_refusals(revoked.pk, 5, PHONE)

    assert Email.objects.count() == 0


def test_a_revoked_token_in_use_is_mailed_once_a_day(alice: User, bob: User) -> None:
    revoked = still_in_use(alice, revoked_ago=timedelta(minutes=61))

    for _time in range(3):
        usage.record_refusals(revoked.pk, 5, PHONE)
    today = Email.objects.get()
    RevokedToken.objects.update(owner_told_at=timezone.now() - timedelta(hours=23, minutes=59))
    usage.record_refusals(revoked.pk, 5, PHONE)
    within_a_day = Email.objects.count()
    yesterday = timezone.now() - timedelta(days=1, seconds=1)
    RevokedToken.objects.update(owner_told_at=yesterday, refusal_reported_on=yesterday.date())
    usage.record_refusals(revoked.pk, 5, PHONE)

    events = token_events().filter(kind=Kind.TOKEN_REFUSED).order_by("pk")
    assert within_a_day == 1
    assert [mail.message_id for mail in Email.objects.order_by("pk")] == [
        f"<security-event.{event.pk}@app.example.com>" for event in events
    ]
    assert (today.to, today.subject) == (["alice@example.com"], "A revoked API token is still in use")
    for body in (today.message, " ".join(re.sub("<[^>]+>", "", today.html_message).split())):
        assert f"ending {revoked.hint}, which was revoked" in body
        assert "refused at least 5 times" in body
        assert "2001:db8::7" in body
        assert "curl 8.5" in body
        assert "at most once a day" in body
        assert token_text(alice)[:-4] not in body


def test_a_mail_of_use_names_the_programs_that_send_the_token(alice: User, bob: User) -> None:
    revoked = still_in_use(alice, revoked_ago=timedelta(minutes=61))
    named = ["n8n", "CRM sync", "curl", "python-requests", "Zapier"]
    for place, name in enumerate([*named, "Make", "visit evil.example", "<b>"]):
        add_use(alice, name, refused=1, ago=timedelta(seconds=place))
    add_use(alice, "accepted")
    add_use(bob, "other", refused=1)

    usage.record_refusals(revoked.pk, 5, PHONE)

    mail = Email.objects.get()
    assert "Programs: n8n, CRM sync, curl, python-requests, Zapier and others\n" in mail.message
    assert "n8n, CRM sync, curl, python-requests, Zapier and others</td>" in mail.html_message
    assert "evil" not in mail.message + mail.html_message


@pytest.mark.parametrize(
    ("label", "named"),
    [
        ("Nightly export", "Nightly export"),
        ("evil.example", "python-requests"),
        ("https://evil.example", "python-requests"),
        ("Your account is closed. Call us", "python-requests"),
        ("a\nBcc: x@evil.example", "python-requests"),
        ("<b>CRM</b>", "python-requests"),
        ("=1+1", "python-requests"),
        ("\u202egnp.exe", "python-requests"),
        ("مزامنة", "python-requests"),
    ],
)
def test_a_mail_of_use_calls_a_program_by_its_label(alice: User, bob: User, label: str, named: str) -> None:
    revoked = still_in_use(alice, revoked_ago=timedelta(minutes=61))
    add_use(alice, "python-requests", refused=1)
    ProgramLabel.objects.create(user=alice, program="python-requests", label=label)
    ProgramLabel.objects.create(user=bob, program="python-requests", label="His")

    usage.record_refusals(revoked.pk, 5, PHONE)

    mail = Email.objects.get()
    assert f"Programs: {named}\n" in mail.message
    assert f">{named}</td>" in mail.html_message


def test_a_mail_of_use_finds_an_event_even_where_it_was_pruned(alice: User) -> None:
    revoked = still_in_use(alice, revoked_ago=timedelta(minutes=61))
    RevokedToken.objects.update(refusal_reported_on=timezone.now().date())

    usage.record_refusals(revoked.pk, 1, PHONE)

    event = token_events().get(kind=Kind.TOKEN_REFUSED)
    assert Email.objects.get().message_id == f"<security-event.{event.pk}@app.example.com>"


def test_revoking_over_and_over_fills_no_mailbox_and_is_never_held_up(alice: User) -> None:
    for generation in range(1, 13):
        assert issuance.revoke(alice, generation, PHONE, even_if_used=True).verdict is Verdict.REPLACED

    *single, collecting = Email.objects.order_by("pk")
    assert [mail.scheduled_time for mail in single] == [None] * 5
    assert collecting.scheduled_time is not None
    assert collecting.scheduled_time - collecting.created > timedelta(minutes=59)
    assert "This happened 7 more times within an hour, first today at" in collecting.message
    assert "This happened 7 more times" in collecting.html_message
    assert "https://app.example.com/account/security/log/" in collecting.message


def test_a_letter_about_to_be_sent_takes_in_no_more(alice: User) -> None:
    for generation in range(1, 7):
        issuance.revoke(alice, generation, PHONE, even_if_used=True)
    Email.objects.filter(scheduled_time__isnull=False).update(scheduled_time=timezone.now() + timedelta(seconds=50))

    issuance.revoke(alice, 7, PHONE, even_if_used=True)

    assert [mail.context["count"] for mail in Email.objects.order_by("pk")] == [1] * 7


def test_a_report_is_mailed_at_once_however_many_revokes_there_were(alice: User) -> None:
    for generation in range(1, 13):
        issuance.revoke(alice, generation, PHONE, even_if_used=True)

    issuance.revoke(alice, 13, PHONE, even_if_used=True, reason=RevokedToken.Reason.EXPOSED)

    mail = Email.objects.latest("pk")
    assert (mail.subject, mail.scheduled_time) == ("Your API access token was reported as exposed", None)
