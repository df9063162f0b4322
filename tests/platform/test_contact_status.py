"""Changing the status of several contacts at once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.platform.calls import NOBODY, Caller, contact_of


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

        for foreign in (NOBODY, bobs.pk):
            refusal = as_alice.refusal(
                "PUT", "/inbox/users/status-update", {"ids": [asha.pk, foreign], "status": "CLOSED"}
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
    def test_a_wrong_status_or_id_is_named(self, as_alice: Caller, body: object, sentences: list[str]) -> None:
        assert as_alice.refusal("PUT", "/inbox/users/status-update", body) == (422, sentences)
