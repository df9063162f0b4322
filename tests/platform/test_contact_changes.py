"""Changing contacts: the whole, their attributes, their status."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.interleaving import just_before
from tests.platform.calls import NOBODY, Caller, contact_of, names

NO_CONTACT = (404, ["There is no contact with this id in your account."])

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60)
VALUES = TEXTS | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | st.booleans()
PREFIXES = st.from_regex(r"[0-9]{0,5}", fullmatch=True)
NUMBERS = st.from_regex(r"[0-9]{4,10}", fullmatch=True)
PHONES = st.one_of(
    st.builds(lambda prefix, number: {"number": number, "prefix": prefix}, PREFIXES, NUMBERS | st.just("")),
    # With the prefix in the number: what is left may be as short as nothing.
    st.builds(lambda prefix, number: {"number": f"+{number}", "prefix": number[:prefix]}, st.integers(0, 5), NUMBERS),
)
EMAILS = st.sampled_from(["", "Asha@Example.com"])
DETAILS = st.fixed_dictionaries(
    {"userProvidedName": WORDS, "contact": st.fixed_dictionaries({"email": EMAILS, "phone": PHONES})},
    optional={
        "country": TEXTS,
        "tags": st.lists(WORDS, max_size=5),
        "attributes": st.dictionaries(WORDS, VALUES, max_size=5),
    },
)


class TestChanging:
    def put(self, as_alice: Caller, contact: Contact, body: Any) -> Any:
        return as_alice.data("PUT", f"/inbox/users/{contact.pk}", body)

    def test_a_contact_written_back_as_it_was_read_stays_as_it_was(self, as_alice: Caller, asha: Contact) -> None:
        (read,) = as_alice.data("POST", "/inbox/users")

        written = self.put(as_alice, asha, read)

        assert written == read | {"updatedAt": written["updatedAt"]}
        assert as_alice.data("POST", "/inbox/users") == [written]

    @pytest.mark.no_cover
    @hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
    @given(DETAILS)
    def test_whatever_was_imported_can_be_written_back_as_it_is_read(
        self, as_alice: Caller, details: dict[str, Any]
    ) -> None:
        Contact.objects.all().delete()
        as_alice.data("POST", "/inbox/users/import", [{"profile": {"userDetails": details}}])
        (read,) = as_alice.data("POST", "/inbox/users")

        written = as_alice.data("PUT", f"/inbox/users/{read['_id']}", read)

        assert written == read | {"updatedAt": written["updatedAt"]}

    def test_the_whole_contact_is_changed(self, as_alice: Caller, asha: Contact) -> None:
        (read,) = as_alice.data("POST", "/inbox/users")
        read["profile"] = {
            "userDetails": {
                "name": "Asha",
                "userProvidedName": "Asha Rao",
                "contact": {"email": "Rao@example.com", "phone": {"number": "(020) 7946-0991", "prefix": "+44"}},
                "tags": ["vip", " partner ", "vip"],
                "attributes": [{"key": "plan", "value": "silver"}],
                "country": "Britain",
            },
            "notes": [],
        }
        read |= {"status": "REVIEW", "platform": ["sms"], "isContact": False, "isSubscriber": False}
        read |= {"unreadMessages": 0}

        written = self.put(as_alice, asha, read)

        details = written["profile"]["userDetails"]
        assert details == read["profile"]["userDetails"] | {
            "name": "Asha Rao",
            "contact": {"email": "rao@example.com", "phone": {"number": "02079460991", "prefix": "44"}},
            "tags": ["partner", "vip"],
            "whatsAppNumber": "4402079460991",
        }
        same = ("status", "platform", "isContact", "isSubscriber", "unreadMessages")
        assert [written[key] for key in same] == [read[key] for key in same]

    def test_read_only_keys_are_ignored(self, as_alice: Caller, bob: User, asha: Contact) -> None:
        (read,) = as_alice.data("POST", "/inbox/users")
        shown = {
            "_id": NOBODY,
            "_customer": f"{bob.pk:024x}",
            "createdAt": "2001-01-01T00:00:00.000Z",
            "updatedAt": 7,
            "lastSeenAt": None,
            "lastMessage": {"by": "me", "at": ""},
            "isOnline": True,
            "isImported": True,
            "segments": ["x"],
        }

        written = self.put(as_alice, asha, shown)

        assert written == read | {"updatedAt": written["updatedAt"]}

    def test_what_is_left_out_or_null_stays(self, as_alice: Caller, asha: Contact) -> None:
        (read,) = as_alice.data("POST", "/inbox/users")
        bodies: list[Any] = [{}, dict.fromkeys(read), {"profile": {}}, {"profile": {"userDetails": {"contact": {}}}}]

        for body in bodies:
            written = self.put(as_alice, asha, body)
            assert written == read | {"updatedAt": written["updatedAt"]}

    @pytest.mark.parametrize(
        ("details", "name"),
        [
            ({"userProvidedName": "New"}, "New"),
            ({"name": "New"}, "New"),
            ({"name": "New", "userProvidedName": "Asha"}, "New"),
            ({"name": "Asha", "userProvidedName": "New"}, "New"),
            ({"name": "Other", "userProvidedName": "New"}, "New"),
            ({"name": "Asha", "userProvidedName": ""}, ""),
        ],
    )
    def test_of_the_two_names_the_new_one_counts(
        self, as_alice: Caller, asha: Contact, details: dict[str, str], name: str
    ) -> None:
        written = self.put(as_alice, asha, {"profile": {"userDetails": details}})

        assert names([written]) == [name]

    @pytest.mark.parametrize(
        ("phone", "number", "prefix"),
        [
            ({"number": "2079460991", "prefix": "44"}, "2079460991", "44"),
            ({"number": 2079460991, "prefix": 44}, "2079460991", "44"),
            ({"number": 2079460991.0}, "2079460991", ""),
            ({"number": "+442079460991", "prefix": "44"}, "2079460991", "44"),
            ({"number": "+442079460991", "prefix": "91"}, "442079460991", ""),
            ({"number": "+442079460991"}, "442079460991", ""),
            ({"number": "+441234", "prefix": "44"}, "1234", "44"),
            ({"number": "+44123", "prefix": "44"}, "44123", ""),
            ({"prefix": "44"}, "9876543210", "44"),
            ({"number": ""}, "", ""),
            ({}, "9876543210", "91"),
        ],
    )
    def test_a_number_is_kept_in_digits_with_its_prefix_beside_it(
        self, as_alice: Caller, asha: Contact, phone: dict[str, Any], number: str, prefix: str
    ) -> None:
        written = self.put(as_alice, asha, {"profile": {"userDetails": {"contact": {"phone": phone}}}})

        assert written["profile"]["userDetails"]["contact"]["phone"] == {"number": number, "prefix": prefix}

    @pytest.mark.parametrize(
        ("reach", "why"),
        [
            ({"email": "BEN@example.com"}, "the email is another contact's"),
            ({"phone": {"number": "2079460991", "prefix": "44"}}, "the number is another contact's"),
        ],
    )
    def test_what_is_another_contacts_is_409(
        self, as_alice: Caller, alice: User, asha: Contact, reach: dict[str, Any], why: str
    ) -> None:
        contact_of(alice, name="Ben", email="ben@example.com", phone="442079460991")

        refusal = as_alice.refusal(
            "PUT", f"/inbox/users/{asha.pk}", {"profile": {"userDetails": {"contact": reach, "name": "X"}}}
        )

        assert refusal == (409, [f"Nothing was changed: {why}."])
        assert Contact.objects.get(pk=asha.pk).name == "Asha"

    def test_a_contact_stays_somebody(self, as_alice: Caller, asha: Contact) -> None:
        empty = {"name": "", "contact": {"email": "", "phone": {"number": ""}}}

        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}", {"profile": {"userDetails": empty}})

        assert refusal == (409, ["Nothing was changed: a contact needs a name, an email or a number."])

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({"status": "LOST"}, "status should be 'OPEN', 'INPROGRESS', 'REVIEW', 'ONHOLD', 'DEPENDANCY', "
             "'CLOSED' or 'DELETED'."),
            ({"platform": []}, "platform should have at least 1 item."),
            ({"unreadMessages": 2**31}, "unreadMessages should be less than 2147483648."),
            ({"profile": {"userDetails": {"contact": {"email": "x"}}}},
             "profile.userDetails.contact.email should be an email address."),
            ({"profile": {"userDetails": {"contact": {"phone": {"number": "12"}}}}},
             "profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits."),
            ({"profile": {"userDetails": {"contact": {"phone": {"number": 10**15}}}}},
             "profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits."),
            ({"profile": {"userDetails": {"contact": {"phone": {"prefix": True}}}}},
             "profile.userDetails.contact.phone.prefix should be the prefix of a country, 1 to 5 digits."),
            ({"profile": {"notes": [3]}}, "profile.notes.0 should be a text of at most 2,000 characters."),
            ({"profile": {"userDetails": {"tags": [""]}}},
             "profile.userDetails.tags.0 should be a tag of 1 to 60 characters."),
        ],
    )  # fmt: skip
    def test_a_wrong_field_is_named(self, as_alice: Caller, asha: Contact, body: Any, sentence: str) -> None:
        assert as_alice.refusal("PUT", f"/inbox/users/{asha.pk}", body) == (422, [sentence])

    def test_somebody_elses_contact_is_404(self, as_bob: Caller, asha: Contact) -> None:
        refusals = [
            as_bob.refusal("PUT", f"/inbox/users/{asha.pk}", {"status": "CLOSED"}),
            as_bob.refusal("PUT", f"/inbox/users/{asha.pk}/attributes", {"plan": "none"}),
            as_bob.refusal("PUT", f"/inbox/users/{NOBODY}", {}),
            as_bob.refusal("PUT", "/inbox/users/%00", {}),
        ]

        assert refusals == [NO_CONTACT] * 4
        assert Contact.objects.get().status == "OPEN"


class TestAttributes:
    @pytest.mark.parametrize("path", ["", "/attributes"])
    @pytest.mark.parametrize(
        "attributes", [[{"key": "plan", "value": "silver"}, {"key": "age"}], {"plan": "silver", "age": None}]
    )
    def test_some_are_set_and_the_others_stay(
        self, as_alice: Caller, asha: Contact, path: str, attributes: object
    ) -> None:
        as_alice.data("PUT", f"/inbox/users/{asha.pk}{path}", {"attributes": attributes})

        assert Contact.objects.get().attributes == {"plan": "silver", "is_new": False}

    @pytest.mark.parametrize("path", ["", "/attributes"])
    def test_a_map_of_names_may_be_the_whole_body(self, as_alice: Caller, asha: Contact, path: str) -> None:
        as_alice.data("PUT", f"/inbox/users/{asha.pk}{path}", {"plan": "silver", "age": None, "name": "x"})

        asha.refresh_from_db()
        assert (asha.name, asha.attributes) == ("Asha", {"plan": "silver", "is_new": False, "name": "x"})

    def test_beside_a_key_of_a_contact_others_are_no_attributes(self, as_alice: Caller, asha: Contact) -> None:
        for key in ("_id", "_customer", "status", "profile", "isOnline", "updatedAt", "segments"):
            as_alice.data("PUT", f"/inbox/users/{asha.pk}", {key: None, "plan": "silver", "_agent": []})

        assert Contact.objects.get().attributes == asha.attributes

    def test_what_is_no_attribute_of_a_map_is_named(self, as_alice: Caller, asha: Contact) -> None:
        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}", {"plan": []})

        assert refusal == (
            422,
            ["attributes.plan should be a text of at most 1,000 characters, a number up to 2^53, true, false or null."],
        )

    def test_an_attribute_may_be_called_attributes(self, as_alice: Caller, asha: Contact) -> None:
        as_alice.data("PUT", f"/inbox/users/{asha.pk}/attributes", {"attributes": "many", "score": -1.5})

        assert Contact.objects.get().attributes == asha.attributes | {"attributes": "many", "score": -1.5}

    @pytest.mark.parametrize(
        ("attributes", "sentence"),
        [
            ([1], 'attributes should be a list of {"key": …, "value": …}, or a map.'),
            ([{"value": 1}], 'attributes should be a list of {"key": …, "value": …}, or a map.'),
            ("plan", "attributes should be an object."),
            ({"plan": ["gold"]}, "attributes.plan should be a text of at most 1,000 characters, a number up to 2^53, "
             "true, false or null."),
            ({"plan": 10**400}, "attributes.plan should be a text of at most 1,000 characters, a number up to 2^53, "
             "true, false or null."),
            ({"plan": "\0"}, "attributes.plan should be a text of at most 1,000 characters, a number up to 2^53, "
             "true, false or null."),
            ({"": 1}, "attributes..[key] should be a key of 1 to 100 characters."),
            ({f"{number}": 1 for number in range(101)},
             "attributes should have at most 100 items."),
        ],
    )  # fmt: skip
    def test_what_is_no_attribute_is_named(
        self, as_alice: Caller, asha: Contact, attributes: object, sentence: str
    ) -> None:
        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}", {"attributes": attributes})

        assert refusal == (422, [sentence])

    def test_a_contact_has_a_hundred_at_most(self, as_alice: Caller, asha: Contact) -> None:
        many = {f"{number}": 1 for number in range(98)}

        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}/attributes", many)

        assert refusal == (409, ["Nothing was changed: a contact has at most 100 attributes."])


class TestStatus:
    def test_several_contacts_get_one_status(self, as_alice: Caller, alice: User, asha: Contact) -> None:
        ben, cleo = contact_of(alice, name="Ben"), contact_of(alice, name="Cleo")

        answer = as_alice.data(
            "PUT", "/inbox/users/status-update", {"ids": [asha.pk, ben.pk, ben.pk], "status": "DEPENDANCY"}
        )

        assert answer == {"updated": 2}
        statuses = dict(Contact.objects.values_list("pk", "status"))
        assert statuses == {asha.pk: "DEPENDANCY", ben.pk: "DEPENDANCY", cleo.pk: "OPEN"}

    def test_many_contacts_take_one_statement(self, as_alice: Caller, alice: User) -> None:
        ids = [contact_of(alice, name=f"Ben {number}").pk for number in range(3)]

        with CaptureQueriesContext(connection) as queries:
            as_alice.data("PUT", "/inbox/users/status-update", {"ids": ids, "status": "CLOSED"})

        assert len([query for query in queries if query["sql"].startswith('UPDATE "platform_contact"')]) == 1

    def test_an_id_of_nobody_or_of_somebody_else_changes_nothing(
        self, as_alice: Caller, bob: User, asha: Contact
    ) -> None:
        bobs = contact_of(bob, name="Dora")

        for stranger in (NOBODY, bobs.pk):
            refusal = as_alice.refusal(
                "PUT", "/inbox/users/status-update", {"ids": [asha.pk, stranger], "status": "CLOSED"}
            )
            assert refusal == (
                404, ["Some of these ids belong to no contact of your account. Nothing was changed."]
            )  # fmt: skip

        assert set(Contact.objects.values_list("status", flat=True)) == {"OPEN"}

    @pytest.mark.parametrize(
        ("body", "sentences"),
        [
            ({}, ["ids is required.", "status is required."]),
            ({"ids": [], "status": "OPEN"}, ["ids should have at least 1 item."]),
            ({"ids": ["\0"], "status": "OPEN"}, ["ids.0 should be an id, 24 hexadecimal digits."]),
            (
                {"ids": [NOBODY] * 1001, "status": "OPEN"},
                ["ids should have at most 1000 items."],
            ),
        ],
    )
    def test_what_cannot_be_is_named(self, as_alice: Caller, body: object, sentences: list[str]) -> None:
        assert as_alice.refusal("PUT", "/inbox/users/status-update", body) == (422, sentences)


def test_a_contact_that_is_deleted_meanwhile_is_404(as_alice: Caller, asha: Contact) -> None:
    with just_before('UPDATE "platform_contact"', lambda: Contact.objects.all().delete()):
        response = as_alice.send("PUT", f"/inbox/users/{asha.pk}", {"status": "CLOSED"})

    assert response.status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/inbox/users/{}", {"profile": {"userDetails": {"tags": ["new"]}}}),
        ("/inbox/users/{}/attributes", {"plan": "gold"}),
        ("/integrations/custom-app/update-user-attributes", None),
    ],
)
def test_the_answer_is_built_once_the_transaction_is_over(as_alice: Caller, alice: User, path: str, body: Any) -> None:
    contact = contact_of(alice, ("old",), email="asha@example.com")
    body = body or {"search": contact.email, "attributes": {"plan": "gold"}}

    with CaptureQueriesContext(connection) as queries:
        data = as_alice.data("PUT", path.format(contact.pk), body)

    statements = [query["sql"] for query in queries.captured_queries]
    [shown] = [number for number, sql in enumerate(statements) if 'FROM "platform_segment"' in sql]
    assert max(number for number, sql in enumerate(statements) if sql.startswith("RELEASE SAVEPOINT")) < shown
    assert [sql for sql in statements[shown + 1 :] if "SELECT" in sql] == []
    assert data["profile"]["userDetails"]["tags"] == (["new"] if "profile" in body else ["old"])
