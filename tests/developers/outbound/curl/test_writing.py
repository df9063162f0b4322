"""Recipes written as curl commands, and read back from them."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from developers.outbound import curl
from developers.outbound.fields import NOT_IN_VALUES, fields_of
from developers.outbound.recipe import METHODS, Recipe, RecipeField, parameters_of

A = "https://a.test"


def test_a_recipe_is_written_with_its_secrets_as_variables() -> None:
    recipe = Recipe(
        "POST",
        f"{A}/{{{{id}}}}",
        parameters=(RecipeField("q", "a b"), RecipeField("token", "s1"), RecipeField("2", "s2", is_secret=True)),
        headers=(
            RecipeField("Authorization", "Bearer s3"),
            RecipeField("X-Trace", "it's"),
            RecipeField("authorization", "s4"),
        ),
        body="s5",
        body_is_secret=True,
        follows_redirects=True,
    )

    assert curl.write(recipe) == (
        """curl -X POST 'https://a.test/{{id}}?q=a%20b&token='"$TOKEN"'&2='"$SECRET_2" \\\n"""
        "  --globoff \\\n"
        "  --location \\\n"
        """  -H 'Authorization: '"$AUTHORIZATION" \\\n"""
        """  -H 'X-Trace: it'"'"'s' \\\n"""
        """  -H 'authorization: '"$AUTHORIZATION_2" \\\n"""
        "  -H 'Content-Type: application/json' \\\n"
        '''  --data-raw "$BODY"'''
    )


@pytest.mark.parametrize(
    ("recipe", "written"),
    [
        (Recipe("GET", A, body='{"kept": 1}', body_kind="none"), f"curl -X GET {A}"),
        (Recipe("DELETE", A, body=" "), f"curl -X DELETE {A}"),
        (
            Recipe("PUT", A, headers=(RecipeField("content-type", "text/csv"),), body="1"),
            f"curl -X PUT {A} \\\n  -H 'content-type: text/csv' \\\n  --data-raw 1",
        ),
        (
            Recipe("GET", A, headers=(RecipeField("X-Empty", ""), RecipeField("X-Key", "", is_secret=True))),
            f"curl -X GET {A} \\\n  -H 'X-Empty;' \\\n  -H 'X-Key;'",
        ),
    ],
)
def test_what_is_written_is_the_call_that_is_sent(recipe: Recipe, written: str) -> None:
    assert curl.write(recipe) == written
    assert curl.read(written).recipe.headers == tuple(RecipeField(each.name, each.value) for each in recipe.headers)


def is_kept(value: str) -> bool:
    return NOT_IN_VALUES.search(value) is None


def is_plain(name: str) -> bool:
    # curl escapes quotation marks by %22, and the other way it cannot be known.
    return not {"%", "\\"} & set(name)


def with_variables(fields: tuple[RecipeField, ...]) -> tuple[RecipeField, ...]:
    """Return the fields with the variables of the shell that take the place of hidden values."""
    names: dict[str, int] = {}
    found = []
    for each in fields:
        value, raw = each.value, each.raw
        if each.is_hidden:
            plain = re.sub(r"\W+", "_", each.name, flags=re.ASCII).strip("_").upper()
            plain = f"SECRET_{plain}".rstrip("_") if not plain or plain[0].isdigit() else plain
            names[plain] = names.get(plain, 0) + 1
            value, raw = f"${plain}" if names[plain] == 1 else f"${plain}_{names[plain]}", ""
        found.append(replace(each, value=value, raw=raw))
    return tuple(found)


def test_a_boundary_is_left_to_curl() -> None:
    headers = (RecipeField("Content-Type", "multipart/form-data; boundary=own"), RecipeField("X-Trace", "1"))
    fields = (RecipeField("a", "b"), RecipeField("c", "{}", content_type="application/json"))

    assert curl.write(Recipe("POST", A, headers=headers, body_kind="multipart", body_fields=fields)) == (
        f"curl -X POST {A} \\\n  -H 'X-Trace: 1' \\\n  --form-string a=b \\\n"
        """  -F 'c="{}";type=application/json'"""
    )


ANY = st.text(st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x2FFF), min_size=1)
TEXT = ANY.map(str.strip).filter(bool)
LINES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0x2FFF))
QUERIES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x2FFF), min_size=1, max_size=9)
TYPES = st.sampled_from(["", "", "application/json", "text/plain; charset=utf-8"])
SECRET_NAMES = st.sampled_from(["token", "api_key", "my secret", "1:pin"])
VALUES = st.one_of(LINES, LINES.map(lambda text: f"{text}{{{{name}}}}{text}"))
FORMS = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="{[")).map(fields_of).filter(bool),
    st.lists(st.builds(RecipeField, NAMES | SECRET_NAMES, VALUES.filter(is_kept))).map(tuple),
)
PARTS = st.lists(
    st.builds(
        lambda name, value, kind: RecipeField(name, value, content_type=kind),
        *(NAMES.filter(is_plain) | NAMES.map(lambda name: f"{name}=") | SECRET_NAMES, VALUES.filter(is_kept), TYPES),
    ),
    min_size=1,
).map(tuple)
BODIES = st.one_of(
    st.tuples(st.just("json"), st.just(""), st.just(())),
    st.tuples(st.just("json"), st.dictionaries(ANY, ANY | st.integers() | st.none()).map(json.dumps), st.just(())),
    st.tuples(st.just("form"), st.just(""), FORMS),
    st.tuples(st.just("multipart"), st.just(""), PARTS),
    st.tuples(st.just("text"), LINES, st.just(())),
)
HEADERS = st.lists(
    st.builds(RecipeField, st.sampled_from(["X-Trace", "X-Name", "Accept"]), TEXT | st.just("")), max_size=3
)


@example(Recipe("GET", f"{A}/?", headers=(RecipeField("accept", ""), RecipeField("Content-Type", ""))))
@example(Recipe("GET", f'{A}/a|b"c', parameters_of('q={"a":1}')))
# Without hidden parameters, which are written as variables of the shell.
@example(Recipe("POST", A, body="a\r\n'\\b\r", body_kind="text"))
@example(Recipe("POST", A, body_kind="multipart", body_fields=(RecipeField("a", "b\r\nc"), RecipeField("=", "\r'"))))
@example(Recipe("POST", A, (RecipeField("a", "$"),), (RecipeField("X-Trace", "$"),), "*", "text"))
@example(Recipe("PUT", A, (RecipeField("a", '"$'),), (RecipeField("X-Trace", '"$'),), "$'a'", "text"))
@example(
    Recipe("GET", A, parameters_of("pretty&a=b+c&&d=%e9"), (RecipeField("X-Trace", "“a”"),), "– ‘b’ \\\n;", "text")
)
@given(
    st.builds(
        lambda method, query, headers, body, follows: Recipe(
            *(method, A, parameters_of(query), tuple(headers), body[1], body[0]),
            body_fields=body[2],
            follows_redirects=follows,
        ),
        *(st.sampled_from(METHODS), QUERIES, HEADERS, BODIES, st.booleans()),
    ).filter(lambda recipe: not any(each.is_hidden for each in recipe.parameters))
)
def test_what_is_written_is_read_back(recipe: Recipe) -> None:
    assert curl.read(curl.write(recipe)).recipe == replace(recipe, body_fields=with_variables(recipe.body_fields))
