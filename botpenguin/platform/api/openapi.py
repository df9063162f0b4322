"""The OpenAPI document. Answers that many operations share are described once and referenced."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from botpenguin.platform.api import envelope
from botpenguin.platform.api.error_keys import ErrorKey

DESCRIPTION = """\
An API access token opens these operations. Send it as `Authorization: Bearer <token>`; the header `authtype: Key` is
allowed beside it. Paths have no trailing slash. Bodies are JSON of at most 1 MiB, not compressed.

Every answer is an envelope: `success`, `message`, `data`, and `code`, which is the HTTP status. In an error, `data` is
a list of sentences that you can show to people. `message` is the first of them, followed by the number of the others
and by what was not done. `error` is a word for your program, such as `token_revoked`: it never changes, sentences do.
They follow the header `Accept-Language`. Ids are 24 hexadecimal digits. Times are ISO 8601 in UTC with
milliseconds.

Telephone numbers are read as people write them: `+44 (0)20 7946 0991`, or `020 7946 0991` with the prefix `44`. A `+`
or `00` counts more than a prefix. Answers have the number without its zero, and the prefix apart. A number that no
country has is refused with 400. A number with neither is taken as it is, in digits.

The headers `RateLimit-Policy` and `RateLimit` say how many requests a token may send a minute, and how many are left.
Every answer has an `X-Request-ID`: quote it when you report an error. The server uses yours if it is 1 to 64 letters,
digits, `.`, `_` and `-`."""

# In the order of the document and of collections made of it. They run from top to bottom: the end of the token is last.
# Postman makes folders of paths: what else begins with `/token` stands before it.
TAGS = {
    "bots": "An account's bots: their names and platforms.",
    "inbox": "Its contacts and segments.",
    "integrations": "What no-code tools ask.",
    "third-party apps": "Calls of other servers, set up on the Developers page.",
    "token": "The API access token: whose it is, which programs use it, and reports of exposed ones.",
    "revoke": "Ends the token that bears the request, so it is apart from all else.",
}
EXTRA = {
    "info": {"license": {"name": "MIT", "identifier": "MIT"}},
    "tags": [{"name": name, "description": description} for name, description in TAGS.items()],
}
ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read, it contradicts itself, or no country has such a telephone "
    "number.",
    HTTPStatus.UNAUTHORIZED: "The token is missing, malformed, unknown or revoked, or its account is disabled.",
    HTTPStatus.FORBIDDEN: "The request came over plain http, but this server requires https.",
    HTTPStatus.NOT_FOUND: "The account has no such object.",
    HTTPStatus.METHOD_NOT_ALLOWED: "The path accepts other methods. `Allow` lists them.",
    HTTPStatus.CONFLICT: "The request conflicts with existing data, such as an email or a number of another contact. "
    "Or the account has reached a quota.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 1 MiB, or than the operation accepts.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is not `application/json`, or it is compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Fields are invalid. `message` says what the first of them should be, and `data` "
    "says it of each.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests a minute from the token, too many requests or unknown tokens from "
    "the IP address, or other large calls are in progress. `Retry-After` says when to retry.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "An error occurred on the server, which has logged it.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Something that this needs is unreachable. `message` says that nothing was "
    "changed, or that a change is not confirmed yet. `Retry-After` says when to ask again.",
}
# From Python 3.13 on two of them have other names, by which clients generated earlier do not know them.
NAMES = {status: status.name for status in ERRORS} | {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "REQUEST_ENTITY_TOO_LARGE",
    HTTPStatus.UNPROCESSABLE_ENTITY: "UNPROCESSABLE_ENTITY",
}
OF_BODIES = {
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
# Of errors that operations of the document have not.
ELSEWHERE = {ErrorKey.NOT_SIGNED, ErrorKey.KEYS_UNKNOWN}
# Reasons in examples of errors; of the others, the first sentence is one.
REASONS = {
    HTTPStatus.UNPROCESSABLE_ENTITY: [
        "profile.userDetails.contact.email should be an email address.",
        "isContact should be a valid boolean.",
    ],
}
INDIRECTIONS = ("$ref", "allOf", "anyOf")
UNUSED = HttpResponse()
PLAIN = {"string": "", "integer": 0, "number": 0, "boolean": False}
# The same for operations without a token, whose responses have no quota.
TOO_MANY_OF_AN_ADDRESS = "TOO_MANY_OF_AN_ADDRESS"
RETRY_AFTER = {"Retry-After": "Seconds to wait."}
QUOTA = {
    "RateLimit-Policy": "How many requests a token may send in how many seconds, if they are counted.",
    "RateLimit": "How many of them are left, and for how many seconds.",
}
HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "The challenge of RFC 6750."},
    HTTPStatus.METHOD_NOT_ALLOWED: {"Allow": "The methods that the path takes."},
    HTTPStatus.TOO_MANY_REQUESTS: RETRY_AFTER | QUOTA,
    HTTPStatus.SERVICE_UNAVAILABLE: RETRY_AFTER,
}


class DocumentedApi(NinjaAPI):
    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """Return one shared response: operations could set its headers, but none does."""
        return UNUSED

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        components = document["components"]
        components["schemas"]["ErrorEnvelope"] = envelope.ErrorEnvelope.model_json_schema()
        components["responses"] = {
            **{NAMES[status]: _response(status, HEADERS.get(status)) for status in ERRORS},
            TOO_MANY_OF_AN_ADDRESS: _response(HTTPStatus.TOO_MANY_REQUESTS, RETRY_AFTER),
        }
        document["paths"] = dict(sorted(document["paths"].items(), key=_place))
        for path in document["paths"].values():
            for operation in path.values():
                _complete(operation, components["schemas"])
        _drop_titles([document["paths"], components["schemas"]])
        return document


def _place(path: tuple[str, Mapping[str, Any]]) -> int:
    return min([*TAGS].index(tag) for operation in path[1].values() for tag in operation["tags"])


def _complete(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for body in [*bodies, *operation["responses"].values()]:
        for content in body.get("content", {}).values():
            # The default for a missing body means nothing to clients, and ninja wraps its schema.
            content["schema"].pop("default", None)
            [content["schema"]] = content["schema"].get("allOf", [content["schema"]])
            content["example"] = example(content["schema"], schemas)
    # Without a word on it, a tool cannot know that no token is needed.
    needs_token = bool(operation.setdefault("security", []))
    # Operations that are not counted declare empty headers.
    is_counted = needs_token and not any("headers" in response for response in operation["responses"].values())
    if is_counted:
        for response in operation["responses"].values():
            response["headers"] = _headers(QUOTA)
    # The page of a list may be invalid.
    is_paged = any(parameter["name"] == "page" for parameter in operation.get("parameters", ()))
    for status in ERRORS:
        is_taken = status not in OF_BODIES or bodies or (is_paged and status is HTTPStatus.UNPROCESSABLE_ENTITY)
        is_possible = is_taken and (status is not HTTPStatus.UNAUTHORIZED or needs_token)
        if is_possible:
            name = NAMES[status]
            if status is HTTPStatus.TOO_MANY_REQUESTS and not is_counted:
                name = TOO_MANY_OF_AN_ADDRESS
            operation["responses"][status.value] = {"$ref": f"#/components/responses/{name}"}
    for parameter in operation.get("parameters", ()):
        # ninja repeats the schema's list here, where OpenAPI wants a map.
        parameter.pop("examples", None)


def resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and take the first of several alternatives."""
    while "type" not in schema:
        rest = {key: value for key, value in schema.items() if key not in INDIRECTIONS}
        if "$ref" in schema:
            found = schemas[schema["$ref"].rpartition("/")[2]]
        elif ways := schema.get("allOf") or schema.get("anyOf"):
            found = ways[0]
        else:
            break
        schema = {**found, **rest}
    return schema


