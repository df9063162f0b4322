"""The reference of the API: the OpenAPI document, and a page made of it."""

import json
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from accounts.models import User
from botpenguin.platform.api import operations
from botpenguin.platform.api.openapi import ERRORS, keys_of
from botpenguin.platform.api.samples import sample
from botpenguin.platform.api.v7 import api
from developers.snippets import Language, language_of, remember


@cache
def document() -> dict[str, Any]:
    """Return the document, in English, without what the settings say."""
    # The paths are relative to the URL of the server in the document.
    with translation.override("en"):
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
    # Generators of clients put its texts into code, so they are in English.
    headers = {"Content-Language": "en"}
    return HttpResponse(json.dumps(published(), indent=1), content_type="application/json", headers=headers)


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The only page under `/api/`, which goes through the middleware of pages."""
    asked = request.GET.get("language", "")
    language = Language(asked) if asked in Language.values else language_of(request)
    ids = own_ids(request.user) if isinstance(request.user, User) else {}
    calls = {
        tag: [(operation, operation.call(base_url(), ids)) for operation in described]
        for tag, described in groups().items()
    }
    context = {
        "groups": {
            str(operations.TITLES[tag]): [(operation, call, sample(language, call)) for operation, call in described]
            for tag, described in calls.items()
        },
        "confirmed": request.GET.get("confirmed", ""),
        "introduction": operations.prose(document()["info"]["description"]),
        "base_url": base_url(),
        "languages": Language,
        "language": language,
        "own_ids": ids,
        "errors": {status: keys_of(status) for status in ERRORS},
    }
    response = render(request, "platform/api_reference.html", context)
    remember(response, asked)
    return response


def groups() -> dict[str, list[operations.Operation]]:
    """Return the operations in the active language."""
    return groups_in(translation.get_language())


@cache
def groups_in(language: str) -> dict[str, list[operations.Operation]]:
    with translation.override(language):
        return operations.groups(document())


def texts() -> list[str]:
    """Return the texts of the document that the page shows, once each, in its order."""
    found: dict[str, None] = {}

    def collect(text: str) -> str:
        found[text] = None
        return text

    operations.prose(document()["info"]["description"], collect)
    operations.groups(document(), collect)
    return list(found)


def own_ids(reader: User) -> dict[str, str]:
    """Return the ids of the newest objects of a reader, by the names that parameters have."""
    newest = {
        "bot_id": reader.bots.values_list("pk", flat=True).first(),
        "contact_id": reader.contacts.newest_first().values_list("pk", flat=True).first(),
        "api_id": reader.outbound_apis.values_list("pk", flat=True).first(),
    }
    return {name: pk for name, pk in newest.items() if pk}
