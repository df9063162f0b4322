"""No operation of the API shows whose address has an account here. The tests find the operations in the document."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.api.samples import Call
from botpenguin.platform.models import Contact
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import PASSWORD, logged_in
from tests.platform.calls import BASE, Caller

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix]

# All alike but for a digit, so that lists of texts have the same order.
UNKNOWN, KNOWN, UNCONFIRMED, DEACTIVATED, ASKED_FOR = ADDRESSES = [f"person{number}@example.com" for number in range(5)]
# The operations of today that take an address as such. The walk finds a new one by itself; add it here by hand.
TAKE_AN_ADDRESS = {
    ("POST", "/inbox/users/import"),
    ("PUT", "/inbox/users/{contact_id}"),
    ("PUT", "/integrations/custom-app/update-user-attributes"),
}
# The time of a response, its name, and the length of a body that repeats the address.
TIMELY = {"Date", "X-Request-ID", "Content-Length", "RateLimit", "Location"}
NEW_EACH_TIME = re.compile(r'\b[0-9a-f]{24}\b|\d{4}-\d\d-\d\dT[\d:.]+Z|"seconds": ?[\d.e-]+')


@pytest.fixture
def calls(asha: Contact, settings: Settings) -> dict[tuple[str, str], Call]:
    """The call of each operation's example, as the owner of a contact, beside other accounts and waiting addresses."""
    settings.API_RATE_LIMIT = 0
    known = User.objects.create_user(KNOWN, PASSWORD)
    User.objects.create_user(DEACTIVATED, PASSWORD, is_active=False)
    Browser().post("/account/signup/", {"email": UNCONFIRMED, "password1": PASSWORD})
    logged_in(known).post("/account/email/", {"email": ASKED_FOR, "action_add": ""})
    # Its host is never called: private addresses are refused.
    api = OutboundApi.objects.make(asha.owner, "Orders", Recipe("GET", "https://127.0.0.1:1/{{name}}"))
    ids = {"bot_id": str(asha.bot_id), "contact_id": asha.pk, "api_id": api.pk}
    operations = [operation for group in reference.groups().values() for operation in group]
    return {(operation.method, operation.path): operation.call(BASE, ids) for operation in operations}


def bodies(example: Any, address: str) -> Iterator[tuple[str, Any]]:
    """Yield the example with the address in the place of each of its texts in turn, and the text that was there."""
    match example:
        case str():
            yield example, address
        case dict():
            for key, value in example.items():
                for text, changed in bodies(value, address):
                    yield text, example | {key: changed}
        case list():
            for at, value in enumerate(example):
                for text, changed in bodies(value, address):
                    yield text, [*example[:at], changed, *example[at + 1 :]]


def variants(call: Call, address: str) -> Iterator[tuple[str, Any]]:
    """Yield paths and bodies of a call with the address in each place where it takes a text."""
    path = call.path.removeprefix(BASE)
    yield from ((path, body) for _, body in bodies(call.body, address))
    for part in re.findall(r"(?<=[/=])[0-9a-f]{24}\b", path):
        yield path.replace(part, quote(address)), call.body


def seen(response: Any, address: str) -> tuple[int, dict[str, str], str]:
    """Return a response without the address and without what is new in every response."""
    headers = {name: value for name, value in response.headers.items() if name not in TIMELY}
    text = response.content.decode() if not response.streaming else response.getvalue().decode()
    return response.status_code, headers, NEW_EACH_TIME.sub("NEW", text.replace(address, "ADDRESS"))


def answers(as_alice: Caller, call: Call, address: str) -> list[tuple[int, dict[str, str], str]]:
    found = []
    for path, body in variants(call, address):
        with transaction.atomic():
            found.append(seen(as_alice.send(call.method, path, body), address))
            transaction.set_rollback(True)
    return found


def test_the_operations_that_take_an_address_are_found(calls: dict[tuple[str, str], Call]) -> None:
    found = {name for name, call in calls.items() for text, _ in bodies(call.body, "") if "@" in text}

    assert found == TAKE_AN_ADDRESS


@pytest.mark.parametrize(
    "addresses", [ADDRESSES[:2], pytest.param(ADDRESSES, marks=pytest.mark.release)], ids=["two", "all"]
)
def test_every_operation_that_takes_an_address_answers_alike_whosever_it_is(
    calls: dict[tuple[str, str], Call], as_alice: Caller, addresses: list[str]
) -> None:
    for name in calls if addresses == ADDRESSES else TAKE_AN_ADDRESS:
        found = {address: answers(as_alice, calls[name], address) for address in addresses}

        assert found == dict.fromkeys(addresses, found[UNKNOWN]), f"{json.dumps(name)} reveals who has an account"
