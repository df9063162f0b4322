"""HTTP requests as text, and URLs alone."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from developers.outbound import curl
from developers.outbound.recipe import Recipe, RecipeField
from tests.developers.outbound.curl.calls import call_of

A = "https://api.example.com/v1/orders"
JSON = RecipeField("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        ("GET /v1/orders HTTP/1.1\r\nHost: api.example.com\r\n\r\n", Recipe("GET", A)),
        ("GET /v1/orders?a=1 HTTP/2\nhost: api.example.com", Recipe("GET", A, (RecipeField("a", "1"),))),
        (f"DELETE {A} HTTP/1.1\nAccept: */*", Recipe("DELETE", A, headers=(RecipeField("Accept", "*/*"),))),
        (f"get {A} HTTP/1.0", Recipe("GET", A)),
        (f"PUT {A}", Recipe("PUT", A)),
        ("GET / HTTP/1.1\nHost: a.test:80", Recipe("GET", "http://a.test:80/")),
        ("GET / HTTP/1.1\nHost: a.test:8443", Recipe("GET", "https://a.test:8443/")),
        (
            'POST /v1/orders HTTP/1.1\nHost: api.example.com\nContent-Type: application/json\n\n{"a":\n\n1}\n',
            Recipe("POST", A, headers=(JSON,), body='{"a":\n\n1}'),
        ),
        (
            f"POST {A}\nX-Empty:\nX-Long: a\n  b\n\n{{}}",
            Recipe("POST", A, headers=(RecipeField("X-Empty", ""), RecipeField("X-Long", "a b"), JSON), body="{}"),
        ),
        (f"```http\nPATCH {A} HTTP/1.1\n\n“x” – it's\n```", Recipe("PATCH", A, body="“x” – it's")),
        (f"# Orders\n\nGET {A} HTTP/1.1", Recipe("GET", A)),
        (
            ":authority: api.example.com\n:method: PATCH\n:path: /v1/orders\n:scheme: https\naccept: */*",
            Recipe("PATCH", A, headers=(RecipeField("accept", "*/*"),)),
        ),
        (f"{A}?a=1", Recipe("GET", A, (RecipeField("a", "1"),))),
        (f" {A}\u200b ", Recipe("GET", A)),
        (f"GET\xa0{A}\u200b\nA: b\u200b", Recipe("GET", A, headers=(RecipeField("A", "b\u200b"),))),
    ],
)
def test_requests_are_read(text: str, recipe: Recipe) -> None:
    assert call_of(text) == recipe


def test_headers_of_the_connection_are_left_out() -> None:
    imported = curl.read("GET /x HTTP/1.1\nHost: a.test\nConnection: close\nContent-Length: 0\nno colon")

    assert imported.left_out == (
        "Header 4 is left out: it has no colon.",
        "Headers that each sender writes itself are left out: Host, Connection, Content-Length.",
    )


@pytest.mark.parametrize(("body", "kind"), [("[1]", "application/json"), ("a", "text/plain")])
def test_a_body_without_a_type_is_said(body: str, kind: str) -> None:
    imported = curl.read(f"POST {A}\nHost: api.example.com\n\n{body}")

    assert imported.to_do == (f"The request names no Content-Type. It is read as {kind}.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "GET /x?key=secret HTTP/1.1\nAccept: */*",
            "The request names no server: after /x a line such as Host: api.example.com is missing.",
        ),
        (
            "OPTIONS * HTTP/1.1\nHost: a.test",
            "The request names no server: after * a line such as Host: api.example.com is missing.",
        ),
        ("HTTP/1.1 200 OK\nContent-Type: text/html", "That is the response of a server. Paste the request."),
        (
            "TRACE /x HTTP/1.1\nHost: a.test",
            "The method TRACE is not offered. It is one of GET, POST, PUT, PATCH, DELETE.",
        ),
    ],
)
def test_what_is_no_request_is_refused_with_the_reason(text: str, sentence: str) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(text)

    assert str(refused.value) == sentence


# Without soft hyphens, which are left out at the ends of a pasted text.
PRINTED = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0\xad"), min_size=1
)


@example([], "\xad")
@given(st.lists(PRINTED, max_size=3), PRINTED)
def test_what_is_written_is_read_back(values: list[str], body: str) -> None:
    headers = [RecipeField(f"X-{number}", value) for number, value in enumerate(values)]
    lines = ["POST /v1/orders HTTP/1.1", "Host: api.example.com", *(f"{each.name}: {each.value}" for each in headers)]

    text = "\r\n".join([*lines, "Content-Type: application/json", "", body])

    assert call_of(text) == Recipe("POST", A, headers=(*headers, JSON), body=body)
