"""JSON as a tree whose values know their paths."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from developers.outbound import mapping
from developers.outbound.editor.forms import MappingForm
from developers.outbound.editor.response_tree import MOST_NODES, TreeNode, build_tree
from developers.outbound.views.rows import _mapping_of

KEYS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


LONGEST = "k" * mapping.LONGEST_PATH


def leaves(node: TreeNode) -> list[TreeNode]:
    if node.kind not in ("object", "list"):
        return [node]
    return [leaf for child in node.children for leaf in leaves(child)]


@pytest.mark.parametrize(
    ("data", "path", "kind", "text"),
    [
        ({"data": {"items": [{"name": "a"}]}}, "data.items[0].name", "text", '"a"'),
        ({"a b": 1}, "$['a b']", "number", "1"),
        ({"a.b-c": 1}, "$['a.b-c']", "number", "1"),
        ({"a": {"b-c": 1}}, "$['a']['b-c']", "number", "1"),
        ({"ключ": {"имя": "ж"}}, "ключ.имя", "text", '"ж"'),
        ({"数据": [{"名": None}]}, "数据[0].名", "none", "null"),
        ({"شيء": {"b": [1]}}, "شيء.b[0]", "number", "1"),
        ({"हिंदी": "क"}, "हिंदी", "text", '"क"'),
        ({"größe": 1.5}, "größe", "number", "1.5"),
        ({"😀": 1}, "$['😀']", "number", "1"),
        ({"it's": 1}, "$['it\\'s']", "number", "1"),
        ({'"': 1}, "$['\"']", "number", "1"),
        ({"a\nb": 1}, "$['a\\nb']", "number", "1"),
        ({"": 1}, "$['']", "number", "1"),
        ({"1": 1}, "$['1']", "number", "1"),
        ({"a\u00a0": 1}, "$['a\u00a0']", "number", "1"),
        ([True], "$[0]", "yes_no", "true"),
        (None, "$", "none", "null"),
    ],
)
def test_a_value_knows_its_path_and_kind(data: Any, path: str, kind: str, text: str) -> None:
    leaf = leaves(build_tree(data))[0]

    assert (leaf.path, leaf.kind, leaf.text) == (path, kind, text)


@settings(max_examples=40)
@given(JSON)
def test_each_path_finds_its_value(data: Any) -> None:
    for leaf in leaves(build_tree(data)):
        # As a click on the value posts it, and the editor checks it.
        row = _mapping_of(f"{leaf.kind} {leaf.path}")
        form = MappingForm(row, types={})

        assert form.is_valid(), form.errors
        assert form.cleaned_data["path"] == leaf.path
        assert mapping.check(leaf.path) is None
        assert json.dumps(mapping.find(leaf.path, data), ensure_ascii=False) == leaf.text


def test_a_response_tree_stays_small_and_says_where_it_is_cut() -> None:
    wide = build_tree(list(range(MOST_NODES + 1)))
    deep: Any = 1
    for _ in range(30):
        deep = [deep]

    assert (len(wide.children), wide.left_out, wide.is_cut) == (MOST_NODES - 1, 2, True)
    assert leaves(build_tree(deep)) == []


@pytest.mark.parametrize(
    ("data", "paths"),
    [
        ({LONGEST: 1}, [LONGEST]),
        ({LONGEST + "k": 1}, [""]),
        ({LONGEST[1:] + " ": 1}, [""]),
        ({LONGEST: [1, 2]}, ["", ""]),
    ],
)
def test_a_value_at_a_path_too_long_to_map_has_none(data: Any, paths: list[str]) -> None:
    assert [leaf.path for leaf in leaves(build_tree(data))] == paths


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("", '""'),
        ("a\nb", "a\\u000ab"),
        ("\0", "\\u0000"),
        ("\x85", "\\u0085"),
        ("ключ", "ключ"),
        ("a b", "a b"),
        ("数", "数"),
    ],
)
def test_each_key_can_be_seen(key: str, shown: str) -> None:
    assert build_tree({key: 1}).children[0].key == shown


def test_half_a_character_is_written_as_json_escapes_it() -> None:
    text, key = build_tree({"a": "x\ud800", "b\udfff": 1}).children

    assert (text.path, text.text) == ("a", '"x\\ud800"')
    assert (key.path, key.key) == ("", "b\\udfff")
