"""Queries as they were spelled, and the kinds of bodies: filled, checked, sent, masked and kept."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from developers.outbound import curl
from developers.outbound.body import body_of
from developers.outbound.fields import fields_of
from developers.outbound.masking import Mask
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import (
    CONTENT_TYPES,
    Recipe,
    RecipeField,
    Unfillable,
    dump,
    encoded,
    fill,
    load,
    parameters_of,
)
from developers.outbound.transport.sending import send
from developers.outbound.validation import find_problems
from tests.cast import logged_in
from tests.developers.outbound.servers import response, serving

pytestmark = pytest.mark.matrix

URL = "https://api.example.com/orders"


def call(kind: str, body: str, method: str = "POST", url: str = URL, *, is_secret: bool = False) -> Recipe:
    """Return a call with a body of a kind: that of a form as rows."""
    if kind != "form":
        return Recipe(method, url, body=body, body_kind=kind, body_is_secret=is_secret)
    fields = fields_of(body)
    assert fields is not None
    return Recipe(method, url, body_kind=kind, body_fields=tuple(replace(each, is_secret=is_secret) for each in fields))


QUERIES = [
    *("a=1", "a=b%20c", "a=b+c", "caf%E9=1", "pretty", "pretty=", "a==b", "a;b=1", "%ZZ=1", "a[]=1&a[]=2"),
    *("a=1%2f2", "a=1%2F2", "a=1/2", "q=a,b:c", "&a=1", "a=1&", "a=1&&b=2", "&&a=1&&&b&&", "a=~-._x", "a=%7e"),
    *("a=b%0Ac", "x=%F0%9F%90%A7", "q='1'", "q=(1)", "?a=1", "a=1?b=2", "=1", "="),
]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_kept_as_it_was_spelled(alice: User, query: str) -> None:
    recipe = Recipe("GET", URL, parameters_of(query))

    api = OutboundApi.objects.make(alice, "Orders", recipe)

    assert "&".join(map(encoded, recipe.parameters)) == query
    assert api.recipe() == recipe


@pytest.mark.parametrize("query", [query for query in QUERIES if not query.startswith("=")])
def test_the_request_line_holds_the_query_as_it_was_spelled(alice: User, loopback: None, query: str) -> None:
    with serving(response(b"{}")) as server:
        received = send(Recipe("GET", f"{server.url}/x", parameters_of(query)), owner=alice)

    assert received.status == 200
    assert server.requests[0].startswith(f"GET /x?{query} HTTP/1.1\r\n".encode())


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), min_size=1))
def test_every_query_can_be_split_and_joined(query: str) -> None:
    joined = "&".join(map(encoded, parameters_of(query)))

    assert joined == ("" if set(query) == {"&"} else query)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS.filter(bool), TEXTS)
def test_a_typed_parameter_is_percent_encoded(name: str, value: str) -> None:
    [parameter] = parameters_of(encoded(RecipeField(name, value)))

    assert parameter == RecipeField(name, value)


def test_a_changed_parameter_loses_its_old_spelling(alice: User) -> None:
    browser = logged_in(alice)
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", URL, parameters_of("a=b+c&d=e+f&key=s+t")))
    form: dict[str, str] = {"name": "Orders", "method": "GET", "url": URL, "body_kind": "json"}
    for number, (name, value, raw) in enumerate([("a", "b c", "a=b+c"), ("d", "other", "d=e+f"), ("key", "", "")]):
        form |= {f"parameters-{number}-{key}": text for key, text in (("name", name), ("value", value), ("raw", raw))}
    page = browser.get(f"/developers/third-party-apps-api/{api.pk}/").content.decode()
    form |= {"parameters-2-kept": page.partition('name="parameters-2-kept" value="')[2].partition('"')[0]}
    form |= {"parameters-2-is_secret": "on"}

    browser.post(f"/developers/third-party-apps-api/{api.pk}/", form)

    saved = OutboundApi.objects.get().recipe()
    assert "s+t" not in page
    assert [encoded(each) for each in saved.parameters] == ["a=b+c", "d=other", "key=s+t"]


def test_a_spelling_of_something_else_is_refused() -> None:
    [problem] = find_problems(Recipe("GET", URL, (RecipeField("a", "b", raw="a=other"),)))

    assert problem == ("parameters.0.value", "Type it again: it was spelled otherwise in its URL.")


BODIES: list[tuple[str, str, bytes]] = [
    ("json", '{"a": 1}', b"application/json"),
    ("form", "a=1&b=2", b"application/x-www-form-urlencoded"),
    ("form", "a=b+c&d=%20&e", b"application/x-www-form-urlencoded"),
    ("form", "caf%E9=%zz&&é=ü", b"application/x-www-form-urlencoded"),
    ("text", "Hello\nthere", b"text/plain; charset=utf-8"),
    ("text", "<a>é</a>", b"text/plain; charset=utf-8"),
    ("text", " ", b"text/plain; charset=utf-8"),
    ("text", "not {json}", b"text/plain; charset=utf-8"),
]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize(("kind", "body", "content_type"), BODIES)
@pytest.mark.usefixtures("loopback")
def test_a_body_of_each_kind_is_sent_as_it_stands(
    alice: User, method: str, kind: str, body: str, content_type: bytes
) -> None:
    with serving(response(b"{}"), response(b"{}")) as server:
        recipe = call(kind, body, method, server.url)
        assert list(find_problems(recipe)) == []
        send(recipe, owner=alice)
        send(replace(recipe, headers=(RecipeField("Content-Type", "text/own"),)), owner=alice)

    first, second = server.requests
    assert first.endswith(b"\r\n\r\n" + body.encode())
    assert b"\r\ncontent-type: %s\r\n" % content_type in first
    assert second.lower().count(b"\r\ncontent-type:") == 1
    assert b"\r\nContent-Type: text/own\r\n" in second


@pytest.mark.parametrize(("kind", "body"), [("none", "{}"), ("none", "a=1"), ("json", ""), ("json", " \n")])
def test_what_is_kept_and_json_that_is_empty_is_not_sent(alice: User, loopback: None, kind: str, body: str) -> None:
    with serving(response(b"{}")) as server:
        send(Recipe("POST", server.url, body=body, body_kind=kind), owner=alice)

    assert server.requests[0].endswith(b"\r\n\r\n")
    assert b"content-" not in server.requests[0].lower()


@pytest.mark.parametrize("kind", ["form", "text"])
@pytest.mark.usefixtures("loopback")
def test_an_empty_form_or_text_is_sent_as_a_body_of_no_bytes(alice: User, kind: str) -> None:
    with serving(response(b"{}")) as server:
        send(Recipe("POST", server.url, body_kind=kind), owner=alice)

    assert b"\r\ncontent-length: 0\r\n" in server.requests[0].lower()
    assert b"\r\ncontent-type: " in server.requests[0]


FILLED: list[tuple[str, str, Any, str]] = [
    ("form", "q={{a}}&n=1", "x&y=z é", "q=x%26y%3Dz+%C3%A9&n=1"),
    ("form", "q={{a}}", "a+b", "q=a%2Bb"),
    ("form", "q={{a}}", 41, "q=41"),
    ("form", "q={{a}}", True, "q=true"),
    ("form", "{{a}}=1&b=%2f", "x&y", "x%26y=1&b=%2f"),
    ("form", "q=%2f{{ a }}+b", "é", "q=%2F%C3%A9+b"),
    ("text", "Hi {{a}}!", 'x"&<y>', 'Hi x"&<y>!'),
    ("text", "{{a}}", "line\nbreak", "line\nbreak"),
    ("json", '{"q": "{{a}}"}', 'x"y', '{"q": "x\\"y"}'),
    ("json", '{"q": {{a}}}', 41, '{"q": 41}'),
    ("none", "{{a}}", "x", "{{a}}"),
]


@pytest.mark.parametrize(("kind", "template", "value", "body"), FILLED)
def test_an_attribute_is_filled_in_as_its_kind_spells_it(kind: str, template: str, value: Any, body: str) -> None:
    filled = fill(call(kind, template), {"a": value})

    assert (body_of(filled) if kind == "form" else filled.body) == body


@pytest.mark.parametrize("kind", CONTENT_TYPES)
def test_a_missing_attribute_of_any_body_is_named(kind: str) -> None:
    with pytest.raises(Unfillable, match="needs the attribute a,"):
        fill(Recipe("GET", URL, body="{{a}}", body_kind=kind, body_fields=(RecipeField("b", "{{a}}"),)), {})


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("json", "a=1", "The body is not JSON: see line 1, column 1."),
        ("text", "\ud800", "The body holds half a character, which cannot be sent."),
        ("text", "x" * 100_001, "Keep the body to 100,000 characters."),
        ("xml", "<a/>", "Choose one of the kinds."),
    ],
)
def test_a_body_that_its_kind_cannot_hold_is_refused(kind: str, body: str, why: str) -> None:
    [problem] = find_problems(Recipe("POST", URL, body=body, body_kind=kind))

    assert problem.sentence == why


@pytest.mark.parametrize(
    ("kind", "body", "echo", "masked"),
    [
        ("form", "password=hunter22&n=1", "got hunter22", "got ••••••••"),
        ("form", "api_key=a%2Fb%2Fc%2Fd", "got a/b/c/d", "got ••••••••"),
        ("form", "q=visible", "got visible", "got visible"),
        ("json", '{"password": "hunter22"}', "got hunter22", "got ••••••••"),
        ("text", "no names here", "no names here", "no names here"),
    ],
)
def test_secrets_of_a_body_are_masked_where_they_are_echoed(kind: str, body: str, echo: str, masked: str) -> None:
    assert Mask(call(kind, body)).text(echo) == masked


@pytest.mark.parametrize(("kind", "body"), [("form", "a=hidden-one&b=hidden-two"), ("text", "hidden-one hidden-two")])
def test_every_part_of_a_secret_body_is_masked(kind: str, body: str) -> None:
    mask = Mask(call(kind, body, is_secret=True))

    assert mask.text("hidden-one, then hidden-two") == "••••••••, then ••••••••"
    assert mask.request_body(1000) == ("a=••••••••&b=••••••••" if kind == "form" else "••••••••")


def test_a_secret_parameter_is_masked_in_the_spelling_of_its_url() -> None:
    mask = Mask(Recipe("GET", URL, parameters_of("token=a%2fb%2fc%2fd&q=b+c")))

    assert mask.text("got a%2fb%2fc%2fd") == "got ••••••••"
    assert mask.url() == f"{URL}?token=••••••••&q=b+c"


@pytest.mark.parametrize(("method", "kind"), [("GET", "none"), ("POST", "json"), ("DELETE", "json")])
def test_a_call_of_before_there_were_kinds_sends_what_it_sent(method: str, kind: str) -> None:
    old = json.loads(dump(Recipe(method, URL, (RecipeField("a", "1"),), body="{}")))
    del old["body_kind"], old["body_fields"]
    for part in old["parameters"]:
        del part["raw"], part["content_type"]

    assert load(json.dumps(old)) == Recipe(method, URL, (RecipeField("a", "1"),), body="{}", body_kind=kind)


@pytest.mark.parametrize(
    ("recipe", "written"),
    [
        (Recipe("GET", URL, body="{}"), ["-H 'Content-Type: application/json'", "--data-raw '{}'"]),
        (call("form", "a=1&b=%20"), ["--data-raw 'a=1&b=%20'"]),
        (
            Recipe("POST", URL, body_kind="form", body_fields=(RecipeField("a b", "c&d"), RecipeField("token", "s"))),
            ["--data-raw a+b=c%26d", """--data-urlencode token="$TOKEN\""""],
        ),
        (
            Recipe("POST", URL, body="Hi", body_kind="text"),
            ["-H 'Content-Type: text/plain; charset=utf-8'", "--data-raw Hi"],
        ),
        (Recipe("POST", URL, body="{}", body_kind="none"), []),
        (
            Recipe("PUT", URL, headers=(RecipeField("content-type", "text/csv"),), body="1"),
            ["-H 'content-type: text/csv'", "--data-raw 1"],
        ),
    ],
)
def test_a_body_is_written_for_curl_with_its_content_type(recipe: Recipe, written: list[str]) -> None:
    assert curl.write(recipe) == " \\\n  ".join([f"curl -X {recipe.method} {URL}", *written])
