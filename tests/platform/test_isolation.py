"""No account reads or changes anything of another account, and a revoked token opens nothing.

Both walk the OpenAPI document, so that an operation to come is covered by itself: each is sent
somebody else's ids in every place that takes a text: in paths, queries, headers and bodies.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core import serializers
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.api.openapi import example, resolved
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from tests.cast import logged_in, token_text
from tests.platform.calls import NOTHING, Caller, caller, contact_of

pytestmark = [pytest.mark.matrix, pytest.mark.no_cover]

Sending = tuple[str, str, dict[str, str], Any]
# They are about bob's own token.
OF_THE_TOKEN_ITSELF = {"/token/revoke", "/token/report-exposed"}
# A header that the document leaves out.
UNDOCUMENTED = {"/inbox/users/import": [{"name": "botId", "in": "header"}]}
# The parameters of paths, in the order of the ids of each account.
KINDS = ["bot_id", "contact_id", "segment_id", "api_id"]
# Stands in every text of alice's things. Bob never sends it, so no response to him may hold it.
MARKER = "only-alice-knows"
NAMES = ["secret@example.com", "919876543210", "secret-tag"]


def belongings(owner: User, word: str, email: str, phone: str, tag: str) -> list[str]:
    """Give an account one object of each kind, with the word in every text; return their ids."""
    bot = Bot.objects.create(owner=owner, name=word, platform="whatsapp")
    reach = {"email": email, "phone": phone, "country": word}
    contact = contact_of(owner, (tag, word), name=word, bot=bot, **reach, notes=[word], attributes={word: word})
    segment = Segment.objects.create(owner=owner, name=word, tags=[tag, word])
    # No call may reach this address.
    api = OutboundApi.objects.make(owner, word, Recipe("GET", "http://10.0.0.1/{{name}}", (RecipeField("word", word),)))
    return [bot.pk, contact.pk, segment.pk, api.pk]


@pytest.fixture
def ids_of_alice(alice: User) -> list[str]:
    return belongings(alice, MARKER, *NAMES)


@pytest.fixture
def ids_of_bob(bob: User) -> list[str]:
    return belongings(bob, "bobs", "bob@example.org", "442079460991", "bobs-tag")


def everything_of(owner: User) -> str:
    rows = [
        *Bot.objects.filter(owner=owner).order_by("pk"),
        *Contact.objects.filter(owner=owner).order_by("pk"),
        *ContactTag.objects.filter(contact__owner=owner).order_by("pk"),
        *Segment.objects.filter(owner=owner).order_by("pk"),
        *OutboundApi.objects.filter(owner=owner).order_by("pk"),
        *ApiLog.objects.filter(owner=owner).order_by("pk"),
    ]
    return str(serializers.serialize("json", rows))


def sendings(secrets: list[str], own: Sequence[str] = (), *, is_sample: bool = False) -> Iterator[Sending]:
    """Yield every operation with its example, and with each secret in all places for a text, and in each alone.

    The path holds the secret too, and then each of the sender's own ids, for which the API reads the body.
    A sample has only own ids of the kind that the path names, and few bodies for a path with the secret.
    """
    for path, operations in reference.document()["paths"].items():
        if path in OF_THE_TOKEN_ITSELF:
            continue
        named = re.findall(r"{(\w+)}", path)
        opening = [own_id for kind, own_id in zip(KINDS, own, strict=False) if [kind] == named or not is_sample]
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for secret in secrets:
                bodies = [content["example"], *_only(_everywhere(content["schema"], secret))] if content else [None]
                for filling in [secret, *opening] if named else [secret]:
                    few = is_sample and named and filling == secret
                    for address, headers in _addressed(path, operation["parameters"], secret, filling):
                        for body in bodies[:2] if few else bodies:
                            yield method.upper(), address, headers, body


def _addressed(
    path: str, parameters: list[dict[str, Any]], secret: str, filling: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the address, and then with the secret in one other parameter at a time: one error might hide another."""
    address = re.sub(r"{\w+}", filling, path)
    yield address, {}
    for parameter in [*parameters, *UNDOCUMENTED.get(path, ())]:
        name, place = parameter["name"], parameter["in"]
        if place != "path":
            yield {"query": (f"{address}?{urlencode({name: secret})}", {}), "header": (address, {name: secret})}[place]


