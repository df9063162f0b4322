"""How many contacts an account may have, and how much they may take."""

from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.quotas import QuotaExceeded
from botpenguin.platform import sizes
from botpenguin.platform.contacts import Details
from botpenguin.platform.imports import import_all
from botpenguin.platform.models import Contact, ContactUsage
from botpenguin.platform.usages import count, grow, recount
from tests.cast import logged_in
from tests.interleaving import just_before
from tests.platform.calls import Caller, contact_of, row
from tests.platform.elements import words
from tests.test_races import at_once


def held(owner: User) -> tuple[int, int]:
    """What is kept of an account's contacts, which is what there is."""
    usage = ContactUsage.objects.get(pk=owner.pk)
    assert {"contacts": usage.contacts, "size": usage.size} == count(owner.pk)
    return usage.contacts, usage.size


def import_rows(by: Caller, *rows: dict[str, Any]) -> Any:
    return by.send("POST", "/inbox/users/import", list(rows)).status_code


def test_kept_counts_of_contacts_match_the_rows(as_alice: Caller, alice: User, asha: Contact) -> None:
    imported = row(
        "Ünal", "unal@example.com", tags=["größer", "b"], attributes={"größe": "ñ" * 50, "n": 1.5, "x": True}
    )
    import_rows(as_alice, imported, row("Twin", "twin@example.com"), row("Twin", "twin@example.com", tags=["t"]))
    assert held(alice)[0] == 3
    contact, before = Contact.objects.get(email="unal@example.com"), held(alice)

    import_rows(as_alice, row("Ünal", "unal@example.com", tags=["c"], attributes={"x": None, "y": "…"}))
    merged = held(alice)
    as_alice.data("PUT", f"/inbox/users/{contact.pk}", {"profile": {"userDetails": {"tags": []}, "notes": ["é" * 9]}})
    without_tags = held(alice)
    as_alice.data("PUT", f"/inbox/users/{contact.pk}/attributes", {"größe": None})
    as_alice.data("PUT", "/integrations/custom-app/update-user-attributes", {"search": contact.email, "attributes": {}})

    assert before < merged > without_tags > held(alice)


def test_the_last_contacts_are_imported_and_no_more(as_alice: Caller, alice: User, settings: Settings) -> None:
    settings.QUOTA_CONTACTS = 3
    assert import_rows(as_alice, row("A", "a@example.com")) == 201
    too_many = [row(name, f"{name}@example.com") for name in ("a", "b", "c", "d")]

    refused = as_alice.refusal("POST", "/inbox/users/import", too_many)
    fitting = import_rows(as_alice, *too_many[:3])
    updated = import_rows(as_alice, *too_many[:3])
    page = words(logged_in(alice).get("/inbox/"))

    sentence = "You have 1 of 3 contacts. This would add 3. Ask the operator of this server for more room."
    assert refused == (409, [f"{sentence} Nothing was changed."])
    assert (fitting, updated, held(alice)[0]) == (201, 200, 3)
    assert "You have 3 of 3 contacts. Ask the operator of this server for more room." in page


def test_contacts_may_shrink_but_not_grow_beyond_their_bytes(
    as_alice: Caller, alice: User, asha: Contact, settings: Settings
) -> None:
    path = f"/inbox/users/{asha.pk}"
    as_alice.data("PUT", path, {"profile": {"notes": ["x" * 100]}})
    settings.QUOTA_CONTACT_BYTES = held(alice)[1]

    refusals = [
        as_alice.refusal("PUT", path, {"profile": {"notes": ["x" * 101]}}),
        as_alice.refusal("PUT", path, {"profile": {"userDetails": {"tags": ["vip", "customer", "new"]}}}),
        as_alice.refusal("PUT", f"{path}/attributes", {"city": "Oslo"}),
        as_alice.refusal("POST", "/inbox/users/import", [row("B", "b@example.com")]),
        as_alice.refusal("POST", "/inbox/users/import", [row(email=asha.email, tags=["new"])]),
    ]
    as_alice.data("PUT", path, {"profile": {"notes": ["y" * 100]}})
    settings.QUOTA_CONTACT_BYTES = 0
    as_alice.data("PUT", path, {"profile": {"notes": []}})
    as_alice.data("PUT", path, {"status": "CLOSED"})

    assert {status for status, _ in refusals} == {409}
    assert all("Remove tags, notes or attributes to make room." in sentences[0] for _, sentences in refusals)
    assert held(alice)[0] == 1


