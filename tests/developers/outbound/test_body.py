"""Bodies of forms as they are sent: multipart/form-data, its boundary, and what no value can change."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.models import User
from developers.outbound.body import body_of, boundary_of, multipart, with_boundary
from developers.outbound.curl.multipart import read
from developers.outbound.fields import NOT_IN_NAMES, NOT_IN_VALUES, RecipeField, fields_of
from developers.outbound.masking import Mask
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, Unfillable, dump, fill, load, placeholders
from developers.outbound.transport.sending import send
from developers.outbound.validation import find_problems
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.transport.own_token import TOKEN, encoded

pytestmark = pytest.mark.matrix

URL = "https://api.example.com/orders"
OWN = RecipeField("Content-Type", "multipart/form-data; boundary=own")


def parts(*fields: tuple[str, str] | RecipeField, headers: tuple[RecipeField, ...] = (), url: str = URL) -> Recipe:
    rows = tuple(each if isinstance(each, RecipeField) else RecipeField(*each) for each in fields)
    return Recipe("POST", url, headers=headers, body_kind="multipart", body_fields=rows)


def test_each_call_has_a_boundary_of_its_own() -> None:
    first, second = (with_boundary(parts(("a", "b"))) for _ in range(2))

    assert len(boundary_of(first)) == 56
    assert boundary_of(first) != boundary_of(second)
    assert with_boundary(first) == first
    assert body_of(first) == (
        f'--{boundary_of(first)}\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--{boundary_of(first)}--\r\n'
    )


@pytest.mark.parametrize(
    ("value", "boundary"),
    [
        ("multipart/form-data; boundary=own", "own"),
        ('multipart/form-data; charset=utf-8; Boundary="a b"', "a b"),
        ("Multipart/Form-Data;boundary=----WebKitFormBoundaryX", "----WebKitFormBoundaryX"),
    ],
)
def test_a_boundary_in_the_headers_is_used(value: str, boundary: str) -> None:
    recipe = with_boundary(parts(("a", "b"), headers=(RecipeField("content-type", value),)))

    assert recipe.headers == (RecipeField("content-type", value),)
    assert body_of(recipe).startswith(f"--{boundary}\r\n")
    assert list(find_problems(recipe)) == []


@pytest.mark.parametrize(
    "value", ["multipart/form-data", "multipart/form-data; ", "multipart/form-data; charset=utf-8"]
)
def test_a_content_type_without_a_boundary_gets_one(value: str) -> None:
    trace = RecipeField("X-Trace", "1")

    recipe = with_boundary(parts(("a", "b"), headers=(trace, RecipeField("Content-Type", value))))

    assert recipe.headers[0] == trace
    kept = value.partition("; boundary")[0].rstrip("; ")
    assert recipe.headers[1].value == f"{kept}; boundary={boundary_of(recipe)}"
    assert len(boundary_of(recipe)) == 56


@pytest.mark.parametrize("kind", ["none", "json", "form", "text"])
def test_other_kinds_have_no_boundary(kind: str) -> None:
    recipe = Recipe("POST", URL, body_kind=kind)

    assert with_boundary(recipe) is recipe


@given(
    st.lists(
        st.builds(
            lambda name, value, kind: RecipeField(name, value, content_type=kind),
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
                lambda text: not NOT_IN_NAMES.search(text)
            ),
            st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: not NOT_IN_VALUES.search(text)),
            st.sampled_from(["", "text/plain", "application/json; charset=utf-8"]),
        ).filter(lambda each: "%2" not in each.name and "%0" not in each.name and "\\" not in each.name),
        min_size=1,
    )
)
def test_what_is_written_as_parts_is_read_back(fields: list[RecipeField]) -> None:
    assert read(multipart(fields, "x-own-x"), "x-own-x") == tuple(fields)


@example("a=1&\n")
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF)) | st.text(st.sampled_from("a=&+%2f20{[ \n")))
def test_a_form_that_rows_hold_is_sent_as_it_was_spelled(form: str) -> None:
    fields = fields_of(form)

    assert fields is None or body_of(Recipe("POST", URL, body_kind="form", body_fields=fields)) == form


@pytest.mark.parametrize(
    ("name", "template", "value", "part"),
    [
        ("a", "{{v}}", 'x\r\n--own--\r\n"', None),
        ("a", "{{v}}", 'line\r\nContent-Disposition: form-data; name="b"', 'name="a"\r\n\r\nline\r\nContent-'),
        ("{{v}}", "1", 'x"; filename="y', 'name="x%22; filename=%22y"\r\n'),
        ("{{v}}", "1", "x\r\nX-Own: 1", 'name="x%0D%0AX-Own: 1"\r\n'),
        ("a", "{{ v }}é", 41, 'name="a"\r\n\r\n41é\r\n'),
        ("a", "{{V}}", True, 'name="a"\r\n\r\ntrue\r\n'),
        ("a", "{{v}}&b=1", "c=d", 'name="a"\r\n\r\nc=d&b=1\r\n'),
        ("a", "{not {{v}} x}", "", 'name="a"\r\n\r\n{not  x}\r\n'),
    ],
)
def test_an_attribute_stays_in_its_part(name: str, template: str, value: Any, part: str | None) -> None:
    recipe = fill(parts((name, template), headers=(OWN,)), {"v": value})

    problems = list(find_problems(recipe))

    if part is None:
        assert problems == [
            ("body_fields.0.value", "It holds the boundary that the header Content-Type names, which would end it.")
        ]
    else:
        assert problems == []
        assert part in body_of(recipe)
        assert body_of(recipe).count("--own") == 2


def test_the_attributes_of_rows_are_found_and_named() -> None:
    recipe = parts(("{{key}}", "{{a}} {{a}}"), ("b", "{{c}}"))

    assert placeholders(recipe) == ["key", "a", "c"]
    assert placeholders(replace(recipe, body_kind="none")) == []
    with pytest.raises(Unfillable, match="needs the attributes key, a, c,"):
        fill(recipe, {})


PROBLEMS: list[tuple[Recipe, str, str]] = [
    (parts(), "body_kind", "Add a field to the body, or choose None."),
    (parts(("", "b")), "body_fields.0.name", "Give it a name."),
    (parts(("a", "b"), ("", "b")), "body_fields.1.name", "Give it a name."),
    (parts(("a", "x" * 8_001)), "body_fields.0.value", "Keep it to 8,000 characters."),
    (parts(*[("a", "")] * 51), "body_fields", "At most 50 can be sent."),
    (parts(*[("a", "x" * 8_000)] * 13), "body_fields", "Keep the body to 100,000 characters."),
    (parts(("a", "\ud800")), "body_fields.0.value", "It holds half a character, which cannot be sent."),
    (
        parts(RecipeField("a", "b", content_type="json")),
        "body_fields.0.content_type",
        "Write a Content-Type such as application/json, or leave it empty.",
    ),
    (
        parts(RecipeField("a", "b", content_type="a/b\r\nX-Own: 1")),
        "body_fields.0.content_type",
        "Write a Content-Type such as application/json, or leave it empty.",
    ),
    (
        parts(("a", "b"), headers=(RecipeField("X", "1"), RecipeField("content-type", "application/json"))),
        "headers.1.value",
        "The body is sent as multipart/form-data: remove this header, or choose Text.",
    ),
    (
        parts(("a", "b"), headers=(RecipeField("Content-Type", "multipart/form-data; boundary=é"),)),
        "headers.0.value",
        "A boundary has up to 70 letters and digits. Without one, each call gets its own.",
    ),
    (
        replace(parts(("a", "b\ud800")), body_kind="form"),
        "body_fields.0.value",
        "It holds half a character, which cannot be sent.",
    ),
    (
        replace(parts(RecipeField("a", "b", raw="a=c")), body_kind="form"),
        "body_fields.0.value",
        "Type it again: it was spelled otherwise in its URL.",
    ),
]


@pytest.mark.parametrize(("recipe", "where", "sentence"), PROBLEMS)
def test_what_a_body_of_rows_cannot_hold_is_refused(recipe: Recipe, where: str, sentence: str) -> None:
    assert list(find_problems(recipe)) == [(where, sentence)]


@pytest.mark.parametrize("kind", ["form", "multipart"])
@pytest.mark.parametrize("field", [("a", TOKEN), (TOKEN, "a"), ("a", encoded(TOKEN))])
def test_no_row_may_hold_an_api_access_token(kind: str, field: tuple[str, str]) -> None:
    problems = list(find_problems(replace(parts(field), body_kind=kind)))

    assert [problem.where.partition(".")[0] for problem in problems] == ["body_fields"]
    assert list(find_problems(replace(parts(field), body_kind="none"))) == []


@pytest.mark.parametrize("kind", ["form", "multipart"])
def test_a_token_that_is_spread_over_rows_is_not_sent(alice: User, loopback: None, kind: str) -> None:
    with serving(response(b"{}")) as server:
        recipe = parts(("a", TOKEN[:20]), ("b", TOKEN[20:]), url=server.url)
        received = send(replace(recipe, body_kind=kind), owner=alice)

    assert (received.status, server.connections) == (None, 0)
    assert "API access token" in str(received.problem)


def test_parts_are_sent_again_where_a_redirect_keeps_the_body(alice: User, loopback: None) -> None:
    redirects = [response(b"", "Location: /there", status=f"{status} S") for status in (307, 303)]
    with serving(*redirects, response(b"{}")) as server:
        recipe = parts(("a", "b"), url=server.url)
        received = send(replace(recipe, follows_redirects=True), owner=alice)

    first, second, third = server.requests
    assert received.status == 200
    assert first.partition(b"\r\n\r\n")[2] == second.partition(b"\r\n\r\n")[2] != b""
    assert third.startswith(b"GET ")
    assert b"multipart" not in third


@pytest.mark.parametrize(
    ("kind", "fields", "masked"),
    [
        ("form", (RecipeField("q", "a b"), RecipeField("password", "hunter22")), "q=a+b&password=••••••••"),
        ("form", (RecipeField("x y", "1234", is_secret=True),), "x+y=••••••••"),
        ("form", (RecipeField("token", "a/b", raw="token=a%2fb"), RecipeField("n", "", is_secret=True)), None),
        ("multipart", (RecipeField("api_key", "hunter22"), RecipeField("q", "hunter22!")), None),
    ],
)
def test_hidden_rows_are_masked_in_the_log(kind: str, fields: tuple[RecipeField, ...], masked: str | None) -> None:
    mask = Mask(replace(parts(*fields, headers=(OWN,)), body_kind=kind))

    body = mask.request_body(1000)

    assert masked in (None, body)
    assert "hunter22" not in body
    assert "a%2fb" not in body
    assert "hunter22" not in mask.text(json.dumps({"echo": "got hunter22"})) or "hunter22" not in str(fields)


def test_a_secret_in_a_form_that_is_a_text_is_masked_by_its_name() -> None:
    form = RecipeField("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
    recipe = Recipe("POST", URL, headers=(form,), body="=x&password=hunter22&q={{a}}", body_kind="text")

    assert Mask(recipe).text("got hunter22") == "got ••••••••"
    assert fill(recipe, {"a": "b&c=é"}).body == "=x&password=hunter22&q=b%26c%3D%C3%A9"


@pytest.mark.parametrize(
    ("body", "secret", "loaded"),
    [
        ("a=b+c&d=%2f", False, (RecipeField("a", "b c"), RecipeField("d", "/", raw="d=%2f"))),
        ("token=x&b=1", False, (RecipeField("token", "x", is_secret=True), RecipeField("b", "1"))),
        ("a=1", True, (RecipeField("a", "1", is_secret=True),)),
        ("", False, ()),
        ('{"a": 1}', True, None),
        ("=1", False, None),
        ("a=1&=2", False, None),
        ("a=%00", False, None),
    ],
)
def test_a_form_that_was_saved_as_a_text_is_read_as_rows(
    body: str, secret: bool, loaded: tuple[RecipeField, ...] | None
) -> None:
    old = json.loads(dump(Recipe("POST", URL, body=body, body_kind="form", body_is_secret=secret)))
    del old["body_fields"]

    recipe = load(json.dumps(old))

    if loaded is None:
        form = RecipeField("Content-Type", "application/x-www-form-urlencoded")
        assert recipe == Recipe("POST", URL, headers=(form,), body=body, body_kind="text", body_is_secret=secret)
    else:
        assert recipe == Recipe("POST", URL, body_kind="form", body_fields=loaded)
    assert load(dump(recipe)) == recipe


def test_a_form_that_was_saved_as_a_text_keeps_a_content_type_of_its_own() -> None:
    own = (RecipeField("content-type", "application/x-www-form-urlencoded;charset=UTF-8"),)
    old = dump(Recipe("POST", URL, headers=own, body="=1", body_kind="form"))

    assert load(old) == Recipe("POST", URL, headers=own, body="=1", body_kind="text")


def test_rows_are_sealed_and_read_back(alice: User) -> None:
    recipe = parts(RecipeField("meta", "{}", content_type="application/json"), ("token", "x"))

    api = OutboundApi.objects.make(alice, "Orders", recipe)

    assert OutboundApi.objects.get(pk=api.pk).recipe() == recipe
