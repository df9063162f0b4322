"""Keeps what a page of the editor shows in a `CallDraft`, and reads it back with references to its hidden values.

A draft carries the server that each hidden value was typed for. A later post that has only the reference changes
neither, so that nobody can send the value elsewhere or show it.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, cast

from django.forms import CharField
from django.utils import timezone

from accounts.keyring import Unreadable
from accounts.orm.object_ids import object_id
from developers.outbound import call_drafts, url_rules
from developers.outbound.call_drafts import CallDraft
from developers.outbound.editor.drafts import FIELDS, Draft
from developers.outbound.editor.forms import LINE_BREAKS, RowForm, line_feeds
from developers.outbound.editor.formsets import FORMSETS, Row
from developers.outbound.editor.hidden_values import HiddenValue, origin_of
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import SENSITIVE, RecipeField, read_parameter

# Of a row, what says nothing about whether it differs from the saved one: an attribute has its own type.
NOT_COMPARED = {"type", "DELETE"}


class Keeping(Enum):
    """What became of a draft: it is kept, it is as saved, or the page has ended and got a new id."""

    KEPT = auto()
    AS_SAVED = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Offer:
    """A draft that a page offers: its id, its last change, and its name or URL."""

    public_id: str
    updated_at: datetime
    title: str


def keep(api: OutboundApi, saved: Draft, draft: Draft) -> Keeping:
    """Keep a submitted draft, unless nothing changed. Sets its hidden values.

    saved: what the page shows of the API as it is saved. Raises `QuotaExceeded` and `Gone`.
    """
    row, before = _find(api, draft.public_id)
    typed = _digest(draft)
    draft.hidden = before["hidden"] if before else {}
    if row and before and before["typed"] == typed:
        draft.kept_at = row.updated_at
        return Keeping.KEPT
    if _comparable(draft) == _comparable(saved):
        if row:
            CallDraft.objects.filter(pk=row.pk, ended_at=None).delete()
        return Keeping.AS_SAVED
    content, hidden = _without_hidden(draft)
    text = json.dumps(content | {"hidden": {name: astuple(each) for name, each in hidden.items()}, "typed": typed})
    if not call_drafts.keep(api.owner_id, draft.public_id, _id_of(api), text):
        draft.public_id = object_id()
        return Keeping.ENDED
    draft.hidden, draft.kept_at = hidden, timezone.now()
    return Keeping.KEPT


def recall(api: OutboundApi, draft: Draft) -> None:
    """Set the hidden values of a submitted draft, without keeping it."""
    _row, before = _find(api, draft.public_id)
    draft.hidden = before["hidden"] if before else {}


def open_draft(api: OutboundApi, public_id: str) -> Draft | None:
    """Return a draft of an API; None if it is gone or cannot be read."""
    row, content = _find(api, public_id)
    if not row or not content:
        return None
    parts = {name: content[name] for name in FORMSETS}
    draft = Draft(fields=content["fields"], samples=content["samples"], part=content["part"], **parts)
    draft.public_id, draft.hidden, draft.kept_at = row.public_id, content["hidden"], row.updated_at
    return draft


def offers(owner_id: int, api: OutboundApi | None = None) -> list[Offer]:
    """Return the drafts of an API, or without one those of APIs that were never saved; the newest first."""
    found = []
    for row in CallDraft.objects.owned_by(owner_id).filter(api=api).current():
        if content := _read(row):
            title = content["fields"]["name"].strip() or content["fields"]["url"].strip()
            found.append(Offer(row.public_id, row.updated_at, title))
    return found


def _id_of(api: OutboundApi) -> str | None:
    return None if api._state.adding else api.pk


def _find(api: OutboundApi, public_id: str) -> tuple[CallDraft | None, Row | None]:
    """Return the owner's draft of this API and id, and its content if it can be read."""
    row = CallDraft.objects.owned_by(api.owner_id).filter(api=_id_of(api)).current().with_id(public_id).first()
    return row, _read(row) if row else None


