"""The operations of the API as its reference describes them, made of the OpenAPI document.

The document is in English. Its texts are translated here, a paragraph at a time: `reference_texts` lists them.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, pgettext, pgettext_lazy

from botpenguin.platform.api.fields import ID_EXAMPLE
from botpenguin.platform.api.openapi import ERRORS, resolved
from botpenguin.platform.api.samples import Call

# Translators: kinds of values of a field, as in "query, text".
NAMES = {
    "string": pgettext_lazy("kind of value", "text"),
    "integer": pgettext_lazy("kind of value", "whole number"),
    "boolean": pgettext_lazy("kind of value", "true or false"),
    "object": pgettext_lazy("kind of value", "object"),
}
PLACES = {
    "path": pgettext_lazy("where a parameter stands", "path"),
    "query": pgettext_lazy("where a parameter stands", "query"),
}
# By tag of the document.
TITLES = {
    "bots": gettext_lazy("Bots"),
    "inbox": gettext_lazy("Inbox"),
    "integrations": gettext_lazy("Integrations"),
    "third-party apps": gettext_lazy("Third-party apps"),
    "token": gettext_lazy("Token"),
    # Translators: the title of the operation that ends a token.
    "revoke": pgettext_lazy("title of a group of operations", "Revoke"),
}
IN_PATH = re.compile(r"\{(\w+)\}")
REVOKE = "revoke_token"
# Keys of bodies that hold an id, and the parameter that names the same object.
IDS = {"botId": "bot_id", "contactId": "contact_id"}


@dataclass(frozen=True)
class DocumentedField:
    name: str
    kind: str
    is_required: bool
    note: SafeString


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: SafeString
    needs_token: bool
    parameters: list[DocumentedField]
    fields: list[DocumentedField]
    body: Any
    responses: list[tuple[str, str]]
    errors: list[tuple[str, SafeString]]

    @property
    def can_be_run(self) -> bool:
        """Whether the reference offers to run it. The page of the token ends the token: it shows the new one."""
        return self.needs_token and self.id != REVOKE

    def call(self, base_url: str, ids: Mapping[str, str]) -> Call:
        """Return the call of the example, with ids of the reader's own objects by the names of parameters."""
        path = IN_PATH.sub(lambda match: ids.get(match[1], ID_EXAMPLE), self.path)
        names_a_bot = any(parameter.name == "botId" for parameter in self.parameters)
        query = f"?botId={ids.get('bot_id', ID_EXAMPLE)}" if names_a_bot else ""
        return Call(self.method, f"{base_url}{path}{query}", self.needs_token, _with_ids(self.body, ids))


Translate = Callable[[str], str]


def groups(document: Mapping[str, Any], translate: Translate = gettext) -> dict[str, list[Operation]]:
    """Return the operations of a document by tag, in its order, in the active language."""
    found: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            described = _operation(method, path, operation, document["components"]["schemas"], translate)
            found.setdefault(operation["tags"][0], []).append(described)
    return found


def _with_ids(value: Any, ids: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {key: ids.get(IDS.get(key, ""), _with_ids(item, ids)) for key, item in value.items()}
        case list():
            return [ids.get("contact_id", item) if item == ID_EXAMPLE else _with_ids(item, ids) for item in value]
        case _:
            return value


def prose(text: str, translate: Translate = gettext) -> SafeString:
    """Translate paragraphs, which blank lines divide, and render backticks as code."""
    return format_html_join("\n", "<p>{}</p>", ((_note(paragraph, translate),) for paragraph in text.split("\n\n")))


def _note(text: str, translate: Translate) -> SafeString:
    # Of an empty text, gettext returns the head of the catalogue.
    return _coded(translate(" ".join(text.split())) if text else "")


def _coded(text: str) -> SafeString:
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


def _operation(
    method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any], translate: Translate
) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=translate(operation["summary"]),
        description=prose(operation["description"], translate),
        needs_token=bool(operation["security"]),
        parameters=[
            DocumentedField(
                part["name"],
                f"{PLACES[part['in']]}, {_kind(part['schema'], schemas)}",
                part["required"],
                _note(part.get("description", ""), translate),
            )
            for part in operation.get("parameters", ())
        ],
        fields=list(_fields(content["schema"], schemas, translate)) if content else [],
        body=content["example"] if content else None,
        responses=[
            (status, _indented(answer["content"]["application/json"]["example"]) if "content" in answer else "")
            for status, answer in operation["responses"].items()
            if "$ref" not in answer
        ],
        errors=[
            (status, _note(ERRORS[HTTPStatus(int(status))], translate))
            for status, answer in operation["responses"].items()
            if "$ref" in answer
        ],
    )


def _fields(
    schema: Mapping[str, Any], schemas: Mapping[str, Any], translate: Translate, before: str = ""
) -> Iterator[DocumentedField]:
    """Yield the fields of a body with full names: `profile.userDetails.contact.email`."""
    schema = resolved(schema, schemas)
    if schema.get("type") == "array":
        yield from _fields(schema["items"], schemas, translate, f"{before}[].")
    for name, part in schema.get("properties", {}).items():
        inner = resolved(part, schemas)
        if inner.get("properties"):
            yield from _fields(inner, schemas, translate, f"{before}{name}.")
        else:
            is_required = name in schema.get("required", ())
            note = _note(part.get("description", ""), translate)
            yield DocumentedField(before + name, _kind(part, schemas), is_required, note)


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    schema = resolved(schema, schemas)
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema.get("type") == "array":
        # Translators: %(kind)s is a kind of value: text, whole number, object, or several words between bars.
        return gettext("list of %(kind)s") % {"kind": _kind(schema["items"], schemas)}
    if schema.get("format") == "date-time":
        return pgettext("kind of value", "time")
    return str(NAMES.get(schema.get("type", "")) or pgettext("kind of value", "any"))


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
