"""Events beyond the limit are counted, not listed, so that a flood neither fills the table nor hides others."""

import csv
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F, Sum
from django.utils import timezone
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts import deletion, security_log
from accounts.events import EventCount, SecurityEvent
from accounts.models import User
from accounts.web.clients import Client
from developers import issuance, usage
from developers.issuance import Verdict
from developers.models import ApiToken, RevokedToken
from tests.accounts.views.test_security_log import FILE, LOG, rows_on
from tests.cast import LAPTOP, PHONE, account_events, logged_in, token_events
from tests.test_races import at_once

Detail, Kind = SecurityEvent.Detail, SecurityEvent.Kind
MOST = 3
ELSEWHERE = Client("198.51.100.24", "n8n/1.0")
DEVELOPERS = "/developers/api-access-token/"


@pytest.fixture(autouse=True)
def few_an_hour(settings: Settings) -> None:
    settings.EVENTS_AN_HOUR = MOST


def record_events(
    owner: User, times: int, client: Client = LAPTOP, kind: Any = Kind.CONFIRMED, detail: str = ""
) -> None:
    for _ in range(times):
        security_log.record(kind, owner, client, detail)


def listed(owner: User, kind: Any = Kind.CONFIRMED) -> int:
    return SecurityEvent.objects.filter(user=owner, kind=kind).count()


def test_events_beyond_the_limit_are_counted_with_the_time_and_client_of_the_last(alice: User) -> None:
    record_events(alice, MOST + 23)
    before = timezone.now()
    record_events(alice, 1, Client(LAPTOP.ip, "curl/8.5.0"))

    counted = EventCount.objects.get()
    assert listed(alice) == MOST
    assert (counted.user, counted.kind, counted.detail, counted.count) == (alice, Kind.CONFIRMED, "", 24)
    assert (counted.ip, counted.client) == (LAPTOP.ip, "curl/8.5.0")
    assert counted.at >= before
    assert str(counted) == "24 more of confirmed"


@pytest.mark.no_cover
def test_the_page_and_the_file_say_how_many_more(alice: User) -> None:
    record_events(alice, MOST + 24, kind=Kind.LOGGED_IN, detail=Detail.PASSKEY)
    record_events(alice, MOST + 1, kind=Kind.SESSION_ENDED)
    browser = logged_in(alice)

    page, file = browser.get(LOG), browser.get(FILE).content.decode()
    filtered = browser.get(LOG, {"kind": "api-token"})

    on_page = [row for row in rows_on(page) if "more" in row]
    assert [row.partition(" more")[0] for row in on_page] == [
        "Logged out another browser and 1",
        "Logged in Passkey, and 24",
    ]
    assert [line[1:3] for line in csv.reader(StringIO(file)) if "more" in line[2]] == [
        ["Logged out another browser", "and 1 more"],
        ["Logged in", "Passkey, and 24 more"],
    ]
    assert f"Lists at most {MOST} events of one kind an hour from one network" in page.content.decode()
    assert "more" not in str(rows_on(filtered))


@pytest.mark.parametrize(
    ("detail", "shown"),
    [("", "and 2 more"), ("api", "Through the API, and 2 more"), ("exposed", "Reported as exposed, and 2 more")],
)
def test_counts_of_the_token_have_their_words(detail: str, shown: str) -> None:
    counted = EventCount(kind=Kind.TOKEN_REVOKED, detail=detail, count=2)

    assert (counted.get_kind_display(), counted.detail_and_count) == ("API token revoked", shown)


def test_every_count_is_on_one_page_at_its_time(alice: User) -> None:
    browser = logged_in(alice)
    SecurityEvent.objects.all().delete()
    start = timezone.now() - timedelta(days=1)
    for number in range(120):
        SecurityEvent.objects.create(user=alice, kind=Kind.CONFIRMED, at=start + timedelta(minutes=number))
    # Before and after all events, at the last event of a page and the first of the next, and between them.
    for number, minutes in enumerate([-1, 19, 19.5, 20, 69, 69.5, 70, 119, 120]):
        at = start + timedelta(minutes=minutes)
        EventCount.objects.create(user=alice, kind=Kind.CONFIRMED, hour=start + timedelta(number), at=at, count=1)

    pages = [browser.get(f"{LOG}?kind=signing-in&page={number}").context["events"] for number in (1, 2, 3)]

    times = [event.at for page in pages for _, event in page]
    counts = [sum(event.count for _, event in page) for page in pages]
    assert (len(times), times) == (129, sorted(times, reverse=True))
    assert (sum(counts), counts) == (9, [4, 3, 2])


