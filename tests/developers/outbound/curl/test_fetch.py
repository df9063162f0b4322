"""`fetch(…)` as browsers, manuals and Postman write it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound import curl
from developers.outbound.recipe import Recipe, RecipeField
from tests.developers.outbound.curl.calls import call_of

A = "https://api.example.com/v1/orders"
PLAIN = ("Content-Type", "text/plain;charset=UTF-8")
BEFORE = 'const raw = \'{"b": 2}\'; let name = "me"; x == y; z = foo();\n'
HELD = "var held = {A: '1'}; held.set('B', '2'); held.set(broken); var s = ''; s.append('a', 'b'); x.append('a');\n"
CHROME = """fetch("https://api.example.com/v1/orders?page=1", {
  "headers": {
    "accept": "*/*",
    "authorization": "Bearer abc",
    "content-type": "application/json",
    "sec-ch-ua": "\\"Chromium\\";v=\\"130\\"",
    "sec-fetch-mode": "cors"
  },
  "referrer": "https://app.example.com/",
  "referrerPolicy": "strict-origin-when-cross-origin",
  "body": "{\\"a\\":\\"b\\\\n\\u00e9\\"}",
  "method": "POST",
  "mode": "cors",
  "credentials": "include"
});
"""
FIREFOX = """await fetch("https://api.example.com/v1/orders", {
    "credentials": "omit",
    "headers": {
        "User-Agent": "Mozilla/5.0",
        "Accept": "application/json",
        "Sec-Fetch-Dest": "empty"
    },
    "method": "DELETE",
    "mode": "cors"
});"""
POSTMAN = """const myHeaders = new Headers();
myHeaders.append("Content-Type", "application/json");
myHeaders.append("X-Key", `k 1`);

const raw = JSON.stringify({
  "a": 1
});

const requestOptions = {
  method: "POST",
  headers: myHeaders,
  body: raw,
  redirect: "manual"
};

fetch("https://api.example.com/v1/orders", requestOptions)
  .then((response) => response.text())
  .catch((error) => console.error(error));
