"""What generators of clients, importers of collections and bridges for agents read in the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.models import Contact
from tests.platform import whole_rules
from tests.platform.calls import Caller, contact_of
from tests.platform.test_openapi import DOCUMENT, operations

pytestmark = pytest.mark.matrix

# Written and read, by their schemas.
TWINS = [("ContactOut", "ContactIn"), ("BotOut", "BotChange"), ("BotOut", "NewBot")]
LIMITS = ("minItems", "maxItems")
NO_SCHEMA: dict[str, Any] = {}


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = Browser().get(DOCUMENT).json()
    return found


def part_of(document: dict[str, Any], schema: dict[str, Any], kind: str) -> dict[str, Any]:
    """Follow references, and return the alternative of this type."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for way in schema.get("anyOf", ()):
        if found := part_of(document, way, kind):
            return found
    return schema if schema.get("type") == kind else NO_SCHEMA


def written_as_read(document: dict[str, Any], out: dict[str, Any], into: dict[str, Any], at: str) -> Iterator[str]:
    """Yield what a generated type of the answer has and that of the body has not, by the path of the field."""
    for way in out.get("anyOf", [out]):
        kind = way.get("type") or "object"
        ours, theirs = part_of(document, way, kind), part_of(document, into, kind)
        if not theirs and not (kind == "integer" and (theirs := part_of(document, into, "number"))):
            yield f"{at} may not be of the type {kind}"
        elif not set(ours.get("enum", ())) <= set(theirs.get("enum", ours.get("enum", ()))):
            yield f"{at} takes other values"
        elif kind == "array":
            yield from (f"{at} has another {limit}" for limit in LIMITS if ours.get(limit) != theirs.get(limit))
            yield from written_as_read(document, ours["items"], theirs["items"], f"{at}[]")
        for name in ours.get("properties", {}).keys() & theirs.get("properties", {}).keys():
            parts = ours["properties"][name], theirs["properties"][name]
            yield from written_as_read(document, *parts, f"{at}.{name}")


@pytest.mark.parametrize(("out", "into"), TWINS)
def test_what_comes_out_may_go_in(document: dict[str, Any], out: str, into: str) -> None:
    schemas = document["components"]["schemas"]

    assert list(written_as_read(document, schemas[out], schemas[into], out)) == []
    assert set(schemas[into].get("required", ())) <= set(schemas[out]["required"])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"platform": {"type": "array", "items": {"type": "string"}}}, "C.platform has another maxItems"),
        ({"status": {"type": "string", "enum": ["OPEN"]}}, "C.status takes other values"),
        ({"isContact": {"type": "integer"}}, "C.isContact may not be of the type boolean"),
    ],
)
def test_the_comparison_finds_differences(document: dict[str, Any], change: dict[str, Any], found: str) -> None:
    schemas = document["components"]["schemas"]
    into = schemas["ContactIn"] | {"properties": schemas["ContactIn"]["properties"] | change}

    assert found in list(written_as_read(document, schemas["ContactOut"], into, "C"))


@pytest.mark.parametrize("is_empty", [False, True], ids=["full", "empty"])
def test_an_answer_is_a_valid_body(
    as_alice: Caller, alice: User, asha: Contact, document: dict[str, Any], is_empty: bool
) -> None:
    contact = contact_of(alice, name="", phone="442079460991") if is_empty else asha
    as_body = jsonschema_rs.validator_for(document | {"$ref": "#/components/schemas/ContactIn"})

    read = as_alice.data("GET", f"/inbox/users/{contact.pk}")
    written = as_alice.data("PUT", f"/inbox/users/{contact.pk}", read)

    assert list(as_body.iter_errors(read)) == []
    assert written | {"updatedAt": read["updatedAt"]} == read


@pytest.mark.parametrize("name", ["ContactIn", "NewUserDetailsIn"])
def test_bodies_have_no_alternatives_that_generators_lose(document: dict[str, Any], name: str) -> None:
    schema = document["components"]["schemas"][name]

    assert schema.keys() & {"anyOf", "oneOf", "allOf", "not", "if"} == set()
    assert schema["type"] == "object"


