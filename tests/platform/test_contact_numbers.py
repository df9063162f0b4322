"""Telephone numbers of contacts: one person is one contact, however the number is written."""

from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.cast import logged_in
from tests.platform.calls import Caller, contact_of, names, row
from tests.platform.test_import import PATH

pytestmark = pytest.mark.matrix

UPDATE = "/integrations/custom-app/update-user-attributes"
FIELD = "profile.userDetails.contact.phone"
LONDON = [
    {"number": "+44 (0)20 7946 0991"},
    {"number": "0044 20 7946 0991"},
    {"number": "020 7946 0991", "prefix": "44"},
    {"number": "\u202a+44\u00a020\u20117946\u20110991\u202c"},
    {"number": "tel:+44-20-7946-0991"},
    {"number": 2079460991, "prefix": 44},
    {"number": "020 7946 0991"},
]
IMPOSSIBLE = [
    ({"number": "2079460991", "prefix": "999"}, "prefix 999 is the calling code of no country"),
    ({"number": "2079460991", "prefix": "0"}, "prefix 0 is the calling code of no country"),
    ({"number": "1234567890123", "prefix": "44"}, "number is too long for the calling code 44"),
    ({"number": "+44 123"}, "number is too short for the calling code 44"),
    ({"number": "+999 1234567"}, "number does not begin with the calling code of a country"),
    ({"number": "0000 1234"}, "number has no calling code of a country after its 00"),
]
UNMEANT = [
    ({"number": "9876543210.0"}, "number ends in .0, as spreadsheets write numbers; send it as text"),
    ({"number": "9.87E+09"}, "number is shortened, as spreadsheets write numbers; send all its digits as text"),
    ({"number": "020 7946 0991 ext. 5"}, "number has an extension; send the number without it"),
    ({"number": "020 7946 0991 / 020 7946 0992"}, "number holds two numbers; send one"),
    ({"number": "1-800-FLOWERS"}, "number has letters or signs that no telephone number has"),
    ({"number": "+44" + " " * 198}, "number should be a telephone number of 4 to 15 digits"),
    ({"number": "(1)" * 14}, "number should be a telephone number of 4 to 15 digits"),
    ({"number": "2079460991", "prefix": "x"}, "prefix should be the prefix of a country, 1 to 5 digits"),
    ({"number": "2079460991", "prefix": "4" * 201}, "prefix should be the prefix of a country, 1 to 5 digits"),
]


@pytest.fixture
def cleo(alice: User) -> Contact:
    return contact_of(alice, name="Cleo", phone="442079460991", phone_prefix="44")


def phone_of(contact: Contact) -> tuple[str, str]:
    found = Contact.objects.get(pk=contact.pk)
    return found.phone, found.phone_prefix


def put(phone: object) -> dict[str, Any]:
    return {"profile": {"userDetails": {"contact": {"phone": phone}}}}


@pytest.mark.parametrize("phone", LONDON)
class TestOnePersonIsOneContact:
    def test_in_an_import(self, as_alice: Caller, alice: User, cleo: Contact, phone: dict[str, Any]) -> None:
        contact_of(alice, name="Ben", phone="919876543210", phone_prefix="91")

        data = as_alice.data("POST", PATH, [row("Cleo Hall", phone=phone), row(phone={"number": "9876543210"})])

        assert (data["ids"][0], data["created"], data["updated"]) == (cleo.pk, 0, 2)
        assert phone_of(cleo) == ("442079460991", "44")

    def test_among_the_rows_of_one_import(self, as_alice: Caller, phone: dict[str, Any]) -> None:
        data = as_alice.data("POST", PATH, [row("Cleo", phone={"number": "+442079460991"}), row("Cleo", phone=phone)])

        assert data["created"] == 1
        assert phone_of(Contact.objects.get()) == ("442079460991", "44")

    def test_in_searches(self, as_alice: Caller, alice: User, cleo: Contact, phone: dict[str, Any]) -> None:
        contact_of(alice, name="Ben", phone="919876543210", phone_prefix="91")

        found = as_alice.data("POST", "/inbox/users", {"searchText": str(phone["number"])})
        page = logged_in(alice).get("/inbox/", {"q": str(phone["number"])})

        assert names(found) == [contact["name"] for contact in page.context["page"]] == ["Cleo"]

    def test_when_attributes_are_set(self, as_alice: Caller, cleo: Contact, phone: dict[str, Any]) -> None:
        data = as_alice.data("PUT", UPDATE, {"search": phone["number"], "attributes": {"plan": "gold"}})

        assert data["_id"] == cleo.pk

    def test_when_a_contact_is_changed(
        self, as_alice: Caller, alice: User, cleo: Contact, phone: dict[str, Any]
    ) -> None:
        others = [
            contact_of(alice, name="Ben", phone="447700900123", phone_prefix="44"),
            contact_of(alice, name="Dora"),
        ]

        for other in others:
            assert as_alice.refusal("PUT", f"/inbox/users/{other.pk}", put(phone)) == (
                409,
                ["Nothing was changed: the number is another contact's."],
            )
        as_alice.data("PUT", f"/inbox/users/{cleo.pk}", put(phone))
        assert phone_of(cleo) == ("442079460991", "44")


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        (("79123456789", "7"), "8 (912) 345-67-89"),
        (("36201234567", "36"), "06 20 123 4567"),
        (("5491123456789", "54"), "011 15-2345-6789"),
        (("390236618300", "39"), "02 3661 8300"),
        (("525512345678", "52"), "+52 1 55 1234 5678"),
        (("442079460991", "44"), "+44 020 7946 0991"),
        (("442079460991", "44"), "7946 0991"),
        (("442079460991", "44"), "0044 20 79"),
    ],
)
def test_searches_know_how_numbers_are_dialled(alice: User, stored: tuple[str, str], text: str) -> None:
    contact = contact_of(alice, phone=stored[0], phone_prefix=stored[1])
    contact_of(alice, phone="919876543210", phone_prefix="91")

    assert list(Contact.objects.owned_by(alice).mentioning(text)) == [contact]