def _read(row: CallDraft) -> Row | None:
    """Return the content of a draft; None if it cannot be unsealed, or another version wrote it."""
    with suppress(Unreadable, ValueError, KeyError, TypeError):
        content = json.loads(row.content())
        hidden = {name: HiddenValue(*each) for name, each in content["hidden"].items()}
        fields = {name: content["fields"].get(name, "") for name in FIELDS}
        parts = {name: list(map(dict, content.get(name, ()))) for name in FORMSETS}
        found: Row = content | parts | {"fields": fields, "hidden": hidden, "samples": dict(content["samples"])}
        return found
    return None


def _digest(draft: Draft) -> str:
    """Return a digest of what was typed. It is sealed with the content, and no page shows it."""
    content = [draft.fields, draft.samples, *(draft.rows(part) for part in FORMSETS)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _comparable(draft: Draft) -> list[Any]:
    """Return the call in a draft, in one form for what is shown and what a browser submits of it."""
    fields = {name: _plain(draft.fields.get(name)) for name in FIELDS}
    parts = [
        [
            {name: _plain(value) for name, value in row.items() if value and name not in NOT_COMPARED}
            for row in draft.rows(part)
            if not row.get("DELETE") and any(_plain(row.get(name)) for name in form_set.form.content)
        ]
        for part, form_set in FORMSETS.items()
    ]
    return [fields, *parts]


def _plain(value: Any) -> Any:
    return value.replace("\r\n", "\n").replace("\r", "\n").strip() if isinstance(value, str) else value or ""


def _without_hidden(draft: Draft) -> tuple[Row, dict[str, HiddenValue]]:
    """Return the content with references in the place of hidden values, and these by their references.

    References are random: nobody can compare a guess with a hidden value.
    """
    origin = origin_of(draft.fields["url"])
    hidden = {name: draft.hidden[name] for name in _references(draft) if name in draft.hidden}

    def hide(value: str, raw: str = "") -> str:
        hidden[reference := secrets.token_hex(16)] = HiddenValue(line_feeds(value), raw, origin)
        return reference

    fields = dict(draft.fields)
    if fields["body_is_secret"] and fields["body"]:
        fields |= {"body": "", "body_kept": hide(fields["body"])}
    parts = {part: [dict(row) for row in draft.rows(part)] for part in FORMSETS}
    url, query = url_rules.split(fields["url"])
    if any(part.is_hidden and part.value for part in query):
        # Saving does the same: the query becomes parameters, and these can be hidden.
        fields["url"] = url
        parts["parameters"] += [
            {"name": each.name, "value": each.value, "is_secret": each.is_secret, "kept": "", "raw": each.raw}
            for each in query
        ]
    for part, form_set in FORMSETS.items():
        for row in parts[part] if "kept" in form_set.form.base_fields else ():
            _hide_row(row, form_set.form, hide)
    samples = {name: value for name, value in draft.samples.items() if not SENSITIVE.search(name)}
    return {"fields": fields, "samples": samples, "part": draft.part} | parts, hidden


def _hide_row(row: Row, form: type[RowForm], hide: Any) -> None:
    # A row that is added by a button has no texts yet.
    name, value, raw = (str(row.get(each) or "") for each in ("name", "value", "raw"))
    value = value.strip() if cast(CharField, form.base_fields["value"]).strip else value
    if RecipeField(name.strip(), value, bool(row.get("is_secret"))).is_hidden:
        if value.strip():
            row |= {"kept": hide(value, raw), "value": "", "is_secret": True}
        row |= {"raw": ""} if raw else {}
    elif raw and not _spells(raw, name, value):
        row["raw"] = ""


def _spells(raw: str, name: str, value: str) -> bool:
    """Return whether a spelling is of this row. Otherwise it may spell what was hidden before."""
    texts = [LINE_BREAKS.sub("", text).strip() for text in (*read_parameter(raw), name, value)]
    return texts[:2] == texts[2:]


def _references(draft: Draft) -> Iterator[str]:
    yield draft.fields.get("body_kept", "")
    yield from (row.get("kept", "") for part in FORMSETS for row in draft.rows(part))
