"""One account sees and touches nothing of another's, and a revoked token nothing at all.

Both walk the OpenAPI document, so that an operation to come is covered by itself: each is sent
somebody else's ids in every place that takes a text.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import serializers

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.api.openapi import example, resolved
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from tests.cast import sign_in, token_text
from tests.platform.calls import Caller, caller, contact_of

Sending = tuple[str, str, Any]
# Of these it is known that bob's own token is meant.
OF_THE_TOKEN_ITSELF = {"/token/revoke", "/token/report-exposed"}


@pytest.fixture
def secrets_of_alice(alice: User) -> list[str]:
    """What only alice may see: ids, an e-mail, a number, names."""
    bot = Bot.objects.create(owner=alice, name="Secret bot", platform="whatsapp")
    contact = contact_of(
        alice, ("secret-tag",), name="Secret person", bot=bot, email="secret@example.com", phone="919876543210"
    )
    segment = Segment.objects.create(owner=alice, name="Secret segment", tags=["secret-tag"])
    return [
        *(bot.pk, contact.pk, segment.pk),
        *("Secret bot", "Secret person", "Secret segment"),
        *("secret@example.com", "919876543210", "secret-tag"),
    ]


def everything_of(owner: User) -> str:
    rows = [
        *Bot.objects.filter(owner=owner).order_by("pk"),
        *Contact.objects.filter(owner=owner).order_by("pk"),
        *ContactTag.objects.filter(contact__owner=owner).order_by("pk"),
        *Segment.objects.filter(owner=owner).order_by("pk"),
    ]
    return str(serializers.serialize("json", rows))


def sendings(secrets: list[str]) -> Iterator[Sending]:
    """Every operation with its example, and with each secret wherever a text may stand."""
    for path, operations in reference.document()["paths"].items():
        if path in OF_THE_TOKEN_ITSELF:
            continue
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            for secret in secrets:
                address = path.replace("{", "").replace("}", "") if "{" not in path else _filled(path, secret)
                query = f"?botId={secret}" if operation.get("parameters") else ""
                yield method.upper(), address + query, content and content["example"]
                if content:
                    yield method.upper(), address, _everywhere(content["schema"], secret)


def _filled(path: str, secret: str) -> str:
    return path.partition("{")[0] + secret + path.partition("}")[2]


def _everywhere(schema: Any, secret: str) -> Any:
    """A body with the secret in every text, list of texts and choice that admits it."""
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
    """The body, and each of its keys by itself: one wrong field must not hide what another would do."""
    yield body
    if isinstance(body, dict):
        for key, value in body.items():
            yield {key: value}


def test_bob_reads_and_changes_nothing_of_alices_by_any_operation(
    alice: User, as_bob: Caller, secrets_of_alice: list[str]
) -> None:
    before = everything_of(alice)
    told: list[str] = []
    sent = 0

    for method, address, body in sendings(secrets_of_alice):
        for part in _only(body):
            response = as_bob.send(method, address, part)
            sent += 1
            assert response.status_code < 500
            if response.status_code < 300:
                told.append(response.content.decode())

    assert everything_of(alice) == before
    assert sent > 500
    # What bob sent himself he may read again; what only alice's rows hold he may not.
    ids = secrets_of_alice[:3]
    assert [text for text in told if any(secret in text for secret in ids) and not _is_echo(text, ids)] == []


def _is_echo(text: str, ids: list[str]) -> bool:
    """Whether the ids stand only in what bob may write freely: names, tags, attributes and notes of his own."""

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
    as_alice: Caller, as_bob: Caller, secrets_of_alice: list[str]
) -> None:
    """The walk above would prove nothing if the ids were wrong."""
    bot, contact, segment = secrets_of_alice[:3]
    good = [
        ("GET", f"/bots/{bot}", None),
        ("PUT", f"/inbox/users/{contact}", {}),
        ("PUT", f"/inbox/users/{contact}/attributes", {"a": 1}),
        ("PUT", "/inbox/users/status-update", {"ids": [contact], "status": "OPEN"}),
        ("POST", "/integrations/custom-app/general-authentication", {"botId": bot}),
        ("PUT", "/integrations/custom-app/update-user-attributes", {"search": contact, "attributes": {}}),
    ]

    assert [as_alice.send(*sending).status_code for sending in good] == [200] * len(good)
    assert [as_bob.send(*sending).status_code for sending in good] == [404] * len(good)
    assert len(as_alice.data("POST", "/inbox/users", {"segments": [segment]})) == 1
    assert as_bob.data("POST", "/inbox/users", {"segments": [segment]}) == []


def test_after_a_revoke_through_the_page_every_operation_refuses_the_old_token(
    alice: User, secrets_of_alice: list[str]
) -> None:
    old = caller(alice)
    before = everything_of(alice)

    sign_in(alice).post("/developers/api-access-token/revoke/", {"generation": 1, "even_if_used": "on"})

    addresses = set()
    for method, address, body in sendings(secrets_of_alice[:3]):
        response = old.send(method, address, body)
        assert response.status_code == 401, (method, address)
        assert "was revoked at" in response.json()["message"]
        addresses.add((method, address.partition("?")[0]))
    assert Caller(token_text(alice)).send("GET", "/token").status_code == 200
    assert old.send("POST", "/token/revoke").status_code == 401
    assert everything_of(alice) == before
    assert len(addresses) > 14