@pytest.mark.parametrize(("phone", "why"), [*IMPOSSIBLE, *UNMEANT])
def test_an_import_names_the_row_of_a_number_that_cannot_be_and_keeps_nothing(
    as_alice: Caller, cleo: Contact, phone: dict[str, Any], why: str
) -> None:
    rows = [row("Asha", "asha@example.com"), row("Ben", phone=phone), row("Cleo Hall", phone=LONDON[0]), row("X", "x")]

    assert as_alice.refusal("POST", PATH, rows) == (
        400,
        [f"Row 2: {FIELD}.{why}.", "Row 4: profile.userDetails.contact.email should be an email address."],
    )
    assert list(Contact.objects.values_list("name", flat=True)) == ["Cleo"]


@pytest.mark.parametrize(
    ("phone", "why", "status"), [*((*case, 400) for case in IMPOSSIBLE), *((*case, 422) for case in UNMEANT)]
)
def test_a_change_names_a_number_that_cannot_be(
    as_alice: Caller, cleo: Contact, phone: dict[str, Any], why: str, status: int
) -> None:
    refusal = as_alice.refusal("PUT", f"/inbox/users/{cleo.pk}", put(phone))

    assert refusal == (status, [f"{FIELD}.{why}."])
    assert phone_of(cleo) == ("442079460991", "44")


def test_a_number_of_no_country_may_be_that_of_nobody(as_alice: Caller, alice: User, cleo: Contact) -> None:
    dora = contact_of(alice, name="Dora")

    as_alice.data("PUT", f"/inbox/users/{dora.pk}", put({"number": "020 7946 0992"}))

    assert phone_of(dora) == ("02079460992", "")


def test_an_impossible_prefix_alone_is_refused(as_alice: Caller, cleo: Contact) -> None:
    refusal = as_alice.refusal("PUT", f"/inbox/users/{cleo.pk}", put({"prefix": "999"}))

    assert refusal == (400, [f"{FIELD}.prefix 999 is the calling code of no country."])


@pytest.mark.parametrize(
    ("phone", "prefix"),
    [("99912345", "999"), ("4402079460991", "44"), ("004420", ""), ("12423591234", "1242"), ("3900123", "39")],
)
def test_a_number_of_before_that_cannot_be_read_is_written_back_unchanged(
    as_alice: Caller, alice: User, phone: str, prefix: str
) -> None:
    odd = contact_of(alice, name="Odd", phone=phone, phone_prefix=prefix)
    (read,) = as_alice.data("POST", "/inbox/users")

    written = as_alice.data("PUT", f"/inbox/users/{odd.pk}", read)

    assert written == read | {"updatedAt": written["updatedAt"]}


def test_a_number_of_before_may_change_and_keep_its_impossible_prefix(as_alice: Caller, alice: User) -> None:
    odd = contact_of(alice, name="Odd", phone="99912345", phone_prefix="999")

    as_alice.data("PUT", f"/inbox/users/{odd.pk}", put({"number": "54321", "prefix": "999"}))
    assert phone_of(odd) == ("99954321", "999")
    refusal = as_alice.refusal("PUT", f"/inbox/users/{odd.pk}", put({"number": "1" * 18, "prefix": "999"}))

    assert refusal == (400, [f"{FIELD}.prefix 999 is the calling code of no country."])


