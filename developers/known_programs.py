"""Reads the programs and addresses that owners' tokens served on earlier days, and the programs that have a label."""

from datetime import date

from django.db.models import Min

from developers.models import ProgramLabel, TokenUse
from developers.programs import HELD_ADDRESSES, HELD_PROGRAMS, OTHERS, Known


def known_before(days: dict[int, date]) -> dict[int, Known]:
    """Return the labelled programs of owners and those that they used first, each with the addresses used first."""
    known: dict[int, dict[str, list[str]]] = {owner: {} for owner in days}
    uses = TokenUse.objects.filter(user__in=days, day__lt=max(days.values())).exclude(program=OTHERS)
    pairs = uses.order_by().values_list("user", "program", "address").annotate(began_at=Min("first_at"))
    first = list(pairs.order_by("began_at", "program", "address"))
    labels = ProgramLabel.objects.filter(user__in=days).order_by("pk").values_list("user", "program")
    for owner, program in [*labels, *((owner, program) for owner, program, *_ in first)]:
        if len(known[owner]) < HELD_PROGRAMS:
            known[owner].setdefault(program, [])
    for owner, program, address, _began_at in first:
        places = known[owner].get(program)
        if places is not None and len(places) < HELD_ADDRESSES and address != OTHERS:
            places.append(address)
    return {owner: {program: frozenset(places) for program, places in found.items()} for owner, found in known.items()}
