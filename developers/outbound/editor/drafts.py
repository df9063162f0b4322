"""The content of the editor, validated or not, from a stored recipe or from a submitted form.

The page never contains a stored secret. Its field is empty, and a reference beside it finds the stored
value again on saving.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.http import QueryDict
from django.utils.crypto import salted_hmac

from accounts.orm.object_ids import OBJECT_ID, object_id
from developers.outbound.editor.body_forms import BodyFieldForm
from developers.outbound.editor.forms import ParameterForm, breaks_of
from developers.outbound.editor.formsets import FORMSETS, Row, posted_rows
from developers.outbound.editor.hidden_values import HiddenValue, origin_of
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, RecipeField

FIELDS = (
    "name",
    "method",
    "url",
    "follows_redirects",
    "body",
    "body_kind",
    "body_is_secret",
    "body_kept",
    "body_breaks",
)
RAW_FORMS: dict[str, type[ParameterForm]] = {"parameters": ParameterForm, "body_fields": BodyFieldForm}
BOXES = ("follows_redirects", "body_is_secret")
SAMPLE = "sample-"


@dataclass(slots=True)
class Draft:
    """The fields, the rows of each part, the sample values for a test, and the hidden values by their references."""

    fields: Row = field(default_factory=dict)
    parameters: list[Row] = field(default_factory=list)
    headers: list[Row] = field(default_factory=list)
    body_fields: list[Row] = field(default_factory=list)
    mappings: list[Row] = field(default_factory=list)
    samples: dict[str, str] = field(default_factory=dict)
    part: str = "parameters"
    # Names the row that keeps it on the server. Each page that is shown has its own.
    public_id: str = field(default_factory=object_id)
    hidden: dict[str, HiddenValue] = field(default_factory=dict)
    # When what is shown was kept on the server, or why it could not be.
    kept_at: datetime | None = None
    not_kept: str = ""

    @classmethod
    def of(cls, api: OutboundApi, recipe: Recipe, *, is_stored: bool = True) -> Self:
        """Make a draft of a recipe. A stored recipe shows no secrets; a pasted one shows everything."""
        body_reference = reference(api, "body", recipe.body) if is_stored and recipe.body_is_secret else ""
        return cls(
            fields={
                "name": api.name,
                "method": recipe.method,
                "url": recipe.url,
                "follows_redirects": recipe.follows_redirects,
                "body": "" if body_reference else recipe.body,
                "body_kind": recipe.body_kind,
                "body_is_secret": recipe.body_is_secret,
                "body_kept": body_reference,
                "body_breaks": breaks_of(recipe.body),
            },
            parameters=[_row(api, "parameters", each, is_stored=is_stored) for each in recipe.parameters],
            headers=[_row(api, "headers", each, is_stored=is_stored) for each in recipe.headers],
            body_fields=[_row(api, "body_fields", each, is_stored=is_stored) for each in recipe.body_fields],
            mappings=[{"path": each.path, "attribute": each.attribute} for each in recipe.mappings],
        )

    @classmethod
    def posted(cls, data: QueryDict) -> Self:
        """Make a draft of a submitted form, without validation."""
        parts: dict[str, Any] = {part: posted_rows(data, part) for part in FORMSETS}
        draft = cls(
            # A page of before sends no kind.
            fields={"body_kind": "json"}
            | {name: _posted(data, name) for name in FIELDS if name in data or name != "body_kind"},
            samples={key.removeprefix(SAMPLE): str(value) for key, value in data.items() if key.startswith(SAMPLE)},
            part=str(data.get("part", "")),
            **parts,
        )
        if OBJECT_ID.fullmatch(data.get("draft", "")):
            draft.public_id = str(data["draft"])
        return draft

    def rows(self, part: str) -> list[Row]:
        """The rows of `parameters`, `headers`, `body_fields` or `mappings`."""
        rows: list[Row] = getattr(self, part)
        return rows


def reference(api: OutboundApi, place: str, value: str) -> str:
    """Return a reference to a stored secret: a digest, under the server's key, of its API, place and value."""
    return salted_hmac("outbound kept secret", f"{api.pk}\0{place}\0{value}", algorithm="sha256").hexdigest()[:32]


def stored_secrets(api: OutboundApi, recipe: Recipe) -> dict[str, HiddenValue]:
    """The stored secrets by their references."""
    origin, secrets = origin_of(recipe.url), dict[str, HiddenValue]()
    if recipe.body_is_secret:
        secrets[reference(api, "body", recipe.body)] = HiddenValue(recipe.body, "", origin)
    for part in ("parameters", "headers", "body_fields"):
        secrets |= {
            _reference_of(api, part, each): HiddenValue(each.value, each.raw, origin)
            for each in getattr(recipe, part)
            if each.is_hidden
        }
    return secrets


def _reference_of(api: OutboundApi, part: str, each: RecipeField) -> str:
    return reference(api, f"{part}\0{each.name}", each.value)


def _row(api: OutboundApi, part: str, each: RecipeField, *, is_stored: bool) -> Row:
    row = {"name": each.name, "value": each.value, "is_secret": each.is_hidden, "kept": ""}
    if part in RAW_FORMS:
        row["raw"] = RAW_FORMS[part].raw_of(each)
    if part == "body_fields":
        row["content_type"] = each.content_type
    if each.is_hidden and is_stored:
        row |= {"value": "", "raw": "", "kept": _reference_of(api, part, each)}
    return row


def _posted(data: QueryDict, name: str) -> Any:
    return name in data if name in BOXES else str(data.get(name, ""))
