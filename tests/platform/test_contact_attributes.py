"""Changing the attributes of a contact: as a list, or as a map of names."""

import pytest

from botpenguin.platform.models import Contact
from tests.platform.calls import Caller

pytestmark = pytest.mark.matrix


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

    def test_unknown_keys_beside_a_key_of_a_contact_are_ignored(self, as_alice: Caller, asha: Contact) -> None:
        for key in ("_id", "_customer", "status", "profile", "isOnline", "updatedAt", "segments"):
            as_alice.data("PUT", f"/inbox/users/{asha.pk}", {key: None, "plan": "silver", "_agent": []})

        assert Contact.objects.get().attributes == asha.attributes

    def test_a_wrong_attribute_of_a_map_is_named(self, as_alice: Caller, asha: Contact) -> None:
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
            ({"plan": 10**999}, "attributes.plan should be a text of at most 1,000 characters, a number up to 2^53, "
             "true, false or null."),
            ({"plan": "\0"}, "attributes.plan should be a text of at most 1,000 characters, a number up to 2^53, "
             "true, false or null."),
            ({"": 1}, "attributes..[key] should be a key of 1 to 100 characters."),
            ({f"{number}": 1 for number in range(101)},
             "attributes should have at most 100 items."),
        ],
    )  # fmt: skip
    def test_a_wrong_attribute_is_named(
        self, as_alice: Caller, asha: Contact, attributes: object, sentence: str
    ) -> None:
        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}", {"attributes": attributes})

        assert refusal == (422, [sentence])

    def test_a_contact_has_a_hundred_at_most(self, as_alice: Caller, asha: Contact) -> None:
        many = {f"{number}": 1 for number in range(98)}

        refusal = as_alice.refusal("PUT", f"/inbox/users/{asha.pk}/attributes", many)

        assert refusal == (409, ["Nothing was changed: a contact has at most 100 attributes."])
