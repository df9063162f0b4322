"""JSON as a collapsible tree in which each value has its path."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from developers.outbound import mapping
from developers.outbound.transport.responses import writable

MOST_NODES = 400
MOST_LEVELS = 20
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


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

    @property
    def is_cut(self) -> bool:
        return len(self.children) < self.count


def build_tree(data: Any) -> TreeNode:
    """Make a tree of at most 400 values and 20 levels from the result of `json.loads`."""
    return _Builder().node("", (), data)


class _Builder:
    def __init__(self) -> None:
        self._left = MOST_NODES

    def node(self, key: str, steps: tuple[str | int, ...], value: Any) -> TreeNode:
        self._left -= 1
        path = _path(steps)
        if not isinstance(value, dict | list):
            return TreeNode(key, path, _kind(value), writable(json.dumps(value, ensure_ascii=False)))
        made = TreeNode(key, path, "object" if isinstance(value, dict) else "list", count=len(value))
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        if len(steps) < MOST_LEVELS:
            for step, inner in pairs:
                if self._left <= 0:
                    break
                made.children.append(self.node(_shown(step), (*steps, step), inner))
        return made


def _shown(step: str | int) -> str:
    """Write a key so that it can be seen: an empty one as quotes, and control characters as JSON escapes them."""
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", writable(str(step))) or '""'


def _path(steps: tuple[str | int, ...]) -> str:
    # A key may be megabytes long, and is part of the path of every value below it.
    if sum(len(str(step)) for step in steps) > mapping.LONGEST_PATH:
        return ""
    path = mapping.readable_path(*steps)
    return path if len(path) <= mapping.LONGEST_PATH and path == writable(path) else ""


def _kind(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes_no"
    return "text" if isinstance(value, str) else "number"
