"""JSON as a tree whose values know their paths."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from developers.outbound import mapping
from developers.outbound.editor.response_tree import MOST_NODES, TreeNode, build_tree

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
        assert mapping.check(leaf.path) is None
        assert json.dumps(mapping.find(leaf.path, data), ensure_ascii=False) == leaf.text


def test_a_response_tree_stays_small_and_says_where_it_is_cut() -> None:
    wide = build_tree(list(range(1000)))
    deep: Any = 1
    for _ in range(30):
        deep = [deep]

    assert (len(wide.children), wide.count, wide.is_cut) == (MOST_NODES - 1, 1000, True)
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


def test_half_a_character_is_written_as_json_escapes_it() -> None:
    text, key = build_tree({"a": "x\ud800", "b\udfff": 1}).children

    assert (text.path, text.text) == ("a", '"x\\ud800"')
    assert (key.path, key.key) == ("", "b\\udfff")
