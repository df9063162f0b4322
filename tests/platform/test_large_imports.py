"""Imports of many tags: in short transactions, all or nothing, and one at a time for an account."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform import contacts, imports, staging
from botpenguin.platform.models import Bot, Contact, ContactTag
from botpenguin.platform.pending import PendingImport
from tests.interleaving import just_before
from tests.memory import MIB, peak_of
from tests.platform.calls import Caller, contact_of, row

PATH = "/inbox/users/import"
TAGS = [f"tag {number}" for number in range(50)]
START = 'INSERT INTO "platform_pendingimport"'
FIRST_TAGS = 'INSERT INTO "platform_contacttag"'
# In the import's own transaction.
CHANGE = 'UPDATE "platform_contact" SET .* "updated_at" = %s$'


def large(first: int = 0, tags: list[str] = TAGS) -> list[dict[str, Any]]:
    """21 rows, of which 20 have as many tags as one transaction writes."""
    return [row(email=f"{number}@example.com", tags=tags) for number in range(first, first + 21)]


def left() -> tuple[int, int, int]:
    return Contact.objects.count(), ContactTag.every.count(), PendingImport.objects.count()


def grow_old() -> None:
    PendingImport.objects.update(began_at=timezone.now() - staging.DEAD_AFTER - timedelta(minutes=1))


def test_all_contacts_have_all_their_tags(as_alice: Caller, alice: User) -> None:
    known = contact_of(alice, ("tag 1", "vip"), email="0@example.com")

    data = as_alice.data("POST", PATH, large(tags=TAGS[:49]))

    assert (data["created"], data["updated"], data["ids"][0]) == (20, 1, known.pk)
    tags = {contact.pk: sorted(tag.name for tag in contact.tags.all()) for contact in Contact.objects.all()}
    expected = dict.fromkeys(data["ids"], sorted(TAGS[:49])) | {known.pk: sorted([*TAGS[:49], "vip"])}
    assert tags == expected
    assert len(as_alice.data("POST", "/inbox/users", {"tags": ["tag 7"]})) == 21
    assert left() == (21, 21 * 49 + 1, 0)


@pytest.mark.release
def test_a_thousand_contacts_with_fifty_tags_each_are_imported_in_short_transactions(as_alice: Caller) -> None:
    """The guard of all tests refuses long transactions."""
    rows = [row(f"{number}", f"{number}@example.com", tags=TAGS) for number in range(1000)]

    made, again = (as_alice.data("POST", PATH, rows) for _ in range(2))

    assert (made["created"], again["updated"]) == (1000, 1000)
    assert left() == (1000, 50_000, 0)


def test_no_row_of_an_import_is_seen_before_all_of_them(as_alice: Caller, alice: User) -> None:
    known = contact_of(alice, ("vip",), email="0@example.com")
    seen: list[Any] = []

    def look() -> None:
        seen.append(sorted(known.tags.values_list("name", flat=True)))
        seen.append(as_alice.data("POST", "/inbox/users", {"tags": ["tag 7"]}))
        seen.append([shown["profile"]["userDetails"]["tags"] for shown in as_alice.data("POST", "/inbox/users")])

    with just_before(CHANGE, look):
        as_alice.data("POST", PATH, large(tags=TAGS[:49]))

    assert seen == [["vip"], [], [["vip"]]]
    assert known.tags.count() == 50


@pytest.mark.parametrize("statement", [START, FIRST_TAGS])
def test_a_change_of_the_same_contact_meanwhile_is_kept(as_alice: Caller, alice: User, statement: str) -> None:
    known = contact_of(alice, email="0@example.com")
    change = {"attributes": {"plan": "gold"}}

    def put() -> None:
        Contact.objects.filter(pk=known.pk).update(**change, updated_at=timezone.now())

    with just_before(statement, put):
        as_alice.data("POST", PATH, large())

    known.refresh_from_db()
    assert (known.attributes, known.tags.count()) == ({"plan": "gold"}, 50)
    assert left() == (21, 21 * 50, 0)


def test_a_contact_that_is_made_meanwhile_is_not_made_twice(as_alice: Caller, alice: User) -> None:
    with just_before(FIRST_TAGS, lambda: contact_of(alice, email="3@example.com")):
        data = as_alice.data("POST", PATH, large())

    assert (data["created"], data["updated"]) == (20, 1)
    assert Contact.objects.filter(email="3@example.com").count() == 1
    assert left() == (21, 21 * 50, 0)


def test_contacts_that_others_change_all_the_time_are_409(as_alice: Caller, alice: User) -> None:
    contact_of(alice, email="0@example.com")
    tries = []

    def change(execute: Any, sql: Any, *rest: Any) -> Any:
        if str(sql).startswith(FIRST_TAGS):
            tries.append(sql)
            Contact.objects.update(updated_at=timezone.now())
        return execute(sql, *rest)

    with connection.execute_wrapper(change):
        refusal = as_alice.refusal("POST", PATH, large())

    assert refusal == (409, ["Another request has changed the same thing. Read it and try again."])
    # Two transactions of tags each.
    assert len(tries) == 2 * imports.MOST_TRIES
    assert left() == (1, 0, 0)


def test_an_account_that_is_deactivated_meanwhile_gets_nothing(as_alice: Caller, alice: User) -> None:
    with just_before(FIRST_TAGS, lambda: User.objects.update(is_active=False)):
        status, _ = as_alice.refusal("POST", PATH, large())

    assert status == 404
    assert left() == (0, 0, 0)


def test_a_bot_that_is_deleted_meanwhile_gets_no_contacts(as_alice: Caller, alice: User) -> None:
    bot = Bot.objects.create(owner=alice, name="Reception", platform="sms")

    with just_before(FIRST_TAGS, bot.delete):
        status, _ = as_alice.refusal("POST", f"{PATH}?botId={bot.pk}", large())

    assert status == 404
    assert left() == (0, 0, 0)


def test_a_database_that_fails_in_between_keeps_nothing(as_alice: Caller) -> None:
    def fail() -> None:
        raise OperationalError("disk I/O error")

    with just_before(FIRST_TAGS, fail):
        status, _ = as_alice.refusal("POST", PATH, large())

    assert status == 503
    assert left() == (0, 0, 0)


class TestKilled:
    """The rows that an import leaves when its process is killed."""

    @pytest.fixture
    def known(self, alice: User) -> Contact:
        known = contact_of(alice, ("vip",), email="0@example.com")
        staging.stage([(known.pk, "vip 2"), (known.pk, "new"), ("6743a1f09b2c4d5e6f708192", "new")])
        return known

    def test_tags_of_a_killed_import_are_not_seen_and_housekeeping_deletes_them(
        self, as_alice: Caller, known: Contact
    ) -> None:
        grow_old()

        found = as_alice.data("POST", "/inbox/users", {"tags": ["new"]})
        deleted = sum(staging.forget_dead())

        assert (found, deleted) == ([], 3)
        assert [tag.name for tag in ContactTag.every.all()] == ["vip"]
        assert not PendingImport.objects.exists()

    def test_an_import_that_may_be_alive_is_left_alone(self, known: Contact) -> None:
        assert list(staging.forget_dead()) == []
        assert str(PendingImport.objects.get()).startswith("import ")
        assert left() == (1, 4, 1)

    @pytest.mark.parametrize("rows", [[row(email="0@example.com", tags=["new"])], large(tags=["new", *TAGS[:48]])])
    def test_the_same_tags_can_be_given_again_and_stay(
        self, as_alice: Caller, known: Contact, rows: list[dict[str, Any]]
    ) -> None:
        as_alice.data("POST", PATH, rows)
        details = {"tags": ["new", "vip"]}
        as_alice.data("PUT", f"/inbox/users/{known.pk}", {"profile": {"userDetails": details}})
        grow_old()

        sum(staging.forget_dead())

        assert sorted(known.tags.values_list("name", flat=True)) == ["new", "vip"]

    def test_an_import_that_is_considered_dead_is_not_applied(self, as_alice: Caller) -> None:
        def clean() -> None:
            grow_old()
            sum(staging.forget_dead())

        with just_before('INSERT INTO "platform_contact"', clean):
            data = as_alice.data("POST", PATH, large())

        assert data["created"] == 21
        assert left() == (21, 21 * 50, 0)


class TestTurns:
    def test_a_second_large_call_of_an_account_is_429_until_the_first_is_over(
        self, as_alice: Caller, as_bob: Caller
    ) -> None:
        answers: list[Any] = []

        def send() -> None:
            answers.append(as_alice.send("POST", PATH, large(100)))
            answers.append(as_alice.send("POST", PATH, [row("Asha")]))
            answers.append(as_bob.send("POST", PATH, large()))

        with just_before(FIRST_TAGS, send):
            first = as_alice.send("POST", PATH, large())
        after = as_alice.send("POST", PATH, large(100))

        assert [answer.status_code for answer in (first, *answers, after)] == [201, 429, 201, 201, 201]
        assert answers[0]["Retry-After"] == "1"
        assert answers[0].json()["data"] == [
            "Another call of this account with more than 500 contacts and tags is under way. Nothing was changed. "
            "Try again in 1 second."
        ]

    @pytest.mark.parametrize(("threads", "status"), [(1, 429), (2, 429), (3, 429), (4, 201)])
    def test_large_calls_of_all_accounts_leave_half_of_the_threads_to_others(
        self, as_alice: Caller, as_bob: Caller, settings: Settings, threads: int, status: int
    ) -> None:
        settings.THREADS = threads
        answers: list[Any] = []

        def send() -> None:
            answers.append(as_bob.send("POST", PATH, large()))
            answers.append(as_bob.send("POST", PATH, [row("Asha")]))

        with just_before(FIRST_TAGS, send):
            first = as_alice.send("POST", PATH, large())

        assert [answer.status_code for answer in (first, *answers)] == [201, status, 201]
        if status == 429:
            assert answers[0]["Retry-After"] == "1"
            assert answers[0].json()["data"] == [
                "Calls of other accounts with more than 500 contacts and tags are under way. Nothing was changed. "
                "Try again in 1 second."
            ]

    def test_a_call_that_fails_gives_its_turn_back(self, as_alice: Caller) -> None:
        wrong = [*large(), row(email="x")]

        statuses = [as_alice.send("POST", PATH, rows).status_code for rows in (wrong, wrong, large())]

        assert statuses == [400, 400, 201]


@pytest.mark.release
@pytest.mark.parametrize(("count", "status"), [(64, 200), (1000, 413)])
def test_an_import_reads_no_more_contacts_than_fit_the_memory_of_a_request(
    as_alice: Caller, alice: User, count: int, status: int
) -> None:
    attributes = {f"{number}": "x" * 996 + "🐧" for number in range(60)}
    known = [Contact(owner=alice, email=f"{number}@example.com", attributes=attributes) for number in range(count)]
    Contact.objects.bulk_create(known)
    rows = [row("New", contact.email, attributes={"more": "x" * 900}) for contact in known]

    response, peak = peak_of(lambda: as_alice.send("POST", PATH, rows))

    assert response.status_code == status
    assert peak < 50 * MIB


class TestTooLarge:
    @pytest.fixture
    def known(self, alice: User, monkeypatch: pytest.MonkeyPatch) -> list[Contact]:
        monkeypatch.setattr(contacts, "MOST_BYTES", 1024**2)
        monkeypatch.setattr(contacts, "MOST_READ", 1024**2)
        attributes = {f"{number}": "x" * 1000 for number in range(60)}
        return [contact_of(alice, email=f"{number}@example.com", attributes=attributes) for number in range(18)]

    @pytest.mark.parametrize("count", [17, 18])
    def test_contacts_that_hold_too_much_together_are_413(
        self, as_alice: Caller, known: list[Contact], count: int
    ) -> None:
        rows = [row("New", contact.email) for contact in known[:count]]
        ids = [contact.pk for contact in known[:count]]

        imported = as_alice.send("POST", PATH, rows)
        changed = as_alice.send("PUT", "/inbox/users/status-update", {"ids": ids, "status": "CLOSED"})

        if count == 17:
            assert (imported.status_code, changed.status_code) == (200, 200)
            return
        why = "These contacts hold more than 1 MB together. Send fewer at once."
        assert (imported.status_code, imported.json()["data"]) == (413, [f"Nothing was imported. {why}"])
        assert (changed.status_code, changed.json()["data"]) == (413, [f"Nothing was changed. {why}"])
        assert not Contact.objects.filter(name="New").exists()
        assert not Contact.objects.filter(status="CLOSED").exists()