def test_a_large_import_without_room_writes_nothing_before_it_is_refused(
    as_alice: Caller, alice: User, settings: Settings
) -> None:
    import_rows(as_alice, row("A", "a@example.com"))
    settings.QUOTA_CONTACTS = 1
    rows = [row(f"{number}", tags=[f"{tag}" for tag in range(50)]) for number in range(21)]

    with CaptureQueriesContext(connection) as statements:
        status, _ = as_alice.refusal("POST", "/inbox/users/import", rows)

    assert status == 409
    assert [each["sql"] for each in statements if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))] == []


def test_short_tags_count_by_what_they_take(as_alice: Caller, alice: User) -> None:
    tags = [f"{number:02}" for number in range(50)]

    import_rows(as_alice, row("A", "a@example.com", tags=tags))

    assert held(alice)[1] > 50 * sizes.TAG_COST


@pytest.mark.django_db(transaction=True)
def test_one_of_two_imports_gets_the_last_place(as_alice: Caller, alice: User, settings: Settings) -> None:
    settings.QUOTA_CONTACTS = 2
    import_rows(as_alice, row("A", "a@example.com"))
    emails = iter(["b@example.com", "c@example.com"])

    def bring_in() -> bool:
        try:
            grow_by = {1: Details(email=next(emails))}
            return bool(import_all(alice.pk, grow_by, None, {}))
        except QuotaExceeded:
            return False

    assert sorted(at_once(2, bring_in)) == [False, True]
    assert held(alice)[0] == alice.contacts.count() == 2


def test_contacts_that_somebody_changed_by_sql_are_counted_anew(
    as_alice: Caller, as_bob: Caller, alice: User, bob: User, capsys: pytest.CaptureFixture[str]
) -> None:
    for by in (as_alice, as_bob):
        import_rows(by, row("A", "a@example.com"))
    alice.contacts.all().delete()

    call_command("recount_contacts")

    assert capsys.readouterr().out == "2 accounts counted, 1 corrected.\n"
    assert (held(alice), held(bob)[0]) == ((0, 0), 1)


def test_what_changes_while_it_is_counted_stays_as_it_was_changed(as_alice: Caller, alice: User) -> None:
    import_rows(as_alice, row("A", "a@example.com"))
    alice.contacts.all().delete()

    with just_before('SELECT COUNT\\(.* FROM "platform_contact"', lambda: grow(alice.pk, contacts=1, size=1)):
        is_corrected = recount(alice.pk)

    assert not is_corrected
    assert ContactUsage.objects.get(pk=alice.pk).contacts == 2


def test_an_account_of_which_nothing_is_kept_is_counted(as_alice: Caller, alice: User, asha: Contact) -> None:
    ContactUsage.objects.all().delete()
    assert not recount(alice.pk)

    import_rows(as_alice, row("A", "a@example.com"))

    assert held(alice)[0] == 2
    assert str(ContactUsage.objects.get()).startswith("2 contacts in ")


def test_contacts_of_before_are_counted_by_the_migration(alice: User, bob: User, asha: Contact) -> None:
    contact_of(bob, name="Böb")
    # Columns of later migrations.
    Contact.objects.update(**dict.fromkeys(["searched", *sizes.PROFILES], ""))
    ContactUsage.objects.all().delete()

    migration = import_module("botpenguin.platform.migrations.0005_contact_usage")
    apps_then = MigrationLoader(connection).project_state(("platform", "0005_contact_usage")).apps
    migration.count_all(apps_then, connection.schema_editor())

    assert (held(alice)[0], held(bob)[0]) == (1, 1)
