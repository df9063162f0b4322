"""JSON as a collapsible tree in which each value has its path."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from developers.outbound import mapping
from developers.outbound.transport.responses import writable

MOST_NODES = 12_000
MOST_LEVELS = 20
# Of a list or object whose values have values of their own, where not everything fits: so that those are shown too.
MOST_OF_A_LIST = 1_000
# The outermost list is open at first, and so are the levels below as long as they have no more lines than this.
MOST_OPEN = 100
# Shows nothing, or changes the direction of what stands beside it. Joiners stay: letters and emoji need them.
UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


@dataclass(slots=True)
class TreeNode:
    """A value. `kind`: object, list, text, number, yes_no or none; `text`: a simple value as JSON.

    `path` is empty if it is too long for a mapping, or contains a lone surrogate.
    """

    key: str
    path: str
    kind: str
    text: str = ""
    count: int = 0
    children: list["TreeNode"] = field(default_factory=list)
    is_open: bool = False

    @property
    def left_out(self) -> int:
        return self.count - len(self.children)

    @property
    def is_cut(self) -> bool:
        return self.left_out > 0


class _Place(NamedTuple):
    """The path of a value, in both ways to write it: None where it cannot be written so."""

    plain: str | None
    normalized: str | None

    @property
    def path(self) -> str:
        return self.plain or self.normalized or ""


class _Parent(NamedTuple):
    node: TreeNode
    place: _Place
    value: dict[str, Any] | list[Any]


def build_tree(data: Any) -> TreeNode:
    """Make a tree of at most 12,000 values and 20 levels from the result of `json.loads`.

    Where not all fit, the outer levels come first, and the lists and objects of a level get equal shares.
    """
    return _Builder().build(data)


class _Builder:
    def __init__(self) -> None:
        self._left = MOST_NODES - 1
        self._segments: dict[str, _Place] = {}

    def build(self, data: Any) -> TreeNode:
        place = _Place("", mapping.path_of())
        root = _node("", place, data)
        root.is_open = True
        parents = [_Parent(root, place, data)] if root.count else []
        lines = root.count
        for _level in range(MOST_LEVELS):
            parents = self._level(parents)
            lines += sum(parent.node.count for parent in parents)
            for parent in parents:
                parent.node.is_open = lines <= MOST_OPEN
        return root

    def _level(self, parents: list[_Parent]) -> list[_Parent]:
        """Give each parent its children, and return those that have children of their own."""
        children = []
        for parent, share in zip(parents, self._shares(parents), strict=True):
            for step, value in islice(_pairs(parent.value), share):
                place = self._below(parent.place, step)
                node = _node(_shown(step), place, value)
                parent.node.children.append(node)
                if node.count:
                    children.append(_Parent(node, place, value))
            self._left -= share
        return children

    def _shares(self, parents: list[_Parent]) -> list[int]:
        counts = [len(parent.value) for parent in parents]
        room, needed = self._left, sum(counts)
        # The levels below need room too.
        has_more = any(isinstance(value, dict | list) for parent in parents for value in _values(parent.value))
        if needed <= room * 2 // 3 or (needed <= room and not has_more):
            return counts
        if has_more:
            room = room * 2 // 3
            counts = [min(count, MOST_OF_A_LIST) for count in counts]
        shares = [0] * len(counts)
        # What the small ones leave is for the large ones.
        for position, index in enumerate(sorted(range(len(counts)), key=counts.__getitem__)):
            shares[index] = min(counts[index], room // (len(counts) - position))
            room -= shares[index]
        return shares

    def _below(self, parent: _Place, step: str | int) -> _Place:
        if isinstance(step, int):
            position = f"[{step}]"
            return _Place(_joined(parent.plain or None, position), _joined(parent.normalized, position))
        segment = self._segment(step)
        before = f"{parent.plain}." if parent.plain else parent.plain
        return _Place(_joined(before, segment.plain), _joined(parent.normalized, segment.normalized))

    def _segment(self, key: str) -> _Place:
        if key not in self._segments:
            # A key may be megabytes long.
            is_storable = len(key) <= mapping.LONGEST_PATH and key == writable(key)
            self._segments[key] = _Place(
                key if is_storable and key.isidentifier() else None,
                mapping.path_of(key).removeprefix("$") if is_storable else None,
            )
        return self._segments[key]


def _joined(parent: str | None, segment: str | None) -> str | None:
    if parent is None or segment is None or len(parent) + len(segment) > mapping.LONGEST_PATH:
        return None
    return parent + segment


def _pairs(value: dict[str, Any] | list[Any]) -> Iterable[tuple[str | int, Any]]:
    return value.items() if isinstance(value, dict) else enumerate(value)


def _values(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _node(key: str, place: _Place, value: Any) -> TreeNode:
    if isinstance(value, dict | list):
        return TreeNode(key, place.path, "object" if isinstance(value, dict) else "list", count=len(value))
    return TreeNode(key, place.path, _kind(value), writable(json.dumps(value, ensure_ascii=False)))


def visible(text: str) -> str:
    """Write the characters that cannot be seen as JSON escapes them."""
    return UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _shown(step: str | int) -> str:
    """Write a key so that it can be seen, an empty one as quotes."""
    return visible(writable(str(step))) or '""'


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes_no"
    return "text" if isinstance(value, str) else "number"
