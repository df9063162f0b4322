"""Listing contacts, and the segments that they are in."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from botpenguin.platform.api.envelope import timestamp
from botpenguin.platform.api.filters import ContactFilter
from botpenguin.platform.models import Bot, Contact, Segment
from tests.platform.calls import NOBODY, NOON, Caller, contact_of, names

pytestmark = pytest.mark.matrix

DAY = timedelta(days=1)


def test_a_contact_carries_every_key(as_alice: Caller, alice: User, asha: Contact) -> None:
    (shown,) = as_alice.data("POST", "/inbox/users", {})

    assert shown == {
        "_id": asha.pk,
        "_customer": f"{alice.pk:024x}",
        "platform": ["whatsapp"],
        "status": "OPEN",
        "profile": {
            "userDetails": {
                "name": "Asha",
                "userProvidedName": "Asha",
                "contact": {"email": "asha@example.com", "phone": {"number": "9876543210", "prefix": "91"}},
                "tags": ["customer", "vip"],
                "attributes": [
                    {"key": "age", "value": 41},
                    {"key": "is_new", "value": False},
                    {"key": "plan", "value": "gold"},
                ],
                "country": "India",
                "whatsAppNumber": "919876543210",
                "telegramUserName": "asha_rao",
                "instagramProfileId": "17841400000000001",
                "facebookProfileId": "100000000000001",
            },
            "notes": ["Asked for a call back."],
        },
        "lastMessage": {"by": "USER", "at": "2026-11-24T12:00:00.123Z"},
        "isOnline": False,
        "isContact": True,
        "isImported": False,
        "isSubscriber": True,
        "segments": [Segment.objects.get(name="Customers").pk],
        "unreadMessages": 2,
        "lastSeenAt": "2026-11-24T13:00:00.123Z",
        "createdAt": "2026-11-24T12:00:00.123Z",
        "updatedAt": timestamp(asha.updated_at),
    }


def test_a_contact_with_few_fields_carries_every_key_too(as_alice: Caller, alice: User) -> None:
    contact_of(alice, name="", phone="919876543210")

    (shown,) = as_alice.data("POST", "/inbox/users", {})

    details = shown["profile"]["userDetails"]
    assert details["contact"] == {"email": "", "phone": {"number": "919876543210", "prefix": ""}}
    assert (details["name"], details["tags"], details["attributes"]) == ("", [], [])
    assert (shown["lastMessage"], shown["lastSeenAt"]) == ({"by": "", "at": None}, None)


class TestListing:
    def test_pages_hold_fifty_newest_first_and_past_the_end_nothing(self, as_alice: Caller, alice: User) -> None:
        Contact.objects.bulk_create(
            Contact(owner=alice, name=f"{number:03}", created_at=NOON + timedelta(seconds=number))
            for number in range(120)
        )

        pages = [names(as_alice.data("POST", "/inbox/users", {"page": page})) for page in (1, 2, 3, 4)]

        assert [len(page) for page in pages] == [50, 50, 20, 0]
        assert [name for page in pages for name in page] == [f"{number:03}" for number in reversed(range(120))]

    def test_contacts_of_one_instant_stand_in_the_order_of_their_ids(self, as_alice: Caller, alice: User) -> None:
        made = sorted((contact_of(alice).pk for _ in range(5)), reverse=True)

        assert [contact["_id"] for contact in as_alice.data("POST", "/inbox/users", {})] == made

    @pytest.mark.parametrize("page", [2, 10**9, 10**9 + 1, 2**63, 10**30, 10**300])
    def test_a_page_past_the_end_is_empty_however_far(self, as_alice: Caller, asha: Contact, page: int) -> None:
        assert as_alice.data("POST", "/inbox/users", {"page": page}) == []

    @pytest.mark.parametrize("page", [0, -1, "0", "x", "1.5", "1e3", "9" * 21, 1.5, True, [], {}])
    def test_a_wrong_page_number_is_refused(self, as_alice: Caller, page: object) -> None:
        status, (sentence,) = as_alice.refusal("POST", "/inbox/users", {"page": page})

        assert (status, sentence.split()[:3]) == (422, ["page", "should", "be"])

    def test_no_body_lists_everybody(self, as_alice: Caller, asha: Contact) -> None:
        assert names(as_alice.data("POST", "/inbox/users")) == ["Asha"]

    def test_a_list_takes_five_queries_whatever_its_length(self, as_alice: Caller, alice: User, asha: Contact) -> None:
        as_alice.data("POST", "/inbox/users")
        for number in range(10):
            contact_of(alice, tags=("customer",), name=f"{number}")

        with CaptureQueriesContext(connection) as queries:
            as_alice.data("POST", "/inbox/users")

        assert [query["sql"].split()[0] for query in queries] == ["SELECT"] * 5

    @pytest.mark.no_cover
    @pytest.mark.parametrize("pages", [40, pytest.param(200, marks=pytest.mark.release)])
    @pytest.mark.django_db(transaction=True)
    def test_the_last_of_many_pages_is_found_in_the_index_alone(self, alice: User, pages: int) -> None:
        """The database counts the entries before the page, reads its rows, and sorts no table."""
        Contact.objects.bulk_create(
            Contact(owner=alice, name=f"{number}", created_at=NOON + timedelta(seconds=number))
            for number in range(50 * pages)
        )
        wanted = ContactFilter.model_validate({"page": pages})
        with CaptureQueriesContext(connection) as queries:
            page = wanted.page_of(alice.pk)

        plan = explained(queries[0]["sql"])

        assert [contact.name for contact in page] == [f"{number}" for number in reversed(range(50))]
        if connection.vendor == "sqlite":
            assert plan == ["SEARCH platform_contact USING COVERING INDEX platform_contact_newest (owner_id=?)"]
        else:
            assert [line.partition("(")[0].strip() for line in plan] == [
                "Limit",
                "->  Index Only Scan using platform_contact_newest on platform_contact",
                "Index Cond:",
            ]


def explained(sql: str) -> list[str]:
    """Return the plan for a query, after the database has counted its rows."""
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if is_sqlite else "VACUUM ANALYZE platform_contact")
        with transaction.atomic():
            if not is_sqlite:
                # What else runs may keep VACUUM from noting which rows all can see, and then an index seems dear.
                cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute(f"EXPLAIN {'QUERY PLAN' if is_sqlite else ''} {sql}")
            return [str(found[-1]) for found in cursor.fetchall()]


class TestFilter:
    @pytest.fixture(autouse=True)
    def ben_and_cleo(self, alice: User, asha: Contact) -> None:
        contact_of(alice, name="Ben", status="CLOSED", is_contact=False, is_imported=True, created_at=NOON - DAY)
        contact_of(alice, tags=("partner",), name="Cleo", platform="sms", created_at=NOON - 2 * DAY)

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            ({}, "Asha Ben Cleo"),
            ({"searchText": "CLE"}, "Cleo"),
            ({"searchText": "  "}, "Asha Ben Cleo"),
            ({"searchText": "@example"}, "Asha"),
            ({"searchText": "98765 43"}, "Asha"),
            ({"searchText": "%"}, ""),
            ({"searchText": "a\0"}, ""),
            ({"searchText": "x" * 60_000}, ""),
            ({"status": ["OPEN"]}, "Asha Cleo"),
            ({"status": ["OPEN", "CLOSED"]}, "Asha Ben Cleo"),
            ({"tags": ["partner"]}, "Cleo"),
            ({"tags": ["partner", "vip", "unknown"]}, "Asha Cleo"),
            ({"tags": ["unknown"]}, ""),
            ({"platform": ["sms"]}, "Cleo"),
            ({"lastMessageBy": ["USER"]}, "Asha"),
            ({"lastMessageBy": ["BOT", "AGENT"]}, ""),
            ({"createdAt": {"startAt": "2026-11-24T12:00:00.123Z"}}, "Asha"),
            ({"createdAt": {"startAt": "2026-11-24T12:00:00.124Z"}}, ""),
            ({"createdAt": {"endsAt": "2026-11-24T12:00:00.123Z"}}, "Asha Ben Cleo"),
            ({"createdAt": {"endsAt": "2026-11-24T12:00:00.122Z"}}, "Ben Cleo"),
            ({"createdAt": {"startAt": "2026-11-23T00:00:00Z", "endsAt": "2026-11-23T23:59:59+00:00"}}, "Ben"),
            ({"createdAt": {"endsAt": "2026-11-24T17:29:00+05:30"}}, "Ben Cleo"),
            ({"createdAt": {"endsAt": "2026-11-24"}}, "Ben Cleo"),
            ({"createdAt": {"startAt": "0001-01-01T00:00:00+14:00"}}, "Asha Ben Cleo"),
            ({"createdAt": {"endsAt": "9999-12-31T23:59:59.999999-14:00"}}, "Asha Ben Cleo"),
            ({"lastSeenAt": {"startAt": "2026-11-24T12:30:00Z"}}, "Asha"),
            ({"lastSeenAt": {"endsAt": "2026-11-24T12:30:00Z"}}, ""),
            ({"isContact": False}, "Asha Ben Cleo"),
            ({"isContact": False, "applicableFilters": ["isContact"]}, "Ben"),
            ({"isContact": True, "applicableFilters": ["isContact", "nonsense"]}, "Asha Cleo"),
            ({"isImported": True, "applicableFilters": ["isImported"]}, "Ben"),
            ({"isSubscriber": True, "applicableFilters": ["isSubscriber"]}, "Asha"),
            ({"isSubscriber": True, "applicableFilters": ["isImported"]}, "Asha Ben Cleo"),
            ({"isOnline": True, "applicableFilters": ["isOnline"]}, ""),
            ({"isOnline": False, "applicableFilters": ["isOnline"]}, "Asha Ben Cleo"),
            ({"isOnline": True}, "Asha Ben Cleo"),
            ({"_agentAssigned": ["x"], "isExport": "none", "unknown": {"deep": [1]}}, "Asha Ben Cleo"),
            ({"status": ["OPEN"], "tags": ["partner"], "platform": ["sms"]}, "Cleo"),
        ],
    )
    def test_each_key_filters_by_itself(self, as_alice: Caller, wanted: dict[str, Any], found: str) -> None:
        assert " ".join(names(as_alice.data("POST", "/inbox/users", wanted))) == found

    def test_empty_filters_filter_nothing(self, as_alice: Caller) -> None:
        lists = ("status", "tags", "segments", "platform", "_botWebsite", "lastMessageBy", "applicableFilters")
        empty: dict[str, Any] = {name: [] for name in lists} | {
            "searchText": "",
            "createdAt": {"startAt": "", "endsAt": ""},
            "lastSeenAt": {"startAt": None, "endsAt": ""},
        }
        of_empty_texts = {name: ["", " "] for name in lists if name not in ("status", "platform")}

        for wanted in (empty, dict.fromkeys([*empty, "page"]), of_empty_texts):
            assert names(as_alice.data("POST", "/inbox/users", wanted)) == ["Asha", "Ben", "Cleo"]

    @pytest.mark.parametrize("key", ["_botWebsite", "_botWhatsapp", "_botTelegram", "_botFacebook", "_botInstagram"])
    def test_lists_of_bots_filter_together(self, as_alice: Caller, alice: User, key: str) -> None:
        reception = Bot.objects.get(owner=alice)
        other = Bot.objects.create(owner=alice, name="Other", platform="sms")
        contact_of(alice, bot=other, name="Dora")

        assert names(as_alice.data("POST", "/inbox/users", {key: [reception.pk]})) == ["Asha"]
        assert names(as_alice.data("POST", "/inbox/users", {key: [reception.pk], "_botSms": [other.pk]})) in (
            ["Asha", "Dora"],
            ["Dora", "Asha"],
        )
        assert names(as_alice.data("POST", "/inbox/users", {key: [NOBODY]})) == []

    def test_a_segment_filters_by_its_tags(self, as_alice: Caller) -> None:
        (customers,) = Segment.objects.filter(name="Customers").values_list("pk", flat=True)

        assert names(as_alice.data("POST", "/inbox/users", {"segments": [customers]})) == ["Asha", "Cleo"]
        assert names(as_alice.data("POST", "/inbox/users", {"segments": ["", NOBODY]})) == []

    def test_filters_find_nobody_of_another_account(self, as_bob: Caller, alice: User) -> None:
        ids = [*Segment.objects.values_list("pk", flat=True)], [*Bot.objects.values_list("pk", flat=True)]
        filters = [
            *({}, {"searchText": "a"}, {"tags": ["vip"]}, {"segments": ids[0]}, {"_botWhatsapp": ids[1]}),
            {"status": ["OPEN"]},
        ]

        assert [as_bob.data("POST", "/inbox/users", wanted) for wanted in filters] == [[]] * len(filters)

    @pytest.mark.parametrize(
        ("wanted", "sentence"),
        [
            ({"status": ["LOST"]}, "status.0 should be 'OPEN', 'INPROGRESS', 'REVIEW',"),
            ({"status": "OPEN"}, "status should be a valid list."),
            ({"tags": [1]}, "tags.0 should be a text of at most 200 characters."),
            ({"tags": ["a\0"]}, "tags.0 should be a text of at most 200 characters."),
            ({"segments": ["x"]}, "segments.0 should be an id, 24 hexadecimal digits."),
            ({"createdAt": {"startAt": "yesterday"}}, "createdAt.startAt should be a time such as"),
            ({"createdAt": {"startAt": 1}}, "createdAt.startAt should be a time such as"),
            ({"createdAt": []}, "createdAt should be an object."),
            ({"isContact": "yes"}, "isContact should be a valid boolean."),
            ({"searchText": 5}, "searchText should be a valid string."),
        ],
    )
    def test_a_wrong_type_is_named(self, as_alice: Caller, wanted: dict[str, Any], sentence: str) -> None:
        status, (answer,) = as_alice.refusal("POST", "/inbox/users", wanted)

        assert status == 422
        assert answer.startswith(sentence)


def test_segments_are_listed_by_name(as_alice: Caller, as_bob: Caller, asha: Contact) -> None:
    customers = Segment.objects.get(name="Customers")

    listed = as_alice.data("GET", "/inbox/segments")

    assert [segment["segmentName"] for segment in listed] == ["Customers", "Nobody"]
    assert listed[0] == {
        "_id": customers.pk,
        "segmentName": "Customers",
        "tags": ["customer", "partner"],
        "createdAt": timestamp(customers.created_at),
        "updatedAt": timestamp(customers.updated_at),
    }
    assert as_bob.data("GET", "/inbox/segments") == []
