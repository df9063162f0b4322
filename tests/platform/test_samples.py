"""Samples of calls in four languages. The product reads what people paste, and so it reads three of them back."""

import ast
import json
from itertools import pairwise
from typing import Any

import pytest

from botpenguin.platform.api import reference
from botpenguin.platform.api.samples import VARIABLE, Call, sample
from developers.outbound import curl
from developers.outbound.recipe import Recipe
from developers.snippets import Language

URL = "https://panel.example/api/v7/inbox/users"
READABLE = [Language.BASH, Language.POWERSHELL, Language.JAVASCRIPT]
BODIES: list[Any] = [
    None,
    {},
    [],
    {"name": "It's 5 o'clock", "note": 'She said "no" \\ $HOME `date` %PATH% ${x} $(id)'},
    {"name": "आशा राव 🐧", "empty": "", "lines": "one\ntwo\ttabs\r\nthree", "joined": "a\u2028b"},
    [{"is": True, "not": False, "none": None, "number": 1.5, "deep": {"list": [[], {}, ["'@", "'"]]}}],
    {"tags": ["'; rm -rf /", "\\'", "EOF", "@'", "\\", "{{name}}"]},
    {"text": "</script><b>&amp;"},
]
CALLS = [
    Call(method, URL, needs_token, body)
    for method, needs_token in [("POST", True), ("PUT", False), ("PATCH", True), ("DELETE", True)]
    for body in BODIES
]


def sent(recipe: Recipe) -> tuple[str, str, Any, list[str]]:
    body = json.loads(recipe.body) if recipe.body else None
    query = "&".join(f"{parameter.name}={parameter.value}" for parameter in recipe.parameters)
    headers = [field.name for field in recipe.headers if VARIABLE in field.value and "Bearer" in field.value]
    return recipe.method, recipe.url + (f"?{query}" if query else ""), body, headers


def expected(call: Call) -> tuple[str, str, Any, list[str]]:
    return call.method, call.url, call.body, ["Authorization"] if call.needs_token else []


@pytest.mark.parametrize("language", READABLE)
@pytest.mark.parametrize("call", CALLS)
def test_a_sample_sends_the_call(language: Language, call: Call) -> None:
    read = curl.read(sample(language, call)).recipe

    assert sent(read) == expected(call)
    assert (read.body_kind == "json") or call.body is None


@pytest.mark.parametrize("call", CALLS)
def test_a_sample_in_python_holds_the_body(call: Call) -> None:
    tree = ast.parse(sample(Language.PYTHON, call))

    [request] = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.keywords]
    given = {str(keyword.arg): keyword.value for keyword in request.keywords}
    assert ast.unparse(request.func) == f"requests.{call.method.lower()}"
    assert ast.literal_eval(request.args[0]) == call.url
    assert (ast.literal_eval(given["json"]) if "json" in given else None) == call.body
    assert ("headers" in given) == call.needs_token


@pytest.mark.parametrize("language", Language)
def test_samples_of_every_operation_agree(language: Language) -> None:
    calls = [each.call(URL, {}) for group in reference.groups().values() for each in group]

    texts = [sample(language, call) for call in calls]

    assert len(calls) >= 20
    assert all(one != other for one, other in pairwise(sorted(texts)))
    assert all((VARIABLE in text) == call.needs_token for text, call in zip(texts, calls, strict=True))
    if language in READABLE:
        assert [sent(curl.read(text).recipe) for text in texts] == [expected(call) for call in calls]
