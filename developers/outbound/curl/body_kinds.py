"""The kind of a body that was pasted: by its Content-Type, or by curl's own."""

from dataclasses import dataclass, field
from email.message import Message

from django.utils.translation import gettext as _

from developers.outbound.body import MULTIPART
from developers.outbound.curl import multipart
from developers.outbound.curl.multipart import FormFields
from developers.outbound.curl.problems import InvalidCommand
from developers.outbound.fields import RecipeField, fields_of
from developers.outbound.recipe import CONTENT_TYPES
from developers.outbound.validation import LONGEST_VALUE, MOST_FIELDS, body_problem


@dataclass(slots=True)
class PastedBody:
    """A body of its kind, the headers without the Content-Type that the kind has anyway, and sentences."""

    kind: str
    headers: list[RecipeField]
    text: str = ""
    fields: tuple[RecipeField, ...] = ()
    left_out: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)


def body_of(body: str | None, form: FormFields, headers: list[RecipeField]) -> PastedBody:
    """Return the body of a command. Raises `InvalidCommand` if it has two."""
    if form.fields:
        if body is not None:
            raise InvalidCommand(_("The command has fields after -F and data after -d. curl sends only one of them."))
        return _of_fields(form, headers)
    if body is None:
        return PastedBody("json", headers)
    named = _content_type(headers)
    if named is None:
        pasted = _typed(body, CONTENT_TYPES["form"], [*headers, RecipeField("Content-Type", CONTENT_TYPES["form"])])
        if body.lstrip().startswith(("{", "[")):
            sentence = _("Without a Content-Type curl sends the body as a form. If the server wants JSON, choose JSON.")
            pasted.to_do.append(sentence)
        return pasted
    return _typed(body, named, headers)


def _of_fields(form: FormFields, headers: list[RecipeField]) -> PastedBody:
    pasted = PastedBody("multipart", headers, fields=tuple(form.fields))
    named = _content_type(headers)
    if named is not None and _media_type(named) == MULTIPART:
        pasted.headers = _without_content_type(headers)
        if "boundary" in named.lower():
            pasted.left_out.append(_("The boundary in Content-Type is left out: each call has its own."))
    return pasted


def _typed(body: str, named: str, headers: list[RecipeField]) -> PastedBody:
    media_type = _media_type(named)
    if media_type == MULTIPART:
        return _written_out(body, named, headers)
    if media_type == CONTENT_TYPES["form"]:
        fields = fields_of(body)
        if (
            fields is not None
            and len(fields) <= MOST_FIELDS
            and all(len(each.value) <= LONGEST_VALUE for each in fields)
        ):
            return PastedBody("form", _without_usual(headers, "form"), fields=fields)
        return PastedBody("text", headers, body)
    is_json = media_type == "application/json" or media_type.endswith("+json")
    kind = "text" if not is_json or not body.strip() or body_problem("json", body) else "json"
    return PastedBody(kind, _without_usual(headers, kind), body)


def _written_out(body: str, named: str, headers: list[RecipeField]) -> PastedBody:
    """Read a multipart body that a browser wrote out. Its boundary means nothing once it is read."""
    message = Message()
    message["Content-Type"] = named
    boundary = message.get_boundary("")
    fields = multipart.read(body, boundary) if boundary else None
    if fields:
        return PastedBody("multipart", _without_content_type(headers), fields=fields)
    pasted = PastedBody("text", headers, body)
    sentence = _(
        "The body is multipart/form-data with a file, or with parts that cannot be read. It stays a text; choose "
        "Multipart form and write its fields."
    )
    pasted.to_do.append(sentence)
    return pasted


def _content_type(headers: list[RecipeField]) -> str | None:
    return next((header.value for header in headers if header.name.lower() == "content-type"), None)


def _media_type(named: str) -> str:
    return named.partition(";")[0].strip().lower()


def _without_content_type(headers: list[RecipeField]) -> list[RecipeField]:
    return [header for header in headers if header.name.lower() != "content-type"]


def _without_usual(headers: list[RecipeField], kind: str) -> list[RecipeField]:
    usual = ("content-type", CONTENT_TYPES[kind])
    return [header for header in headers if (header.name.lower(), header.value) != usual]
