"""What owners call the programs that use their tokens. Labels outlive tokens and uses."""

from django.utils.translation import gettext as _

from accounts.orm.owners import changing
from developers.models import ProgramLabel
from developers.used_by import names_of

MOST_LABELS = 100


class TooManyLabels(Exception):
    """Each of the most labels that an account has names a program in use. The text is for people."""


def set_label(owner_id: int, program: str, label: str) -> None:
    """Give a program a label, or take it away with "". Raises `TooManyLabels`, and `AccountGone`."""
    with changing(owner_id):
        labels = ProgramLabel.objects.filter(user=owner_id)
        if not label:
            labels.filter(program=program).delete()
            return
        others = labels.exclude(program=program)
        if others.count() >= MOST_LABELS:
            others.exclude(program__in=names_of(owner_id)).delete()
            if others.count() >= MOST_LABELS:
                raise TooManyLabels(_("You have %(most)d labels. Remove one to make room.") % {"most": MOST_LABELS})
        ProgramLabel.objects.bulk_create(
            [ProgramLabel(user_id=owner_id, program=program, label=label)],
            update_conflicts=True,
            unique_fields=["user", "program"],
            update_fields=["label"],
        )
