"""Contacts with much in them, and each way of the API to write more into one."""

from collections.abc import Callable
from typing import Any

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.platform.calls import Caller, contact_of, row

TOO_LARGE = "a contact has at most 64 KB of attributes, notes and tags"


# Two bytes in UTF-8, one in Python's text, and six in ASCII JSON.
LETTER = "é"


def attributes(count: int, value: str = "x" * 1000) -> dict[str, str]:
    return {f"key{number:03}": value for number in range(count)}


def large_contact(owner: User, tags: tuple[str, ...] = (), **values: Any) -> Contact:
    """Make a contact from before the bound: of 1.2 MB, which the API accepted then."""
    whole: dict[str, Any] = {"attributes": attributes(100, "🐧" * 1000), "notes": ["🐧" * 2000] * 100}
    return contact_of(owner, tags, **(whole | {"is_large": True} | values))


def stored(contact: Contact) -> tuple[Any, ...]:
    contact.refresh_from_db()
    return contact.name, contact.status, contact.attributes, contact.notes, contact.is_large


Write = Callable[[Caller, Contact, dict[str, Any]], Any]


def import_it(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    return caller.send("POST", "/inbox/users/import", [row(email=contact.email, attributes=more)])


def put_whole(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    body = {"profile": {"userDetails": {"attributes": contact.attributes | more}}}
    return caller.send("PUT", f"/inbox/users/{contact.pk}", body)


def put_flat(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    return caller.send("PUT", f"/inbox/users/{contact.pk}", more)


def put_attributes(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    return caller.send("PUT", f"/inbox/users/{contact.pk}/attributes", {"attributes": more})


def integrate(caller: Caller, contact: Contact, more: dict[str, Any]) -> Any:
    body = {"search": contact.email, "attributes": more}
    return caller.send("PUT", "/integrations/custom-app/update-user-attributes", body)


WAYS = [import_it, put_whole, put_flat, put_attributes, integrate]
