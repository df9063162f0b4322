"""The operations of the API as its reference describes them, made of the OpenAPI document."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from botpenguin.platform.api.fields import ID_EXAMPLE
from botpenguin.platform.api.openapi import ERRORS, resolved
from botpenguin.platform.api.samples import Call

NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}
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


def groups(document: Mapping[str, Any]) -> dict[str, list[Operation]]:
    """Return the operations of a document by tag, in its order."""
    found: dict[str, list[Operation]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            described = _operation(method, path, operation, document["components"]["schemas"])
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


def prose(text: str) -> SafeString:
    """Render backticks as code, and blank lines as paragraphs."""
    return format_html_join("\n", "<p>{}</p>", ((_coded(paragraph),) for paragraph in text.split("\n\n")))


def _coded(text: str) -> SafeString:
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


def _operation(method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=prose(operation.get("description", "")),
        needs_token=bool(operation["security"]),
        parameters=[
            DocumentedField(
                part["name"],
                f"{part['in']}, {_kind(part['schema'], schemas)}",
                part["required"],
                _coded(part.get("description", "")),
            )
            for part in operation.get("parameters", ())
        ],
        fields=list(_fields(content["schema"], schemas)) if content else [],
        body=content["example"] if content else None,
        responses=[
            (status, _indented(answer["content"]["application/json"]["example"]) if "content" in answer else "")
            for status, answer in operation["responses"].items()
            if "$ref" not in answer
        ],
        errors=[
            (status, _coded(ERRORS[HTTPStatus(int(status))]))
            for status, answer in operation["responses"].items()
            if "$ref" in answer
        ],
    )


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any], before: str = "") -> Iterator[DocumentedField]:
    """Yield the fields of a body with full names: `profile.userDetails.contact.email`."""
    schema = resolved(schema, schemas)
    if schema.get("type") == "array":
        yield from _fields(schema["items"], schemas, f"{before}[].")
    for name, part in schema.get("properties", {}).items():
        inner = resolved(part, schemas)
        if inner.get("properties"):
            yield from _fields(inner, schemas, f"{before}{name}.")
        else:
            is_required = name in schema.get("required", ())
            yield DocumentedField(before + name, _kind(part, schemas), is_required, _coded(part.get("description", "")))


def _kind(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    schema = resolved(schema, schemas)
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], schemas)}"
    if schema.get("format") == "date-time":
        return "time"
    return NAMES.get(schema.get("type", ""), "any")


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