def example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Build an example of a schema from the examples of its parts."""
    schema = resolved(schema, schemas)
    if "examples" in schema:
        return schema["examples"][0]
    if schema.get("type") == "object":
        parts = schema.get("properties", {}).items()
        return {name: example(part, schemas) for name, part in parts}
    if schema.get("type") == "array":
        return [example(schema["items"], schemas)]
    if "enum" in schema:
        return schema["enum"][0]
    return schema.get("default", PLAIN.get(schema.get("type", "null")))


def _drop_titles(parts: Iterable[Any]) -> None:
    """Drop the titles that pydantic derives from names: `Botid` adds nothing to `botId`."""
    for part in parts:
        if isinstance(part, dict):
            if isinstance(part.get("title"), str):
                del part["title"]
            _drop_titles(part.values())
        elif isinstance(part, list):
            _drop_titles(part)


def _response(status: HTTPStatus, headers: Mapping[str, str] | None) -> dict[str, Any]:
    keys = keys_of(status)
    reasons = REASONS.get(status, [keys[0].sample])
    example = envelope.error_body(keys[0], envelope.first_of(reasons), reasons)
    response: dict[str, Any] = {
        "description": ERRORS[status],
        "x-error-keys": {each.key: each.sample for each in keys},
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}, "example": example}},
    }
    if headers:
        response["headers"] = _headers(headers)
    return response


def keys_of(status: HTTPStatus) -> list[ErrorKey]:
    """Return the errors of a status that operations may have."""
    return [each for each in ErrorKey if each.status == status and each not in ELSEWHERE]


def _headers(descriptions: Mapping[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in descriptions.items()}
