"""The tree of a response as HTML: what is in it of long and hostile responses, and what it costs."""

import json
import re
from html import unescape
from typing import Any

import pytest

from developers.outbound.editor.response_tree import MOST_NODES, build_tree
from developers.outbound.editor.tree_html import BY_SCRIPT, LONGEST_KEY, LONGEST_TEXT, submitting_to, write_tree

FIELDS = {f"field_{number}": number for number in range(9)} | {"who": {"name": "A", "at": "B"}, "tags": ["x", "y"]}


def mapped(html: str) -> list[str]:
    return [unescape(value) for value in re.findall(r'name="map" value="([^"]+)"', html)]


def test_each_field_of_four_hundred_objects_can_be_mapped() -> None:
    items = [FIELDS | {"id": number} for number in range(400)]

    html = write_tree(build_tree({"data": items}), BY_SCRIPT)

    assert len(mapped(html)) == 400 * (10 + 2 + 2)
    assert mapped(html)[-1] == "number data[399].id"
    assert "not shown" not in html


@pytest.mark.parametrize(
    ("data", "firsts"),
    [
        ({"long": list(range(50_000)), "last": {"a": {"b": [1]}}}, ["number last.a.b[0]"]),
        ({"many": [{"a": {"b": 1}}] * 9_000, "last": 1}, ["number many[0].a.b", "number many[999].a.b", "number last"]),
        ([[1] * 50_000, [2, 3]], ["number $[1][0]", "number $[1][1]"]),
        ([{"x": [{"y": 1}] * 20_000}, {"x": [{"y": 2}]}], ["number $[0]['x'][0]['y']", "number $[1]['x'][0]['y']"]),
    ],
)
def test_of_a_response_that_does_not_fit_each_part_gets_its_share(data: Any, firsts: list[str]) -> None:
    html = write_tree(build_tree(data), BY_SCRIPT)

    assert [value for value in firsts if value not in mapped(html)] == []
    assert html.count("<li>") <= 2 * MOST_NODES
    assert re.search(r"\d+ more are not shown here. The raw text has them.", html)


def test_small_responses_are_open_and_long_lists_are_closed() -> None:
    small = write_tree(build_tree({"a": {"b": [{"c": 1}]}}))
    long = write_tree(build_tree({"a": {"b": 1}, "items": [{"c": 1}] * 200}))

    assert (small.count("<details open>"), small.count("<details>")) == (4, 0)
    assert (long.count("<details open>"), long.count("<details>")) == (1, 202)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"<b>&\"'": "</bdi><script>"}, "<b>&\"'"),
        ({"شيء": "قيمة"}, "شيء"),
        ({"דבר": 1}, "דבר"),
        ({"数据": "名"}, "数据"),
        ({"😀": "👩‍👩‍👧"}, "😀"),
        ({"bell\x07": "\x1b[0m\x85"}, "bell\\u0007"),
        ({"\ud800": "\udfff"}, "\\ud800"),
        ({"\u202egpj.exe": "\u2066x\u2069"}, "\\u202egpj.exe"),
        ({"zero\u200bwidth": "\ufeff\u2028"}, "zero\\u200bwidth"),
        ({"می\u200cخواهم": "क\u200dष"}, "می\u200cخواهم"),
        ({"": ""}, '""'),
        ({"k" * 500: "v" * 5_000}, "k" * (LONGEST_KEY - 1) + "…"),
    ],
)
def test_a_key_of_any_script_is_isolated_and_escaped(data: dict[str, Any], shown: str) -> None:
    html = write_tree(build_tree(data), BY_SCRIPT)

    keys = re.findall(r'<bdi class="response-tree__key">(.*?)</bdi>', html)
    texts = re.findall(r"<bdi>(.*?)</bdi>", html)
    assert [unescape(key) for key in keys] == [shown]
    assert len(unescape(texts[0])) <= LONGEST_TEXT
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff]|<script", "".join(keys + texts))


@pytest.mark.parametrize(("button", "buttons"), [("", 0), (BY_SCRIPT, 1), (submitting_to("/a/?b&c"), 1)])
def test_a_value_has_a_button_where_it_can_be_mapped(button: str, buttons: int) -> None:
    html = write_tree(build_tree({"a": 1, "l" * 600: "last"}), button)

    assert html.count("<button") == buttons
    assert html.count("<li>") == 3
    assert submitting_to("/a/?b&c") == 'formaction="/a/?b&amp;c" formnovalidate'


def test_the_page_of_a_mebibyte_stays_small() -> None:
    items = [{f"field_{n}": f"value {n} of {row}" for n in range(60)} for row in range(580)]
    assert len(json.dumps(items)) > 1024 * 1024

    html = write_tree(build_tree(items), BY_SCRIPT)

    assert html.count("<li>") <= MOST_NODES + len(items) + 1
    assert len(html) < 3 * 1024 * 1024
