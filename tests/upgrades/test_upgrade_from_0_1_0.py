"""Tokens, calls, contacts and mails of release 0.1.0 work in a database that is brought up to date.

README.md says what is in it.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from post_office.models import STATUS, Email
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform import usages
from botpenguin.platform.models import Bot, Contact, ContactUsage, Segment
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from tests.developers.outbound.servers import response, serving
from tests.platform.calls import Caller
from tests.upgrades.browsers import ALICE, BOB, DAVE, visiting, words_on
from tests.upgrades.databases import KEPT

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("upgraded"),
    # A process makes the database once.
    pytest.mark.xdist_group("upgrades"),
]

TOKEN_PAGE = "/developers/api-access-token/"
REVOKED = "This API access token was revoked at %sZ. Copy the current one from the Developers page."
REVOKED_AT = {
    "owner": "2026-11-24T11:40",
    "unreadable": "2026-11-24T11:41",
    "api": "2026-11-24T11:42",
    "exposed": "2026-11-24T11:43",
    "password": "2026-11-24T11:44",
    "operator": "2026-11-24T11:46",
    "restored": "2026-11-24T11:47",
    "owner, later": "2026-11-26T11:50",
}
SECRET = "sk-9f8e7d6c5b4a"


def refusal(token: str) -> tuple[int, str]:
    answer = Caller(token).send("GET", "/token")
    # Seconds do not matter here.
    return answer.status_code, re.sub(r":\d\d\.\d+Z", "Z", answer.json()["message"])


def test_the_project_finds_no_problem_and_no_migration_left() -> None:
    call_command("check", databases=["default"])
    call_command("migrate", check_unapplied=True, verbosity=0)
    assert "shared_cache" not in connection.introspection.table_names()


def test_tokens_are_shown_and_open_the_api() -> None:
    page = visiting(BOB).post(f"{TOKEN_PAGE}show/")

    assert KEPT["tokens"][BOB] in page.content.decode()
    assert {email: Caller(KEPT["tokens"][email]).data("GET", "/token")["email"] for email in (ALICE, BOB, DAVE)} == {
        email: email for email in (ALICE, BOB, DAVE)
    }


def test_revoked_tokens_are_refused_with_the_time_of_the_revoke() -> None:
    shown = {reason: refusal(token) for reason, token in KEPT["revoked"].items()}

    assert shown == {reason: (401, REVOKED % at) for reason, at in REVOKED_AT.items()}


def test_the_token_of_a_disabled_account_is_refused_as_such() -> None:
    assert refusal(KEPT["tokens"]["erin@example.com"]) == (401, "The account of this API access token is disabled.")


def test_the_token_page_says_which_revoked_tokens_are_still_in_use() -> None:
    page = words_on(visiting(ALICE).get(TOKEN_PAGE)).replace("\xa0", " ")

    hints = [token[-4:] for reason, token in KEPT["revoked"].items() if reason in ("owner", "exposed", "restored")]
    assert sorted(re.findall(r"The token ending (\w{4}) , revoked on 24 Nov,", page)) == sorted(hints)
    assert "was refused at least 41 times" in page


@pytest.mark.parametrize("key", ["old", "new"])
def test_sealed_calls_open_and_run(key: str, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    api = OutboundApi.objects.get(pk=KEPT["apis"][key])
    recipe = api.recipe()
    with serving(response(b'{"weather": {"temperature": 19}}', "Content-Type: application/json")) as server:
        api.keep(replace(recipe, url=f"{server.url}/cities/{{{{city}}}}"))

        ran = Caller(KEPT["tokens"][ALICE]).data(
            "POST", f"/third-party-apis/{api.pk}/run", {"attributes": {"city": "Bonn"}}
        )

    assert recipe == Recipe(
        "POST",
        f"{KEPT['called']}/cities/{{{{city}}}}",
        parameters=(RecipeField("units", "metric"), RecipeField("signed", SECRET, is_secret=True)),
        headers=(RecipeField("Authorization", f"Bearer {SECRET}", is_secret=True), RecipeField("X-Trace", "on")),
        body='{"name": "{{city}}"}',
        body_is_secret=True,
        mappings=(AttributeMapping("weather.temperature", "temperature"),),
    )
    assert ran["attributes"] == {"temperature": 19}


def test_logs_of_calls_are_read_as_before() -> None:
    alice = visiting(ALICE)

    pages = [alice.get(f"/developers/third-party-apps-api/logs/{log.pk}/") for log in ApiLog.objects.all()]

    assert [page.status_code for page in pages] == [200, 200]
    assert [("temperature" in page.content.decode(), SECRET in page.content.decode()) for page in pages] == [
        (True, False),
        (True, False),
    ]


def test_contacts_are_whole() -> None:
    alice = Caller(KEPT["tokens"][ALICE])
    ids = KEPT["contacts"]["imported"]

    anna, elodie, nameless = (_summary(alice.data("GET", f"/inbox/users/{pk}")) for pk in ids)
    large = Contact.objects.get(pk=KEPT["contacts"]["large"])

    assert anna == ("Anna Müller", "anna@example.com", "447700900123", "United Kingdom", ["lead", "vip"], {})
    attributes = {"plan": "Team", "orders": 3, "is new": True}
    assert elodie == ("Élodie", "elodie@example.org", "", "France", ["lead"], attributes)
    assert nameless == ("", "only@example.net", "", "", [], {})
    assert (large.attributes, large.notes) == ({f"text {n}": "é" * 500 for n in range(100)}, ["kept whole"])
    assert set(large.tags.values_list("name", flat=True)) == {f"tag {n}" for n in range(50)}
    assert (large.is_large, Contact.objects.filter(is_large=True).count()) == (True, 1)


def _summary(contact: Mapping[str, Any]) -> tuple[Any, ...]:
    details = contact["profile"]["userDetails"]
    attributes = {one["key"]: one["value"] for one in details["attributes"]}
    reach = details["contact"]
    number = reach["phone"]["prefix"] + reach["phone"]["number"]
    return details["name"], reach["email"], number, details["country"], details["tags"], attributes


def test_what_accounts_hold_is_counted() -> None:
    counted = {
        usage.owner.email: {"contacts": usage.contacts, "size": usage.size}
        for usage in ContactUsage.objects.select_related("owner")
    }

    people = User.objects.filter(email__in=[ALICE, BOB])
    assert counted == {person.email: usages.count(person.pk) for person in people}
    assert {email: usage["contacts"] for email, usage in counted.items()} == {ALICE: 4, BOB: 1}
    assert counted[ALICE]["size"] > 100_000


def test_what_an_account_holds_stays_counted_as_its_contacts_change() -> None:
    alice = User.objects.get(email=ALICE)
    path = f"/inbox/users/{KEPT['contacts']['large']}/attributes"

    Caller(KEPT["tokens"][ALICE]).data("PUT", path, {"text 0": None})

    usage = ContactUsage.objects.get(owner=alice)
    assert {"contacts": usage.contacts, "size": usage.size} == usages.count(alice.pk)


def test_bots_and_segments_are_listed() -> None:
    alice = Caller(KEPT["tokens"][ALICE])

    bots = {bot["name"] for bot in alice.data("GET", "/bots")}
    segments = [segment["segmentName"] for segment in alice.data("GET", "/inbox/segments")]

    assert (bots, segments) == ({"Shop assistant", "Night desk"}, ["VIP"])
    assert list(Bot.objects.order_by("name").values_list("name", Count("contacts"))) == [
        ("Bob's", 0),
        ("Night desk", 1),
        ("Shop assistant", 3),
    ]
    assert Segment.objects.get().tags == ["vip", "tag 7"]


def test_waiting_mails_are_sent_by_their_message_ids(settings: Settings) -> None:
    settings.POST_OFFICE = settings.POST_OFFICE | {
        "BACKENDS": {"default": "django.core.mail.backends.locmem.EmailBackend"}
    }

    call_command("mail_worker", "--once")

    sent = [[message.to, message.subject, message.extra_headers["Message-ID"]] for message in mail.outbox]
    assert sorted(sent) == sorted(KEPT["mails"])
    assert not Email.objects.filter(status=STATUS.queued).exists()


def test_a_new_event_has_a_new_message_id() -> None:
    before = {message_id for *_, message_id in KEPT["mails"]}
    generation = len(KEPT["revoked"]) + 1

    visiting(ALICE).post(f"{TOKEN_PAGE}revoke/", {"generation": generation, "even_if_used": "true"})

    new = Email.objects.latest("pk")
    assert (new.to, new.subject) == ([ALICE], "Your API access token was revoked")
    assert new.message_id not in before
    assert refusal(KEPT["tokens"][ALICE])[0] == 401