"""


def pairs(recipe: Recipe) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in recipe.headers]


def test_fetch_of_chrome_and_edge_is_read() -> None:
    imported = curl.read(CHROME)

    recipe = imported.recipe
    assert (recipe.method, recipe.url, recipe.parameters) == ("POST", A, (RecipeField("page", "1"),))
    assert pairs(recipe) == [
        ("accept", "*/*"),
        ("authorization", "Bearer abc"),
        ("Referer", "https://app.example.com/"),
    ]
    assert recipe.body_kind == "json"
    assert recipe.body == '{"a":"b\\né"}'
    assert recipe.follows_redirects
    assert imported.left_out == (
        "referrerPolicy, mode, credentials are left out: that concerns only browsers.",
        "Headers that each sender writes itself are left out: sec-ch-ua, sec-fetch-mode.",
    )
    assert imported.to_do == ("The browser would add its cookies, which are not in the text. Add a header Cookie.",)


def test_fetch_of_chrome_for_node_js_keeps_its_cookies() -> None:
    text = CHROME.replace('"accept": "*/*"', '"cookie": "sid=1"').replace('  "mode": "cors",\n', "")

    imported = curl.read(text.replace('"body": "{', '"credentials": "include", "body": "{'))

    assert ("cookie", "sid=1") in pairs(imported.recipe)
    assert not imported.to_do


def test_fetch_of_firefox_is_read() -> None:
    recipe = curl.read(FIREFOX).recipe

    assert (recipe.method, recipe.url, recipe.body) == ("DELETE", A, "")
    assert pairs(recipe) == [("User-Agent", "Mozilla/5.0"), ("Accept", "application/json")]


def test_fetch_of_postman_is_read_with_its_variables() -> None:
    recipe = call_of(POSTMAN)

    assert recipe == Recipe(
        "POST",
        A,
        headers=(RecipeField("Content-Type", "application/json"), RecipeField("X-Key", "k 1")),
        body='{"a":1}',
    )


@pytest.mark.parametrize(
    ("code", "body"),
    [
        ('"{\\"a\\": 1}"', '{"a": 1}'),
        ('\'{"a": "it\\\'s"}\'', '{"a": "it\'s"}'),
        ('`{\n"a": 1}`', '{\n"a": 1}'),
        ("'[\"\\x41\\u0042\\u{1F600}\\ud83d\\ude00\\t\\q\\\n\"]'", '["AB😀😀\tq"]'),
        (
            "JSON.stringify({ a: 1, 'b c': [true, null, 1.5e3, -0.5, .5, +2], \"d\": {}, 1: `x`, })",
            '{"a":1,"b c":[true,null,1500,-0.5,0.5,2],"d":{},"1":"x"}',
        ),
        ("JSON.stringify({a: 1}, null, 2)", '{"a":1}'),
        ("JSON . stringify( // why\n {a: /* b */ 1e21})", '{"a":1e+21}'),
        ('"{\\"a\\":" + 1 + "}"', '{"a":1}'),
        ("('{}')", "{}"),
        ("{a: 1}", '{"a": 1}'),
        ("raw", '{"b": 2}'),
        ("JSON.stringify({raw, b: [`${name} x`]})", '{"raw":"{\\"b\\": 2}","b":["me x"]}'),
        ("[]", "[]"),
    ],
)
def test_literals_are_read_as_javascript_has_them(code: str, body: str) -> None:
    text = f"{BEFORE}fetch('{A}', {{method: 'PUT', body: {code}}})"

    recipe = call_of(text)

    assert (recipe.method, recipe.body) == ("PUT", body)
    assert pairs(recipe) == [PLAIN]


@pytest.mark.parametrize(
    ("code", "headers"),
    [
        ("{'A': 'b', C: ''}", [("A", "b"), ("C", "")]),
        ("[['A', 'b'], ['C', 1], 'x']", [("A", "b"), ("C", "1")]),
        ("new Headers({A: 'b'})", [("A", "b")]),
        ("new Headers([['A', 'b']])", [("A", "b")]),
        ("new Headers()", []),
        ("held", [("A", "1"), ("B", "2")]),
        ("null", []),
    ],
)
def test_headers_are_read_in_every_form(code: str, headers: list[tuple[str, str]]) -> None:
    text = f"{HELD}fetch('{A}', {{headers: {code}}})"

    recipe = call_of(text)

    assert pairs(recipe) == headers


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        (f"fetch('{A}')", Recipe("GET", A, follows_redirects=True)),
        (f"fetch('{A}',)", Recipe("GET", A, follows_redirects=True)),
        (f"const r = await window.fetch( '{A}' , {{}} ) ;", Recipe("GET", A, follows_redirects=True)),
        (f"```js\n// Orders\nfetch(`{A}`, {{redirect: 'error', referrer: 'about:client'}});\n```", Recipe("GET", A)),
        (f"fetch('{A}/{{a,b}}[1-2]')", Recipe("GET", f"{A}/{{a,b}}[1-2]", follows_redirects=True)),
        (f"fetch(“{A}”, {{method: ‘PUT’}})", Recipe("PUT", A, follows_redirects=True)),
        (
            "const base = 'https://api.example.com'; fetch(base + '/v1/orders')",
            Recipe("GET", A, follows_redirects=True),
        ),
        (f"fetch(new URL('{A}'), {{body: null}})", Recipe("GET", A, follows_redirects=True)),
        (
            f"fetch('{A}', {{method: 'POST', body: new URLSearchParams({{a: 'b c', d: 1}})}})",
            Recipe(
                "POST",
                A,
                headers=(RecipeField("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"),),
                body="a=b+c&d=1",
                follows_redirects=True,
            ),
        ),
        (
            f"fetch('{A}', {{method: 'POST', headers: {{'content-type': 'a/b'}}, body: new URLSearchParams('a=b')}})",
            Recipe("POST", A, headers=(RecipeField("content-type", "a/b"),), body="a=b", follows_redirects=True),
        ),
        (
            f"fetch('{A}', {{referrer: 'https://b.test', headers: {{Referer: 'https://c.test'}}}})",
            Recipe("GET", A, headers=(RecipeField("Referer", "https://c.test"),), follows_redirects=True),
        ),
    ],
)
def test_fetch_is_read_as_browsers_would_send_it(text: str, recipe: Recipe) -> None:
    assert call_of(text) == recipe


def test_variables_without_a_value_are_named_and_stay() -> None:
    imported = curl.read(f"fetch(`{A}/${{id}}`, {{body, headers: {{'X-Key': key, A: `Bearer ${{ user.token }}`}}}})")

    assert imported.recipe.url == f"{A}/${{id}}"
    assert pairs(imported.recipe) == [("X-Key", "${key}"), ("A", "Bearer ${ user.token }"), PLAIN]
    assert "Replace these variables by values: id, body, key, user.token." in imported.to_do


def test_only_the_first_call_is_read() -> None:
    imported = curl.read(f"fetch('{A}') ;\nfetch('https://b.test')")

    assert imported.left_out == ("Only the first call of fetch(…) is read. Paste the others one at a time.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fetch(url)", "fetch(…) names no URL as text. Write the URL itself in its place."),
        ("fetch(1)", "fetch(…) names no URL as text. Write the URL itself in its place."),
        (
            "fetch(new Request('https://a.test'))",
            "In fetch(…) the URL cannot be read. Write it as text or as an object.",
        ),
        ("fetch('https://a.test", "In fetch(…) the URL cannot be read. Write it as text or as an object."),
        *(
            (f"fetch('{A}', {{body: {code}}})", "In fetch(…) body cannot be read. Write it as text or as an object.")
            for code in (
                "secret(1)",
                "new FormData()",
                "{a b}",
                "[1 2]",
                "(1",
                "JSON.stringify(1",
                "{'a': ",
                "{...x}",
                "[" * 200,
                "",
            )
        ),
        (
            f"fetch('{A}', {{headers: {{'A': }}}})",
            "In fetch(…) headers cannot be read. Write it as text or as an object.",
        ),
        (f"fetch('{A}', {{...rest}})", "The options of fetch(…) are not complete. Paste the whole call."),
        (f"fetch('{A}', {{method: 'POST', ", "The options of fetch(…) are not complete. Paste the whole call."),
        (
            f"fetch('{A}', opts)",
            "The options of fetch(…) stand in opts, which cannot be read. Write them in its place.",
        ),
        (f"fetch('{A}', 'x')", "What follows the URL in fetch(…) is no object. Write the options as {…}."),
        ("fetch('https://a.test/\\ud800')", "The command holds a character that does not exist. Paste it anew."),
        ("fetch('https://a.test/\\u{110000}')", "The command holds a character that does not exist. Paste it anew."),
    ],
)
def test_what_is_no_literal_is_refused_by_its_name(text: str, sentence: str) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(text)

    assert str(refused.value) == sentence


TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(TEXT, VALUES, st.booleans())
def test_what_browsers_write_is_read_back(body: str, value: Any, is_ascii: bool) -> None:
    options = {"headers": {"content-type": "text/plain"}, "body": body, "method": "POST"}

    text = f"fetch({json.dumps(A)}, {json.dumps(options, indent=2, ensure_ascii=is_ascii)});"
    literal = f"fetch('{A}', {{method: 'POST', body: JSON.stringify({json.dumps(value, ensure_ascii=is_ascii)})}})"

    assert call_of(text).body == body
    assert json.loads(call_of(literal).body) == value