def test_a_flood_from_one_network_hides_no_event_from_another(alice: User, bob: User) -> None:
    record_events(alice, MOST + 4)
    record_events(alice, 1, ELSEWHERE)
    record_events(bob, 1)

    assert SecurityEvent.objects.filter(user=alice, ip=ELSEWHERE.ip).count() == 1
    assert (listed(alice), listed(bob)) == (MOST + 1, 1)


def test_twice_as_many_are_listed_of_all_networks(alice: User) -> None:
    for number in range(10):
        record_events(alice, 1, Client(f"192.0.2.{number}", ""))

    assert (listed(alice), EventCount.objects.get().count) == (2 * MOST, 10 - 2 * MOST)


def test_the_addresses_of_a_connection_are_one_network(alice: User) -> None:
    for number in range(MOST + 2):
        record_events(alice, 1, Client(f"2001:db8::{number}", ""))
    record_events(alice, 1, Client("2001:db8:0:1::1", ""))
    record_events(alice, 1, Client(None, ""))

    assert (listed(alice), EventCount.objects.get().count) == (MOST + 2, 2)


@pytest.mark.no_cover
@pytest.mark.parametrize("kind", sorted({*Kind} - {*security_log.TOKEN_KINDS}))
def test_a_flood_of_a_kind_hides_no_other_kind_and_no_other_detail(alice: User, kind: Any) -> None:
    others = [other for other in Kind if other not in (kind, *security_log.TOKEN_KINDS)]
    record_events(alice, MOST + 2, kind=kind, detail=Detail.PASSWORD)

    for other in others:
        record_events(alice, 1, kind=other)
    record_events(alice, 1, kind=kind, detail=Detail.PASSKEY)

    assert account_events().filter(user=alice).count() == MOST + len(others) + 1
    assert EventCount.objects.get().count == 2


def test_an_hour_later_events_are_listed_again(alice: User) -> None:
    record_events(alice, MOST + 2)
    SecurityEvent._base_manager.update(at=F("at") - timedelta(hours=1))
    EventCount.objects.update(at=F("at") - timedelta(hours=1), hour=F("hour") - timedelta(hours=1))

    record_events(alice, MOST + 5)

    assert listed(alice) == 2 * MOST
    assert list(EventCount.objects.order_by("hour").values_list("count", flat=True)) == [2, 5]


# The token


@pytest.mark.no_cover
@pytest.mark.parametrize("name", ["show", "copy"])
def test_showing_and_copying_over_and_over_is_counted(alice: User, name: str) -> None:
    browser = logged_in(alice)

    answers = [browser.post(f"{DEVELOPERS}{name}/").status_code for _ in range(MOST + 2)]

    assert answers == [200] * (MOST + 2)
    assert token_events().exclude(kind=Kind.TOKEN_ISSUED).count() == MOST
    assert EventCount.objects.get().count == 2


def test_the_token_page_says_how_many_more(alice: User) -> None:
    browser = logged_in(alice)
    for _ in range(MOST + 2):
        browser.post(f"{DEVELOPERS}copy/")

    page = browser.get(DEVELOPERS)

    assert [re.match(r"(\w+)( and 2 more)?", row)[0] for row in rows_on(page)] == [  # type: ignore[index]
        *("Shown and 2 more", "Shown", "Shown", "Shown", "Issued")
    ]


def revoke(owner: User, client: Client, reason: Any = RevokedToken.Reason.OWNER) -> Verdict:
    generation = ApiToken.objects.get(user=owner).generation
    return issuance.revoke(owner, generation, client, even_if_used=True, reason=reason).verdict


