"""The reference of the API: the OpenAPI document, and a page made of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from botpenguin.platform.api.openapi import ERRORS, resolved
from botpenguin.platform.api.v7 import api

NAMES = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object"}


@cache
def document() -> dict[str, Any]:
    """Return the document without what the settings say."""
    # The paths are relative to the URL of the server in the document.
    return json.loads(json.dumps(api.get_openapi_schema(path_prefix="/")))  # type: ignore[no-any-return]


def base_url() -> str:
    return f"{settings.PUBLIC_URL}/api/v7"


def published() -> dict[str, Any]:
    """Return the document of this server: its absolute address, and whom to ask."""
    contact = {"name": "BotPenguin", "url": settings.PUBLIC_URL}
    if settings.SUPPORT_EMAIL:
        contact["email"] = settings.SUPPORT_EMAIL
    found = document()
    return found | {"info": found["info"] | {"contact": contact}, "servers": [{"url": base_url()}]}


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(json.dumps(published(), indent=1), content_type="application/json")


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The only page under `/api/`, which goes through the middleware of pages."""
    context = {
        "groups": groups(),
        "errors": _errors(),
        "introduction": prose(document()["info"]["description"]),
        "base_url": base_url(),
    }
    return render(request, "platform/api_reference.html", context)


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
    request: str
    responses: list[tuple[str, str]]


@cache
def groups() -> dict[str, list[Operation]]:
    """Return the operations by tag, in the order of the routers."""
    found: dict[str, list[Operation]] = {}
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    return found


def prose(text: str) -> SafeString:
    """Render backticks as code, and blank lines as paragraphs."""
    return format_html_join("\n", "<p>{}</p>", ((_coded(paragraph),) for paragraph in text.split("\n\n")))


def _coded(text: str) -> SafeString:
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in enumerate(parts))
    )


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Operation:
    schemas = document()["components"]["schemas"]
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
        request=_indented(content["example"]) if content else "",
        responses=[
            (status, _indented(answer["content"]["application/json"]["example"]) if "content" in answer else "")
            for status, answer in operation["responses"].items()
            if "$ref" not in answer
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


def _errors() -> list[tuple[int, SafeString]]:
    return [(status.value, _coded(meaning)) for status, meaning in ERRORS.items()]


def _indented(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
