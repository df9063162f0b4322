"""Problems of a call, each beside the field that has it."""

import base64

import pytest

from developers import tokens
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from developers.outbound.validation import find_problems, own_token_sent

pytestmark = pytest.mark.matrix


def test_every_problem_names_its_field() -> None:
    recipe = Recipe(
        "BREW",
        "nowhere",
        (RecipeField("", "x"), RecipeField("x", "y" * 8001), *[RecipeField("p", "")] * 49),
        (RecipeField("a b", "x"), RecipeField("Host", "x"), RecipeField("X", "a\r\nb"), RecipeField("fine", "x")),
        '{"a": {{a}}, "b": "{{b}}" c',
        mappings=(
            AttributeMapping("a[*]", "fine"),
            AttributeMapping("a", "not fine"),
            *[AttributeMapping("a", "b")] * 49,
        ),
    )

    assert [tuple(problem) for problem in find_problems(recipe)] == [
        ("method", "Choose one of the methods."),
        ("url", "The URL must start with https:// or http:// and the name of a server."),
        ("parameters", "At most 50 can be sent."),
        ("parameters.0.name", "Give it a name."),
        ("parameters.1.value", "Keep it to 8,000 characters."),
        ("headers.0.name", "A header's name has letters, digits and hyphens only."),
        ("headers.1.name", "Host is written by the sender itself."),
        ("headers.2.value", "A header's value has no line breaks."),
        ("body", "The body is not JSON: see line 1, column 27."),
        ("mappings", "At most 50 can be mapped."),
        ("mappings.0.path", "This path finds several values. Name one, without *, ?, : or two dots."),
        ("mappings.1.attribute", "Use letters, digits and underscores, and start with no digit."),
    ]


def test_our_own_token_is_a_problem_of_its_field() -> None:
    token = tokens.generate().open()
    parts = (
        RecipeField("fine", "fine"),
        RecipeField("x", base64.b64encode(token.encode()).decode()),
        RecipeField(token, "x"),
    )
    recipe = Recipe("POST", f"https://example.com/{token}", parts, parts, f'["{token}"]')

    assert [tuple(problem) for problem in find_problems(recipe)] == [
        (where, own_token_sent())
        for where in (
            *("url", "parameters.1.value", "parameters.2.name", "headers.1.value", "headers.2.name"),
            "body",
        )
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"a": {{a}}, "b": "x {{b}} \\" {{c}}"}', []),
        ("", []),
        ("[" * 100_000, ["body"]),
        ("[" + "1" * 5000 + "]", ["body"]),
        ('"' + "x" * 100_000 + '"', ["body"]),
    ],
)
def test_a_body_is_json_once_it_is_filled(body: str, expected: list[str]) -> None:
    assert [problem.where for problem in find_problems(Recipe("POST", "https://example.com/", body=body))] == expected