@pytest.mark.usefixtures("queued_mail")
def test_revoking_over_and_over_is_never_refused_and_hides_no_report(alice: User) -> None:
    verdicts = {revoke(alice, LAPTOP) for _ in range(MOST + 4)}
    revoke(alice, PHONE, RevokedToken.Reason.EXPOSED)

    revoked = token_events().filter(kind=Kind.TOKEN_REVOKED)
    assert verdicts == {Verdict.REPLACED}
    assert [revoked.filter(detail=note).count() for note in ("", "exposed")] == [MOST, 1]
    assert dict(EventCount.objects.values_list("kind", "count")) == {Kind.TOKEN_REVOKED: 4, Kind.TOKEN_ISSUED: 5}


@pytest.mark.usefixtures("queued_mail")
def test_a_refused_token_is_counted_once_where_it_is_both_listed_and_mailed(alice: User) -> None:
    for number in range(MOST + 2):
        revoked = issuance.revoke(alice, number + 1, LAPTOP, even_if_used=True).revoked
        assert revoked is not None
        RevokedToken.objects.update(revoked_at=timezone.now() - timedelta(hours=2))
        usage.record_refusals(revoked.pk, 1, PHONE)

    counted = EventCount.objects.get(kind=Kind.TOKEN_REFUSED)
    mails = Email.objects.filter(subject__contains="still in use").order_by("pk")
    names = list(mails.values_list("message_id", flat=True))
    assert (token_events().filter(kind=Kind.TOKEN_REFUSED).count(), counted.count) == (MOST, 2)
    assert names[MOST:] == [f"<counted-event.{counted.pk}.{number}@app.example.com>" for number in (1, 2)]


# Mail


@pytest.mark.no_cover
@pytest.mark.usefixtures("queued_mail")
@pytest.mark.parametrize(
    ("subject", "repeat"),
    [
        ("Your password was changed", lambda owner: record_events(owner, 1, kind=Kind.PASSWORD_CHANGED)),
        ("A passkey was added", lambda owner: record_events(owner, 1, kind=Kind.FACTOR_ADDED, detail=Detail.PASSKEY)),
        ("Your API access token was revoked", lambda owner: revoke(owner, LAPTOP)),
    ],
)
def test_counted_events_are_in_the_number_of_the_summary(
    alice: User, subject: str, repeat: Callable[[User], Any]
) -> None:
    for _ in range(8):
        repeat(alice)

    *single, collecting = Email.objects.filter(subject=subject).order_by("pk")
    assert len(single) == 5
    assert "This happened 3 more times within an hour" in collecting.message


@pytest.mark.no_cover
@pytest.mark.usefixtures("queued_mail")
def test_tokens_that_are_still_in_use_fill_no_mailbox(alice: User) -> None:
    for number in range(8):
        revoked = issuance.revoke(alice, number + 1, LAPTOP, even_if_used=True).revoked
        assert revoked is not None
        RevokedToken.objects.update(revoked_at=timezone.now() - timedelta(hours=2))
        usage.record_refusals(revoked.pk, 1, PHONE)

    *single, collecting = Email.objects.filter(subject="A revoked API token is still in use").order_by("pk")
    assert len(single) == 5
    assert "This happened 3 more times within an hour" in collecting.message


# Rows


@pytest.mark.django_db(transaction=True)
def test_events_at_once_are_all_listed_or_counted(alice: User) -> None:
    record_events(alice, MOST)

    at_once(6, lambda: record_events(alice, 5))

    assert listed(alice) == MOST
    assert EventCount.objects.aggregate(count=Sum("count")) == {"count": 30}


def test_counts_are_pruned_with_events_and_go_with_their_account(alice: User, bob: User) -> None:
    for owner in (alice, bob):
        record_events(owner, MOST + 1)
    EventCount.objects.filter(user=alice).update(at=timezone.now() - timedelta(days=401))

    call_command("prune_events", stdout=StringIO())
    owners = [counted.user for counted in EventCount.objects.all()]
    logged_in(bob).post("/account/delete/", {"email": bob.email})
    for _ in deletion.finish_all():
        pass

    assert owners == [bob]
    assert not EventCount.objects.exists()
