"""The OpenAPI document, and the reference page made from it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from botpenguin.platform.api import reference
from botpenguin.platform.api.error_keys import ErrorKey
from botpenguin.platform.api.errors import OF_REFUSALS
from botpenguin.platform.api.openapi import example
from botpenguin.platform.api.operations import prose
from developers.bearer.verification import RefusalReason
from tests.platform.test_errors import assert_error

pytestmark = pytest.mark.matrix

DOCUMENT = "/api/v7/openapi.json"
PAGE = "/api/v7/docs"
OPEN = {"/token/report-exposed"}


@pytest.fixture
def document() -> dict[str, Any]:
    response = Browser().get(DOCUMENT)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    found: dict[str, Any] = response.json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def test_the_document_names_its_base_and_every_path_below_it(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "https://app.example.com/api/v7"}]
    assert set(document["paths"]) >= {
        "/token",
        "/bots",
        "/bots/{bot_id}",
        "/inbox/segments",
        "/inbox/users",
        "/inbox/users/import",
        "/inbox/users/status-update",
        "/inbox/users/{contact_id}",
        "/inbox/users/{contact_id}/attributes",
        "/integrations/custom-app/general-authentication",
        "/integrations/custom-app/update-user-attributes",
        "/whatsapp-automation",
        "/third-party-apis/{api_id}/run",
    }


def test_the_token_is_the_way_into_every_operation_but_the_open_one(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    revoke = document["paths"]["/token/revoke"]["post"]

    assert schemes.keys() == {"ApiAccessToken", "TokenToRevoke"}
    assert (schemes["ApiAccessToken"]["type"], schemes["ApiAccessToken"]["scheme"]) == ("http", "bearer")
    assert {path for path, operation in operations(document) if operation["security"] == []} == OPEN
    assert revoke["security"] == [{"TokenToRevoke": []}]
    others = [operation["security"] for path, operation in operations(document) if path not in (*OPEN, "/token/revoke")]
    assert others == [[{"ApiAccessToken": []}]] * len(others)


def test_every_operation_says_what_it_does_and_what_it_answers(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        assert operation["summary"], path
        assert operation["description"], path
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]), path
        common = {"400", "403", "404", "405", "429", "500", "503"} | (set() if path in OPEN else {"401"})
        of_bodies = {"409", "413", "415", "422"} if "requestBody" in operation else set()
        assert set(operation["responses"]) >= common | of_bodies, path
        assert set(operation["responses"]) & {"200", "201", "204"}, path


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in body.get("content", {}).values():
                assert content["example"], path
    for response in document["components"]["responses"].values():
        assert response["content"]["application/json"]["example"]["success"] is False


def test_headers_of_limits_are_documented_where_they_are_sent(document: dict[str, Any]) -> None:
    errors = document["components"]["responses"]
    quota = {"RateLimit-Policy", "RateLimit"}

    good = {
        path: set(response.get("headers", {}))
        for path, operation in operations(document)
        for status, response in operation["responses"].items()
        if status.startswith("2")
    }
    shown = {name: set(response["headers"]) for name, response in errors.items() if "headers" in response}

    uncounted: dict[str, set[str]] = {path: set() for path in (*OPEN, "/token/revoke")}
    identity = {"/token/check": {"X-Auth-Account", "X-Auth-Email", "X-Auth-Token-Hint"}}
    assert good == {path: (uncounted | identity).get(path, quota) for path in document["paths"]}
    refused = {path for path, operation in operations(document) if "ADDRESS" in operation["responses"]["429"]["$ref"]}
    assert refused == {*uncounted, *identity}
    assert shown == {
        "UNAUTHORIZED": {"WWW-Authenticate"},
        "METHOD_NOT_ALLOWED": {"Allow"},
        "TOO_MANY_REQUESTS": {"Retry-After", *quota},
        "TOO_MANY_OF_AN_ADDRESS": {"Retry-After"},
        "SERVICE_UNAVAILABLE": {"Retry-After"},
    }


def test_errors_have_the_same_names_on_each_version_of_python(document: dict[str, Any]) -> None:
    names = set(document["components"]["responses"])

    assert names >= {"BAD_REQUEST", "REQUEST_ENTITY_TOO_LARGE", "UNPROCESSABLE_ENTITY"}
    assert not names & {"CONTENT_TOO_LARGE", "UNPROCESSABLE_CONTENT"}


def test_errors_are_documented_as_they_are_sent(document: dict[str, Any]) -> None:
    error = document["components"]["schemas"]["ErrorEnvelope"]
    invalid = document["components"]["responses"]["UNPROCESSABLE_ENTITY"]["content"]["application/json"]["example"]

    assert set(error["required"]) == {"success", "message", "data", "code", "error"}
    assert error["properties"]["data"]["minItems"] == 1
    assert all(part["description"] for part in error["properties"].values())
    assert invalid["message"] == f"{invalid['data'][0]} 1 more error is listed in `data`."


def test_the_keys_of_errors_are_documented(document: dict[str, Any]) -> None:
    components = document["components"]
    known, open_end = components["schemas"]["ErrorEnvelope"]["properties"]["error"]["anyOf"]
    listed = {key for response in components["responses"].values() for key in response["x-error-keys"]}

    assert known["enum"] == [each.key for each in ErrorKey]
    assert open_end == {"type": "string"}
    assert listed == {each.key for each in ErrorKey} - {"not_signed", "keys_unknown"}
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", key) for key in known["enum"])
    for response in components["responses"].values():
        example = response["content"]["application/json"]["example"]
        assert example["error"] in response["x-error-keys"]
        assert all(re.fullmatch(r"[A-Za-z].+\.", sentence) for sentence in response["x-error-keys"].values())


def test_every_refusal_of_a_token_has_a_key_of_its_own() -> None:
    keys = {reason: OF_REFUSALS[reason] for reason in RefusalReason}

    assert len(set(keys.values())) == len(RefusalReason)
    assert {reason: key.say() for reason, key in keys.items()} == {reason: reason.value for reason in RefusalReason}
    assert {key.status for key in keys.values()} == {401}


@pytest.mark.django_db
def test_the_page_lists_the_keys_of_errors() -> None:
    page = Browser().get(PAGE).content.decode()

    listed = re.findall(r"<dt><code>(\d+) ([a-z_]+)</code></dt>\s*<dd>([^<]+)</dd>", page)
    assert len(listed) == len(ErrorKey) - 2
    assert ("401", "token_revoked", "This API access token was revoked.") in listed
    assert ("405", "method_not_allowed", "This path takes GET, HEAD, not POST.") in listed
    assert ("429", "rate_limited", "Too many requests. Try again in 20 seconds.") in listed


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)

    for group, name in re.findall(r'"#/components/(\w+)/(\w+)"', text):
        assert name in document["components"][group]


def test_examples_of_contacts_are_whole(document: dict[str, Any]) -> None:
    answer = document["paths"]["/inbox/users"]["post"]["responses"]["200"]["content"]["application/json"]["example"]

    assert answer["data"][0]["profile"]["userDetails"]["contact"] == {
        "email": "asha@example.com",
        "phone": {"number": "9876543210", "prefix": "91"},
    }
    assert answer["data"][0]["createdAt"] == "2026-11-24T14:02:09.123Z"


@pytest.mark.parametrize("address", [DOCUMENT, PAGE])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_documents_of_the_api_are_read_only(address: str, method: str) -> None:
    assert_error(
        Browser().generic(method, address), 405, "method_not_allowed", f"This path takes GET, HEAD, not {method}."
    )


@pytest.mark.django_db
def test_the_page_is_open_to_all_and_has_the_policies_of_pages(settings: Settings) -> None:
    response = Browser().get(PAGE)

    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response["Content-Security-Policy"].split("; ")
    assert response["X-Frame-Options"] == "DENY"
    assert "sessionid" not in response.cookies
    assert f"{settings.PUBLIC_URL}/api/v7" in response.content.decode()


@pytest.mark.django_db
def test_the_page_lists_every_operation_and_asks_no_third_party(document: dict[str, Any]) -> None:
    page = Browser().get(PAGE).content.decode()

    for path, operation in operations(document):
        assert f'id="{operation["operationId"]}"' in page
        assert f">{path}</code>" in page
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//[^"]*"', page) == []
    assert re.findall(r"<style|<script(?! src| type=\"module\" src| defer src)|\son\w+=|\sstyle=", page) == []


@pytest.mark.django_db
def test_the_page_lists_the_errors_of_each_operation(document: dict[str, Any]) -> None:
    page = Browser().get(PAGE).content.decode()

    for path, operation in operations(document):
        [shown] = re.findall(rf'id="{operation["operationId"]}">.*?</details>', page, re.DOTALL)
        errors = [status for status in operation["responses"] if status >= "400"]
        assert re.findall(r"<dt><code>(\d+)</code></dt>", shown) == errors, path


def test_the_page_lists_the_fields_of_a_body() -> None:
    shown = {operation.id: operation for group in reference.groups().values() for operation in group}

    fields = {field.name: (field.kind, field.is_required) for field in shown["import_contacts"].fields}
    assert fields["[].profile.userDetails.contact.email"] == ("text", False)
    assert fields["[].profile.userDetails.attributes"] == ("list of object", False)
    assert [(field.name, field.kind) for field in shown["create_bot"].fields if field.is_required] == [
        ("name", "text"),
        ("platform", "whatsapp | instagram | facebook | telegram | website | sms"),
    ]
    assert ("createdAt.startAt", "time") in [(field.name, field.kind) for field in shown["list_contacts"].fields]


def test_every_key_of_the_filter_says_what_it_means() -> None:
    shown = {operation.id: operation for group in reference.groups().values() for operation in group}

    assert [field.name for field in shown["list_contacts"].fields if not field.note] == []
    assert len({field.note for field in shown["list_contacts"].fields if not field.name.startswith("_bot")}) > 10


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({}, None),
        ({"type": "integer"}, 0),
        ({"type": "string", "default": "x"}, "x"),
        ({"type": "string", "enum": ["a", "b"]}, "a"),
        ({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}, [""]),
        ({"$ref": "#/components/schemas/Named", "description": "A name."}, {"name": "Asha"}),
    ],
)
def test_examples_are_made_of_what_a_schema_says(schema: dict[str, Any], made: object) -> None:
    named = {"type": "object", "properties": {"name": {"type": "string", "examples": ["Asha"]}}}

    assert example(schema, {"Named": named}) == made


def test_prose_is_escaped_and_set_in_paragraphs() -> None:
    assert prose("Say `<b>`.\n\n& more") == "<p>Say <code>&lt;b&gt;</code>.</p>\n<p>&amp; more</p>"


def test_the_document_is_the_same_each_time_that_it_is_built() -> None:
    assert reference.document.__wrapped__() == reference.document()