def _everywhere(schema: Any, secret: str) -> Any:
    """Return a body with the secret in every text, list of texts and choice that admits it."""
    schemas = reference.document()["components"]["schemas"]
    schema = resolved(schema, schemas)
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: _everywhere(part, secret) for name, part in schema["properties"].items()}
        case "array":
            return [_everywhere(schema["items"], secret)]
        case "string" if "enum" not in schema and "format" not in schema:
            return secret
        case "object" | _:
            return example(schema, schemas)


def _only(body: Any) -> Iterator[Any]:
    """Yield the body, and each of its parts alone: one wrong field must not hide another."""
    yield body
    if isinstance(body, dict):
        yield from ({key: part} for key, value in body.items() for part in _only(value))
    elif isinstance(body, list):
        yield from ([part] for item in body for part in _only(item))


@pytest.mark.long
@pytest.mark.parametrize(
    ("names", "least"), [([], 180), pytest.param(NAMES, 285, marks=pytest.mark.release)], ids=["sample", "all"]
)
def test_bob_reads_and_changes_nothing_of_alices_by_any_operation(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    alice: User,
    bob: User,
    ids_of_alice: list[str],
    ids_of_bob: list[str],
    settings: Settings,
    names: list[str],
    least: int,
) -> None:
    secrets = ids_of_alice + names
    settings.API_RATE_LIMIT = settings.OUTBOUND_RATE_LIMIT = 0
    as_bob = caller(bob)
    before = everything_of(alice)
    shown: list[str] = []

    for method, address, headers, body in sendings(secrets, ids_of_bob, is_sample=not names):
        response = as_bob.send(method, address, body, **headers)
        assert response.status_code < 500
        shown.append(response.content.decode())

    assert everything_of(alice) == before
    assert len(shown) > least * len(secrets)
    assert [text for text in [*shown, everything_of(bob)] if MARKER in text] == []
    # Bob may read again what he sent, and nothing that only alice's rows hold.
    assert [
        text for text in shown if any(found in text for found in ids_of_alice) and not _is_echo(text, ids_of_alice)
    ] == []


def _is_echo(text: str, ids: list[str]) -> bool:
    """Return whether the ids stand only where bob may write freely: in his names, tags, attributes and notes."""

    def identities(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("_id", "_customer", "segments", "ids"):
                    yield json.dumps(inner)
                yield from identities(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from identities(inner)

    return not any(found in identity for identity in identities(json.loads(text)) for found in ids)


def test_alices_ids_open_to_alice_what_they_close_to_bob(
    as_alice: Caller, as_bob: Caller, ids_of_alice: list[str]
) -> None:
    """With wrong ids the test above would prove nothing."""
    bot, contact, segment, api = ids_of_alice
    good = [
        ("GET", f"/bots/{bot}", None),
        ("GET", f"/inbox/users/{contact}", NOTHING),
        ("PUT", f"/inbox/users/{contact}", {}),
        ("PUT", f"/inbox/users/{contact}/attributes", {"a": 1}),
        ("PUT", "/inbox/users/status-update", {"ids": [contact], "status": "OPEN"}),
        ("POST", "/integrations/custom-app/general-authentication", {"botId": bot}),
        ("PUT", "/integrations/custom-app/update-user-attributes", {"search": contact, "attributes": {}}),
        ("POST", f"/third-party-apis/{api}/run", {"contactId": contact}),
    ]

    assert [as_alice.send(*sending).status_code for sending in good] == [200] * len(good)
    assert [as_bob.send(*sending).status_code for sending in good] == [404] * len(good)
    assert len(as_alice.data("POST", "/inbox/users", {"segments": [segment]})) == 1
    assert as_bob.data("POST", "/inbox/users", {"segments": [segment]}) == []


def test_after_a_revoke_through_the_page_every_operation_refuses_the_old_token(
    alice: User, ids_of_alice: list[str]
) -> None:
    old = caller(alice)
    before = everything_of(alice)

    logged_in(alice).post("/developers/api-access-token/revoke/", {"generation": 1, "even_if_used": "on"})

    addresses = set()
    for method, address, headers, body in sendings(ids_of_alice[:1], is_sample=True):
        response = old.send(method, address, body, **headers)
        assert response.status_code == 401, (method, address)
        assert "was revoked at" in response.json()["message"]
        addresses.add((method, address.partition("?")[0]))
    assert Caller(token_text(alice)).send("GET", "/token").status_code == 200
    assert old.send("POST", "/token/revoke").status_code == 401
    assert everything_of(alice) == before
    assert len(addresses) > 14
