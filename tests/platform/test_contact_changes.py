"""Changing contacts: names, numbers and all other fields."""

from typing import Any

import phonenumbers
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.interleaving import just_before
from tests.platform.calls import NOBODY, Caller, contact_of, names

pytestmark = pytest.mark.matrix

NO_CONTACT = (404, ["There is no contact with this id in your account."])

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=60)
VALUES = TEXTS | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e9, 1e9) | st.booleans()
CODES = st.sampled_from(["", *map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE)])
# Not with 00, which would be an exit code.
NUMBERS = st.from_regex(r"0?[1-9][0-9]{3,10}", fullmatch=True)
PHONES = st.one_of(
    st.builds(lambda prefix, number: {"number": number, "prefix": prefix}, CODES, NUMBERS | st.just("")),
    st.builds(lambda prefix, number: {"number": f"+{prefix or 44}{number}"}, CODES, NUMBERS),
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
        imported = as_alice.send("POST", "/inbox/users/import", [{"profile": {"userDetails": details}}])
        # Some countries have no numbers of this length.
        assume("contact.phone" not in imported.content.decode())
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
                "telegramUserName": "@rao",
                "instagramProfileId": 17841400000000001,
                "facebookProfileId": "",
            },
            "notes": [],
        }
        read |= {"status": "REVIEW", "platform": ["sms"], "isContact": False, "isSubscriber": False}
        read |= {"unreadMessages": 0}

        written = self.put(as_alice, asha, read)

        details = written["profile"]["userDetails"]
        assert details == read["profile"]["userDetails"] | {
            "name": "Asha Rao",
            "contact": {"email": "rao@example.com", "phone": {"number": "2079460991", "prefix": "44"}},
            "tags": ["partner", "vip"],
            "whatsAppNumber": "442079460991",
            "instagramProfileId": "17841400000000001",
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

    def test_fields_that_are_left_out_or_null_stay(self, as_alice: Caller, asha: Contact) -> None:
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
    def test_the_new_one_of_two_names_counts(
        self, as_alice: Caller, asha: Contact, details: dict[str, str], name: str
    ) -> None:
        written = self.put(as_alice, asha, {"profile": {"userDetails": details}})

        assert names([written]) == [name]

    @pytest.mark.parametrize(
        ("phone", "number", "prefix"),
        [
            ({"number": "2079460991", "prefix": "44"}, "2079460991", "44"),
            ({"number": 2079460991, "prefix": 44}, "2079460991", "44"),
            ({"number": 2079460991.0}, "2079460991", "91"),
            ({"number": "+442079460991", "prefix": "44"}, "2079460991", "44"),
            ({"number": "+442079460991", "prefix": "91"}, "2079460991", "44"),
            ({"number": "+442079460991"}, "2079460991", "44"),
            ({"number": "+441234", "prefix": "44"}, "1234", "44"),
            ({"number": "2079460991", "prefix": ""}, "2079460991", ""),
            ({"prefix": ""}, "9876543210", ""),
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
    def test_an_email_or_number_of_another_contact_is_409(
        self, as_alice: Caller, alice: User, asha: Contact, reach: dict[str, Any], why: str
    ) -> None:
        contact_of(alice, name="Ben", email="ben@example.com", phone="442079460991")

        refusal = as_alice.refusal(
            "PUT", f"/inbox/users/{asha.pk}", {"profile": {"userDetails": {"contact": reach, "name": "X"}}}
        )

        assert refusal == (409, [f"Nothing was changed: {why}."])
        assert Contact.objects.get(pk=asha.pk).name == "Asha"

    def test_a_contact_keeps_a_name_an_email_or_a_number(self, as_alice: Caller, asha: Contact) -> None:
        empty = {"name": "", "contact": {"email": "", "phone": {"number": ""}}}

        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}", {"profile": {"userDetails": empty}})

        assert refusal == (409, ["Nothing was changed: a contact needs a name, an email or a number."])

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({"status": "LOST"}, "status should be 'OPEN', 'INPROGRESS', 'REVIEW', 'ONHOLD', 'DEPENDANCY', "
             "'CLOSED' or 'DELETED'."),
            ({"platform": []}, "platform should have at least 1 item."),
            ({"unreadMessages": 2**31}, "unreadMessages should be less than or equal to 2147483647."),
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