def test_attributes_are_written_as_lists(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    body = document["paths"]["/inbox/users/{contact_id}/attributes"]["put"]["requestBody"]["content"][
        "application/json"
    ]

    assert schemas["AttributeUpdate"]["properties"]["attributes"]["type"] == "array"
    assert schemas["RunIn"]["properties"]["attributes"]["type"] == "array"
    assert body["schema"]["properties"]["attributes"]["type"] == "array"
    for name in ("ContactIn", "UserDetailsIn", "NewUserDetailsIn"):
        kinds = [way["type"] for way in schemas[name]["properties"]["attributes"]["anyOf"]]
        assert kinds == ["array", "null"], name


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("ContactIn", {"plan": "gold"}, True),
        ("ContactIn", {"plan": {}}, False),
        ("ContactIn", {"plan": {}, "_id": 7}, True),
        ("ContactIn", {"attributes": {"plan": "gold"}}, True),
        ("ContactIn", {"attributes": {"plan": []}}, False),
        ("NewUserDetailsIn", {"name": " "}, False),
        ("NewUserDetailsIn", {"name": "Asha"}, True),
        ("NewUserDetailsIn", {"contact": {"phone": {"number": 919876543210}}}, True),
        ("NewUserDetailsIn", {"contact": {"phone": {"prefix": "91"}}}, False),
        ("AttributeUpdate", {"search": "a", "attributes": {"plan": "gold"}}, True),
    ],
)
def test_tests_know_the_rules_that_the_document_leaves_out(
    document: dict[str, Any], name: str, value: object, is_taken: bool
) -> None:
    whole_rules.restore(document)

    validator = jsonschema_rs.validator_for(document | {"$ref": f"#/components/schemas/{name}"})

    assert validator.is_valid(value) is is_taken


def test_every_schema_is_valid_and_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    wrong = []

    for path, operation in operations(document):
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in body.get("content", {}).values():
                validator = jsonschema_rs.validator_for(document | content["schema"])
                wrong += [(path, error.message) for error in validator.iter_errors(content["example"])]

    assert wrong == []


def test_envelopes_have_all_four_keys_and_those_of_errors_a_fifth(document: dict[str, Any]) -> None:
    envelopes = {
        name: set(schema["required"]) - ({"error"} if name == "ErrorEnvelope" else set())
        for name, schema in document["components"]["schemas"].items()
        if name.startswith(("Envelope", "Created", "ErrorEnvelope"))
    }

    assert len(envelopes) > 10
    assert {frozenset(keys) for keys in envelopes.values()} == {frozenset({"success", "message", "data", "code"})}


def test_no_parameter_has_the_name_of_another(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        names = [parameter["name"] for parameter in operation["parameters"]]
        assert len(names) == len(set(names)), path
    assert [part["name"] for part in document["paths"]["/inbox/users/import"]["post"]["parameters"]] == ["botId"]


def test_the_end_of_the_token_is_last_apart_and_marked(document: dict[str, Any]) -> None:
    used = [operation["tags"] for _, operation in operations(document)]
    revoke = document["paths"]["/token/revoke"]["post"]
    paths = list(document["paths"])

    assert [tag["name"] for tag in document["tags"]] == list(dict.fromkeys(tag for tags in used for tag in tags))
    assert all(tag["description"] for tag in document["tags"])
    assert used.count(revoke["tags"]) == 1
    assert document["tags"][-1]["name"] == revoke["tags"][0] == "revoke"
    # Folders of Postman are made of paths.
    assert paths[-1] == "/token/revoke"
    assert paths == sorted(paths, key=lambda path: path.startswith("/token"))
    assert (revoke["x-mcp"], revoke["x-speakeasy-mcp"], revoke["x-openai-isConsequential"]) == (
        False,
        {"disabled": True},
        True,
    )
    assert revoke["description"].startswith("Call it only if others may have the token.")
    assert next(reversed(reference.groups())) == "revoke"


@pytest.mark.parametrize("email", ["", "help@example.com"])
def test_the_document_says_where_the_server_is_and_whom_to_ask(settings: Settings, email: str) -> None:
    settings.PUBLIC_URL, settings.SUPPORT_EMAIL = "https://panel.example.org", email

    document = Browser().get(DOCUMENT).json()

    assert document["servers"] == [{"url": "https://panel.example.org/api/v7"}]
    assert document["info"]["contact"] == {"name": "BotPenguin", "url": "https://panel.example.org"} | (
        {"email": email} if email else {}
    )
    assert document["info"]["license"] == {"name": "MIT", "identifier": "MIT"}