def test_a_number_that_cannot_be_is_reported_in_each_of_its_rows(as_alice: Caller) -> None:
    wrong = row("Ben", phone={"number": "2079460991", "prefix": "999"})

    refusal = as_alice.refusal("POST", PATH, [wrong, row("Asha"), wrong])

    why = f"{FIELD}.prefix 999 is the calling code of no country."
    assert refusal == (400, [f"Row 1: {why}", f"Row 3: {why}"])


def test_a_row_with_an_impossible_prefix_is_taken_from_the_contact_that_has_it(as_alice: Caller, alice: User) -> None:
    odd = contact_of(alice, name="Odd", phone="99912345", phone_prefix="999")

    data = as_alice.data("POST", PATH, [row("Odd one", phone={"number": "12345", "prefix": "999"})])

    assert data["ids"] == [odd.pk]
    assert phone_of(odd) == ("99912345", "999")


def test_a_row_without_a_prefix_keeps_that_of_the_contact_with_its_email(as_alice: Caller, alice: User) -> None:
    cleo = contact_of(alice, email="cleo@example.com", phone="442079460991", phone_prefix="44")
    # The same number in another country is no reason to refuse the row.
    contact_of(alice, name="Ben", phone="12079460992", phone_prefix="1")
    contact_of(alice, name="Dora", phone="912079460991", phone_prefix="91")

    data = as_alice.data("POST", PATH, [row(email="cleo@example.com", phone={"number": "020 7946 0991"})])
    assert (data["ids"], phone_of(cleo)) == ([cleo.pk], ("442079460991", "44"))
    as_alice.data("POST", PATH, [row(email="cleo@example.com", phone={"number": "020 7946 0993"})])
    assert phone_of(cleo) == ("442079460993", "44")


def test_a_row_whose_number_several_contacts_have_in_their_countries_is_refused(as_alice: Caller, alice: User) -> None:
    for prefix in ("44", "91"):
        contact_of(alice, phone=f"{prefix}7700900123", phone_prefix=prefix)

    refusal = as_alice.refusal("POST", PATH, [row("Cleo", phone={"number": "7700900123"})])

    assert refusal == (400, ["Row 1: several contacts have this number; send its prefix too."])


@pytest.mark.parametrize("search", ["+999 12345", "99912345", "12345"])
def test_attributes_are_set_by_a_number_of_before_that_cannot_be_read(
    as_alice: Caller, alice: User, search: str
) -> None:
    odd = contact_of(alice, phone="99912345", phone_prefix="999")

    data = as_alice.data("PUT", UPDATE, {"search": search, "attributes": {"plan": "gold"}})

    assert data["_id"] == odd.pk


@pytest.mark.parametrize(
    ("phone", "prefix", "shown"),
    [
        ("442079460991", "44", "+44 2079460991"),
        ("9876543210", "", "9876543210"),
        ("2079460991", "44", "2079460991"),
        ("", "", ""),
    ],
)
def test_a_number_is_shown_with_a_plus_where_its_prefix_is_known(phone: str, prefix: str, shown: str) -> None:
    assert Contact(phone=phone, phone_prefix=prefix).number == shown


@pytest.mark.parametrize("prefix", ["+44", "0044", " 44 ", "(+44)", "+ 44", "\u202a+44\u202c", "４４", "'44", 44])
def test_a_prefix_is_read_as_people_write_it(as_alice: Caller, cleo: Contact, prefix: object) -> None:
    as_alice.data("PUT", f"/inbox/users/{cleo.pk}", put({"number": "020 7946 0992", "prefix": prefix}))

    assert phone_of(cleo) == ("442079460992", "44")


@pytest.mark.parametrize(
    "prefix", ["+", "00", "+00", "()", "x", "44.0", "+44x", "4 4 - 4", "123456", "0", -1, True, 4.5]
)
def test_what_is_no_prefix_is_refused(as_alice: Caller, cleo: Contact, prefix: object) -> None:
    status, (why,) = as_alice.refusal("PUT", f"/inbox/users/{cleo.pk}", put({"number": "2079460992", "prefix": prefix}))

    assert status in (400, 422)
    assert why.startswith(f"{FIELD}.prefix ")
    assert phone_of(cleo) == ("442079460991", "44")
