"""A search finds a contact in whatever spelling its text was stored and is typed."""

from importlib import import_module
from typing import Any
from unicodedata import normalize

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client as Browser
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st

from accounts.models import User
from botpenguin.platform import usages
from botpenguin.platform.models import UNSTORABLE, Contact, ContactUsage
from tests.platform.calls import Caller, contact_of, names, row

# The stored name, and what is typed.
NAMES = {
    "a joiner stored": ("می\u200cخواهم", "میخواهم"),
    "a joiner typed": ("میخواهم", "می\u200cخواهم"),
    "half-width kana": ("ﾊﾟｿｺﾝ工房", "パソコン"),
    "half-width kana typed": ("パソコン工房", "ﾊﾟｿｺﾝ"),
    "a hyphen that does not break": ("Anne\u2011Marie", "anne-marie"),
    "a dash typed": ("Anne-Marie", "anne\u2013marie"),
    "full width": ("Ｔｏｋｙｏ Ｄｅｓｋ", "tokyo desk"),
    "a sharp s": ("Straße 7", "STRASSE"),
    "a sharp s typed": ("STRASSE 7", "straße"),
    "a final sigma": ("Οδυσσέας", "ΟΔΥΣΣΈΑΣ"),
    "letters and accents apart": ("Zoe\u0308 Mu\u0308ller", "ZOË MÜLLER"),
    "accents apart typed": ("Zoë Müller", "zoe\u0308"),
    "blanks of other kinds": ("Asha\u00a0\u3000Rao", "asha rao"),
    "an invisible blank": ("As\u200bha\ufeff", "asha"),
    "a direction mark typed": ("Asha", "\u202aasha\u202c"),
    "an emoji's variant": ("I \u2764\ufe0f Pune", "\u2764 pune"),
    "a ligature": ("O\ufb03ce", "office"),
    "an apostrophe and a percent": ("100 % O'Neil_", "% o'neil_"),
}
NOT_FOUND = [("Asha", "a%a"), ("Asha", "_sha"), ("Asha", "asha@"), ("Asha", "rao"), ("a\\b", "a\\\\b")]


@pytest.mark.parametrize(("stored", "typed"), NAMES.values(), ids=NAMES)
def test_a_name_is_found_in_every_spelling(alice: User, stored: str, typed: str) -> None:
    Contact.objects.create(owner=alice, name=stored)
    Contact.objects.create(owner=alice, name="Bob")

    assert [contact.name for contact in Contact.objects.mentioning(typed)] == [stored]


@pytest.mark.parametrize(("stored", "typed"), NOT_FOUND)
def test_what_is_not_in_a_name_is_not_found(alice: User, stored: str, typed: str) -> None:
    Contact.objects.create(owner=alice, name=stored, email="rest@example.com")

    assert not Contact.objects.mentioning(typed).exists()


@pytest.mark.parametrize(
    "typed", ["Ä.example", "info@ä", "a\u0308.EXAMPLE", "xn--4ca", "INFO@XN--4CA.example", "ｉｎｆｏ＠"]
)
def test_an_email_is_found_in_both_spellings_of_its_domain(alice: User, typed: str) -> None:
    contact = Contact.objects.create(owner=alice, email="info@xn--4ca.example")

    assert list(Contact.objects.mentioning(typed)) == [contact]


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "\ufeff \u3000", "\u2800"])
def test_a_search_for_nothing_visible_filters_nothing(as_alice: Caller, alice: User, asha: Contact, typed: str) -> None:
    assert names(as_alice.data("POST", "/inbox/users", {"searchText": typed})) == ["Asha"]


def test_a_search_finds_no_text_across_name_and_email(alice: User) -> None:
    Contact.objects.create(owner=alice, name="Asha", email="rao@example.com")

    assert not Contact.objects.mentioning("asha rao").exists()
    assert not Contact.objects.mentioning("asha\nrao").exists()


def test_every_way_to_write_a_contact_writes_what_searches_compare(as_alice: Caller, alice: User) -> None:
    browser = Browser()
    (pk,) = as_alice.data("POST", "/inbox/users/import", [row("Zoe\u0308", email="zoe@example.com")])["ids"]
    imported = searched(pk)
    as_alice.data("POST", "/inbox/users/import", [row("Chloé", email="zoe@example.com")])
    imported_again = searched(pk)
    as_alice.data("PUT", f"/inbox/users/{pk}", {"profile": {"userDetails": {"contact": {"email": "CH@example.com"}}}})
    changed = searched(pk)

    browser.force_login(alice)
    found = browser.get("/inbox/", {"q": "ＣＨＬＯＥ\u0301"})

    assert imported == "zoë\nzoe@example.com"
    assert imported_again == "chloé\nzoe@example.com"
    assert changed == "chloé\nch@example.com"
    assert [contact["name"] for contact in found.context["page"]] == ["Chloé"]
    assert "searched" not in str(as_alice.data("GET", f"/inbox/users/{pk}"))


def test_what_searches_compare_counts_as_size(as_alice: Caller, alice: User) -> None:
    as_alice.data("POST", "/inbox/users/import", [row("\ufdfa" * 100, email="asha@example.com"), row("Ben")])

    usage = ContactUsage.objects.get(owner=alice)

    assert {"contacts": usage.contacts, "size": usage.size} == usages.count(alice.pk)


@pytest.mark.no_cover
@limits(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(stored=st.text(min_size=1, max_size=60).filter(lambda text: not UNSTORABLE.search(text)))
def test_a_name_is_found_in_its_other_forms(alice: User, stored: str) -> None:
    contact = contact_of(alice, name=stored)

    for typed in (stored, stored.casefold(), normalize("NFD", stored), normalize("NFKC", stored)):
        assert contact in Contact.objects.mentioning(typed)


def searched(pk: str) -> str:
    text: str = Contact.objects.get(pk=pk).searched
    return text


class TestContactsOfBefore:
    """The migration fills the column in batches."""

    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(self.migration, "BATCH", 2)

    migration: Any = import_module("botpenguin.platform.migrations.0007_fill_contact_searched")

    def test_it_writes_what_searches_compare_and_counts_it(self, alice: User, bob: User) -> None:
        people = [
            contact_of(owner, name=name, email=email)
            for owner in (alice, bob)
            for name, email in [("Straße", ""), ("Zoë", "zoe@xn--4ca.example"), ("", "only@example.com")]
        ]
        people.append(contact_of(alice, name="", phone="919876543210"))
        Contact.objects.update(searched="")
        for owner in (alice, bob):
            ContactUsage.objects.create(owner=owner, **usages.count(owner.pk))

        self.migration.fill(apps, connection.schema_editor())

        assert [searched(person.pk) for person in people[:3]] == [
            "strasse",
            "zoë\nzoe@xn--4ca.example\nzoe@ä.example",
            "only@example.com",
        ]
        assert searched(people[-1].pk) == ""
        assert {usage.owner_id: (usage.contacts, usage.size) for usage in ContactUsage.objects.all()} == {
            owner.pk: tuple(usages.count(owner.pk).values()) for owner in (alice, bob)
        }

    def test_run_again_it_changes_nothing(self, alice: User) -> None:
        contact = contact_of(alice, name="Asha")
        ContactUsage.objects.create(owner=alice, **usages.count(alice.pk))
        before = Contact.objects.values().get(), ContactUsage.objects.values().get()

        self.migration.fill(apps, connection.schema_editor())

        assert (Contact.objects.values().get(), ContactUsage.objects.values().get()) == before
        assert searched(contact.pk) == "asha"
