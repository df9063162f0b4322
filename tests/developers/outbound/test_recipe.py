import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound import recipe as recipes
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField, Unfillable, fill, placeholders

URL = "https://api.example.com"


def refusal(recipe: Recipe, **attributes: Any) -> str:
    with pytest.raises(Unfillable) as caught:
        fill(recipe, attributes)
    return str(caught.value)


def test_what_is_written_for_sealing_reads_back_the_same() -> None:
    recipe = Recipe(
        "POST",
        URL,
        (RecipeField("é", "1"),),
        (RecipeField("X", "2", is_secret=True),),
        body="{}",
        body_is_secret=True,
        mappings=(AttributeMapping("a", "b"),),
        follows_redirects=True,
    )

    assert recipes.load(recipes.dump(recipe)) == recipe


def test_values_do_not_show_where_a_recipe_is_printed() -> None:
    recipe = Recipe("POST", URL, headers=(RecipeField("X", "hush-1"),), body="hush-2")

    assert "hush" not in repr(recipe)


def test_attributes_are_named_once_each_in_the_order_of_their_first_use() -> None:
    recipe = Recipe(
        "POST",
        f"{URL}/{{{{city}}}}/{{{{ Plan }}}}",
        (RecipeField("a", "{{age}}{{plan}}"),),
        (RecipeField("X", "{{City}}"),),
        '{"a": {{last}}}',
    )

    assert placeholders(recipe) == ["city", "Plan", "age", "last"]
    assert placeholders(replace(recipe, body_kind="none")) == ["city", "Plan", "age"]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_an_attribute_holds_the_body_stays_json_of_the_same_form(value: str) -> None:
    recipe = Recipe("POST", URL, body='{"greeting": "Hi \\"{{name}}\\" \\\\", "name": {{name}}}')

    body = json.loads(fill(recipe, {"NAME": value}).body)

    assert body == {"greeting": f'Hi "{value}" \\', "name": value}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_an_attribute_holds_it_stays_one_segment_of_the_path(value: str) -> None:
    try:
        url = fill(Recipe("GET", f"{URL}/users/{{{{id}}}}/orders"), {"id": value}).url
    except Unfillable:
        assert {".", ".."} & set(re.split(r"[/\\]", unquote(value)))
    else:
        before, segment, after = url.removeprefix(f"{URL}/").split("/")
        assert (before, after) == ("users", "orders")
        assert re.fullmatch(r"[A-Za-z0-9%~._-]+", segment)


@pytest.mark.parametrize(
    ("value", "bare", "inside"), [(True, "true", "true"), (7, "7", "7"), (1.5, "1.5", "1.5"), ("7", '"7"', "7")]
)
def test_a_value_of_its_own_keeps_its_type(value: Any, bare: str, inside: str) -> None:
    recipe = Recipe(
        "POST", URL, (RecipeField("p", "{{a}}"),), (RecipeField("X", "v{{a}}"),), '{"a": {{a}}, "b": "{{a}}"}'
    )

    filled = fill(recipe, {"a": value})

    assert filled.body == f'{{"a": {bare}, "b": "{inside}"}}'
    assert (filled.parameters[0].value, filled.headers[0].value) == (inside, f"v{inside}")


def test_what_is_known_to_be_nothing_is_null_as_a_value_of_its_own() -> None:
    assert fill(Recipe("POST", URL, body='{"a": {{a}}}'), {"a": None}).body == '{"a": null}'


def test_all_that_is_missing_is_named() -> None:
    recipe = Recipe("POST", f"{URL}/{{{{city}}}}", (RecipeField("p", "{{a}}{{a}}"),), body='{"x": "{{b}}", "y": {{c}}}')

    assert refusal(recipe, b=None, c=1) == "This call needs the attributes city, a, b, which have no values."
    assert refusal(recipe, city="", a=1, b=1, c=1) == "This call needs the attribute city, which has no value."
    assert refusal(recipe, city="x", a=float("nan"), b=1, c=1) == (
        "This call needs the attribute a, which has no value."
    )


def test_a_body_that_is_not_sent_needs_nothing() -> None:
    assert fill(Recipe("PUT", URL, body="{{a}}", body_kind="none"), {}).body == "{{a}}"


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\n", "\0", "\x7f"])
def test_no_value_breaks_out_of_a_header(value: str) -> None:
    assert refusal(Recipe("GET", URL, headers=(RecipeField("X", "{{a}}"),)), a=value) == (
        "The attribute a holds a line break, which a header cannot carry."
    )


@pytest.mark.parametrize(
    ("template", "value"),
    [
        *(("{{a}}", ".."), ("{{a}}", "."), (".{{a}}", "."), ("%2E{{a}}", ".")),
        *(("{{a}}", "../admin"), ("{{a}}", "7/../../admin"), ("{{a}}", "7\\..\\admin"), ("{{a}}", "7/.")),
        *(("order-{{a}}", "/../admin"), ("{{a}}", "..%2Fadmin"), ("{{a}}", "%2e%2E/admin")),
    ],
)
def test_no_value_leads_to_another_path(template: str, value: str) -> None:
    assert "An attribute would lead the URL to another path" in refusal(Recipe("GET", f"{URL}/x/{template}/y"), a=value)


@pytest.mark.parametrize(
    ("value", "segment"), [("Köln/Bonn", "K%C3%B6ln%2FBonn"), ("...", "..."), ("a..b/.c", "a..b%2F.c")]
)
def test_a_value_with_slashes_and_dots_that_lead_nowhere_is_taken(value: str, segment: str) -> None:
    assert fill(Recipe("GET", f"{URL}/{{{{a}}}}/x"), {"a": value}).url == f"{URL}/{segment}/x"


@pytest.mark.parametrize("url", ["https://{{a}}/", "https://{{a}}.example.com", "{{a}}", "https://x:{{a}}/"])
def test_no_value_names_the_server(url: str) -> None:
    assert refusal(Recipe("GET", url), a="evil.example") == (
        "An attribute may stand in the path of the URL, not in the name of the server."
    )


def test_attributes_make_no_call_longer_than_can_be_sent() -> None:
    recipe = Recipe("POST", URL, body=json.dumps("{{a}}" * 19_000))

    assert refusal(recipe, a="x" * 100_000) == "With these attributes the call is longer than can be sent."
    assert fill(recipe, {"a": "x"}).body == json.dumps("x" * 19_000)


def test_half_a_character_is_not_sent() -> None:
    assert refusal(Recipe("GET", URL, (RecipeField("p", "{{a}}"),)), a="\ud800") == (
        "The attribute a holds half a character, which cannot be sent."
    )


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "X-Auth", "Proxy-Authorization", "bearer", "Cookie", "credentials", "X-JWT", "hmac"),
        *("sessionId", "X-Api-Key", "apikey", "apiKey", "key", "Ocp-Apim-Subscription-Key", "x-functions-key"),
        *("DD-APPLICATION-KEY", "access_token", "client_secret", "password", "passwd", "pwd", "pass", "db_pass"),
        *("passphrase", "X-Signature", "sig", "X-Sig", "pin", "card-pin", "otp", "sid", "appid"),
    ],
)
def test_some_names_say_that_their_values_are_secrets(name: str) -> None:
    assert RecipeField(name, "x").is_hidden


@pytest.mark.parametrize(
    "name", ["units", "author", "co-authors", "passenger", "design", "spin", "shipping", "keyword", "appidentity"]
)
def test_other_names_do_not(name: str) -> None:
    assert not RecipeField(name, "x").is_hidden
