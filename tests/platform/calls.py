"""Calls of the API as a program makes them, and accounts on a real server to make them for."""

import json
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any

from django.test import Client as Browser

from accounts.models import User
from accounts.orm.object_ids import object_id
from botpenguin.platform.api import reference
from botpenguin.platform.models import Contact, ContactTag
from tests.cast import token_text
from tests.server import Server

BASE = "/api/v7"
NOON = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
# The id of no object.
NOBODY = "6743a1f09b2c4d5e6f708192"
NOTHING = object()
TOKENS = """
from accounts.web.clients import Client
from accounts.models import User
from developers import issuance
from tests.cast import token_text

for number in range({count}):
    user = User.objects.create_user(f"{name}{{number}}@example.com")
    issuance.issue(user, Client("127.0.0.1", "tests"))
    print(token_text(user))
"""


@cache
def documented_keys() -> dict[int, set[str]]:
    """Return the keys of errors that the document lists, by status."""
    return {
        response["content"]["application/json"]["example"]["code"]: set(response["x-error-keys"])
        for response in reference.document()["components"]["responses"].values()
    }


class Caller:
    """A program that bears somebody's token."""

    def __init__(self, token: str) -> None:
        self.headers = {"Authorization": f"Bearer {token}"}
        # One for all calls: most take less time than loading the middleware.
        self.http = Browser()

    def send(self, method: str, path: str, body: Any = NOTHING, **headers: str) -> Any:
        text = "" if body is NOTHING else json.dumps(body)
        return self.send_text(method, path, text, **headers)

    def send_text(
        self, method: str, path: str, text: str | bytes, content_type: str = "application/json", **headers: str
    ) -> Any:
        response = self.http.generic(method, BASE + path, text, content_type, headers=self.headers | headers)
        if response.status_code >= HTTPStatus.BAD_REQUEST and method != "HEAD":
            assert response.json()["error"] in documented_keys()[response.status_code]
        return response

    def data(self, method: str, path: str, body: Any = NOTHING) -> Any:
        """Send a request that must succeed, and return the data in the envelope."""
        response = self.send(method, path, body)
        answer = response.json()
        assert response.status_code in (200, 201), answer
        assert answer | {"data": None} == {
            "success": True,
            "message": answer["message"],
            "data": None,
            "code": response.status_code,
        }
        return answer["data"]

    def refusal(self, method: str, path: str, body: Any = NOTHING) -> tuple[int, list[str]]:
        """Send a request that must fail, and return the status and the sentences."""
        response = self.send(method, path, body)
        answer = response.json()
        assert answer["success"] is False
        assert answer["code"] == response.status_code
        assert answer["message"]
        return response.status_code, answer["data"]


def caller(user: User) -> Caller:
    return Caller(token_text(user))


def row(name: str | None = None, email: str | None = None, phone: Any = None, **details: Any) -> dict[str, Any]:
    """Return a row of an import with the given fields."""
    reach = {key: value for key, value in {"email": email, "phone": phone}.items() if value is not None}
    named = {"userProvidedName": name} if name is not None else {}
    return {"profile": {"userDetails": named | ({"contact": reach} if reach else {}) | details}}


def contact_of(owner: User, tags: tuple[str, ...] = (), **values: Any) -> Contact:
    contact = Contact.objects.create(**({"owner": owner, "name": "Asha", "created_at": NOON} | values))
    ContactTag.objects.bulk_create(ContactTag(contact=contact, name=name) for name in tags)
    return contact


def names(found: list[dict[str, Any]]) -> list[str]:
    return [contact["profile"]["userDetails"]["name"] for contact in found]


def accounts_on(server: Server, count: int) -> list[str]:
    """Make accounts on a real server, and return their tokens."""
    made = server.manage("shell", "--no-imports", "--command", TOKENS.format(count=count, name=object_id()))
    assert made.returncode == 0, made.stderr
    return made.stdout.split()
