"""Choosing a contact whose values a test of an outbound call fills in. The editor of calls knows no contacts."""

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.web.actions import action
from accounts.web.isolates import isolated
from accounts.web.requests import LoggedInRequest, takes_long_forms
from botpenguin.platform.contact_values import texts_of
from botpenguin.platform.models import Contact

PAGE_LENGTH = 10
PAGE_NUMBER = re.compile(r"[1-9]\d{0,2}", re.ASCII)
ATTRIBUTE = re.compile(r"[A-Za-z_]\w{0,59}", re.ASCII)
MOST_ATTRIBUTES = 100
# What the page makes anew. The other fields are those of the editor, and come along.
OWN = ("csrfmiddlewaretoken", "names", "q", "page", "fill", "values", "back")


class Choice(NamedTuple):
    """A contact, the values that it has by the names of the call, and both as the editor takes them."""

    contact: Contact
    values: list[tuple[str, str]]
    fill: str


@takes_long_forms
@action("developers:outbound:apis")
@never_cache
@sensitive_post_parameters()
def contacts_to_test(request: LoggedInRequest) -> HttpResponse:
    """List the account's contacts, newest first, by a search, with what each would fill in."""
    names = list(dict.fromkeys(ATTRIBUTE.findall(request.POST.get("names", ""))))[:MOST_ATTRIBUTES]
    text = request.POST.get("q", "").strip()
    asked = request.POST.get("page", "")
    number = int(asked) if PAGE_NUMBER.fullmatch(asked) else 1
    contacts = request.user.contacts.select_related("bot").defer("notes").newest_first()
    found = contacts.mentioning(text) if text else contacts
    # One more shows whether there is a next page; counting them all would take longer.
    rows = list(found[(number - 1) * PAGE_LENGTH : number * PAGE_LENGTH + 1])
    context = {
        "choices": [_choice(contact, names) for contact in rows[:PAGE_LENGTH]],
        "names": " ".join(names),
        "q": text,
        "previous": number - 1,
        "next": number + 1 if len(rows) > PAGE_LENGTH else 0,
        "is_turned": bool(asked),
        "carried": [] if request.htmx else _carried(request.POST),
        "test_url": _test_url(request.POST.get("api", "")),
    }
    name = "contacts_to_test_dialog" if request.htmx else "contacts_to_test"
    return render(request, f"platform/{name}.html", context)


def _choice(contact: Contact, names: Sequence[str]) -> Choice:
    texts = texts_of(contact, names)
    fill: dict[str, Any] = {
        "values": texts,
        "note": _note(contact, [name for name in names if name.lower() not in texts]),
    }
    return Choice(contact, [(name, texts[name.lower()]) for name in names if name.lower() in texts], json.dumps(fill))


def _note(contact: Contact, missing: Sequence[str]) -> str:
    note = _("Filled in from %(contact)s.") % {"contact": isolated(contact)}
    if not missing:
        return note
    # Translators: %(names)s are names of attributes, such as city, order_status.
    sentence = ngettext(
        "This contact has no %(names)s: that value stays as it is.",
        "This contact has no %(names)s: those values stay as they are.",
        len(missing),
    )
    return f"{note} {sentence % {'names': ', '.join(missing)}}"


def _carried(data: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in data.lists() for value in values if name not in OWN]


def _test_url(api_id: str) -> str:
    """Return where the editor tests this API, or a new one. The form leads nowhere else."""
    try:
        return reverse("developers:outbound:test", args=[api_id])
    except NoReverseMatch:
        return reverse("developers:outbound:test-new")
