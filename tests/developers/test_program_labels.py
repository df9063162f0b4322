"""What owners call their programs."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.orm.owners import AccountGone
from developers import program_labels
from developers.issuance import revoke
from developers.models import ProgramLabel, TokenUse
from developers.program_labels import TooManyLabels, set_label
from tests.cast import LAPTOP
from tests.developers.test_program_uses import make

pytestmark = pytest.mark.matrix


def labels(owner: User) -> dict[str, str]:
    return dict(ProgramLabel.objects.filter(user=owner).order_by("program").values_list("program", "label"))


def test_a_label_is_given_changed_and_taken_away(alice: User, bob: User) -> None:
    set_label(bob.pk, "n8n", "His")
    seen = []
    for label in ("CRM", "CRM sync", "", ""):
        set_label(alice.pk, "n8n", label)
        seen.append(labels(alice))

    assert seen == [{"n8n": "CRM"}, {"n8n": "CRM sync"}, {}, {}]
    assert labels(bob) == {"n8n": "His"}
    assert str(ProgramLabel.objects.get()) == "His"


def test_a_label_outlives_the_token_and_the_uses_of_its_program(alice: User) -> None:
    make(alice, "n8n")
    set_label(alice.pk, "n8n", "CRM sync")

    revoke(alice, 1, LAPTOP, even_if_used=True)
    TokenUse.objects.all().delete()

    assert labels(alice) == {"n8n": "CRM sync"}


def test_labels_of_programs_that_are_gone_make_room_for_new_ones(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_labels, "MOST_LABELS", 2)
    make(alice, "used")
    for program in ("used", "gone", "new"):
        set_label(alice.pk, program, program.title())

    assert labels(alice) == {"new": "New", "used": "Used"}


def test_more_labels_than_there_is_room_for_are_refused_and_change_nothing(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_labels, "MOST_LABELS", 2)
    for program in ("a", "b", "c"):
        make(alice, program)
    set_label(alice.pk, "a", "First")
    set_label(alice.pk, "b", "Second")

    with pytest.raises(TooManyLabels, match=r"^You have 2 labels\. Remove one to make room\.$"):
        set_label(alice.pk, "c", "Third")
    set_label(alice.pk, "a", "Changed")

    assert labels(alice) == {"a": "Changed", "b": "Second"}


def test_an_account_that_is_gone_gets_no_label(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)

    with pytest.raises(AccountGone):
        set_label(alice.pk, "n8n", "CRM sync")

    assert labels(alice) == {}


def test_the_database_takes_no_empty_label_and_one_for_each_program(alice: User) -> None:
    ProgramLabel.objects.create(user=alice, program="n8n", label="CRM sync")

    for program, label in (("curl", ""), ("n8n", "Again")):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProgramLabel.objects.create(user=alice, program=program, label=label)
