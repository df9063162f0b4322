"""Says what is wrong with a field: "profile.notes.0 should be a text of at most 2,000 characters"."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Characters of a client's key that an error quotes.
LONGEST_KEY = 100
# The type of our own errors, whose context has the clause.
WRONG = "wrong"
OBJECT = gettext_lazy("%(field)s should be an object")
# By the types of pydantic's errors. Translators: %(field)s is the name of a field, such as profile.notes.0.
CLAUSES: "Mapping[str, _StrPromise]" = {
    "missing": gettext_lazy("%(field)s is required"),
    "string_type": gettext_lazy("%(field)s should be a valid string"),
    "bool_type": gettext_lazy("%(field)s should be a valid boolean"),
    "int_type": gettext_lazy("%(field)s should be a valid integer"),
    "int_parsing": gettext_lazy("%(field)s should be a valid integer, unable to parse string as an integer"),
    "list_type": gettext_lazy("%(field)s should be a valid list"),
    "dict_type": OBJECT,
    "model_type": OBJECT,
    "model_attributes_type": OBJECT,
    "greater_than_equal": gettext_lazy("%(field)s should be greater than or equal to %(ge)s"),
    "less_than_equal": gettext_lazy("%(field)s should be less than or equal to %(le)s"),
}


def sentence(location: Sequence[int | str], error: Mapping[str, Any]) -> str:
    return ended(describe(location or [_("The body")], error))


def ended(clause: str) -> str:
    # Translators: makes a sentence of a clause such as "name is required".
    return _("%(clause)s.") % {"clause": clause}


def describe(location: Sequence[int | str], error: Mapping[str, Any]) -> str:
    """Return a clause in the active language for an error of pydantic, in English for types that are not known here."""
    field = ".".join(str(part)[:LONGEST_KEY] for part in location)
    kind, context = error["type"], error.get("ctx", {})
    if kind == WRONG:
        return str(context["clause"] % {"field": field})
    if kind in CLAUSES:
        return str(CLAUSES[kind] % (context | {"field": field}))
    if kind == "too_short":
        least = context["min_length"]
        clause = ngettext(
            "%(field)s should have at least %(least)d item", "%(field)s should have at least %(least)d items", least
        )
        return clause % {"field": field, "least": least}
    if kind == "too_long":
        most = context["max_length"]
        clause = ngettext(
            "%(field)s should have at most %(most)d item", "%(field)s should have at most %(most)d items", most
        )
        return clause % {"field": field, "most": most}
    if kind == "literal_error":
        values, _or, last = context["expected"].rpartition(" or ")
        # Translators: %(values)s is a list with commas, as in "status should be 'OPEN', 'REVIEW' or 'CLOSED'".
        clause = _("%(field)s should be %(values)s or %(last)s") if values else _("%(field)s should be %(last)s")
        return clause % {"field": field, "values": values, "last": last}
    message = re.sub(r"^[A-Z]\w+ should ", "should ", error["msg"])
    return f"{field} {message.rstrip('.')}"
