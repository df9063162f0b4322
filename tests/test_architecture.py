"""The diagram of docs/architecture.md shows the imports between rooms, and no others."""

import re
import tomllib
from functools import cache
from pathlib import Path

import grimp

from tests.server import ROOT

TEXT = (ROOT / "docs/architecture.md").read_text()
DIAGRAM = re.findall(r"```mermaid\n(.*?)```", TEXT, re.DOTALL)[0]
PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
# Rooms by their ids in the diagram: `mail["accounts.mail<br>queue, notices"]`.
ROOMS: dict[str, str] = dict(re.findall(r'^\s*(?:subgraph )?(\w+)\["([a-z_.]+)', DIAGRAM, re.MULTILINE))
ARROWS = [
    (ROOMS[start], ROOMS[end])
    for start, ends in re.findall(r"^\s*(\w+) --> (.+)$", DIAGRAM, re.MULTILINE)
    for end in ends.split(" & ")
]
# What the text under the diagram says is not drawn, beside imports between a room and the rooms inside it.
FOUNDATIONS = {"accounts.web", "accounts.orm"}
WIRING = "botpenguin"
# Folders that Django looks for: they hold no room.
NO_ROOMS = {"management", "migrations", "models", "templatetags"}


def is_inside(inner: str, outer: str) -> bool:
    return f"{inner}.".startswith(f"{outer}.")


def room_of(module: str) -> str:
    return max((room for room in [*ROOMS.values(), *PACKAGES] if is_inside(module, room)), key=len)


def is_left_out(start: str, end: str) -> bool:
    uses_lowest_layer = is_inside(start, WIRING) and is_inside(end, "accounts")
    return start == WIRING or uses_lowest_layer or (is_inside(start, "accounts") and end in FOUNDATIONS)


@cache
def imports() -> dict[tuple[str, str], str]:
    """The imports between rooms that must be drawn, with one example each."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    found = {}
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            start, end = room_of(module), room_of(imported)
            is_nested = is_inside(start, end) or is_inside(end, start)
            if not is_nested and not is_left_out(start, end):
                found[start, end] = f"{module} imports {imported}"
    return found


def is_covered(start: str, end: str, arrow: tuple[str, str]) -> bool:
    return is_inside(start, arrow[0]) and is_inside(end, arrow[1])


def test_every_import_between_rooms_is_an_arrow() -> None:
    missing = [
        example for (start, end), example in imports().items() if not any(is_covered(start, end, a) for a in ARROWS)
    ]

    assert missing == []


def test_every_arrow_is_an_import() -> None:
    unused = [arrow for arrow in ARROWS if not any(is_covered(start, end, arrow) for start, end in imports())]

    assert ARROWS
    assert unused == []


def test_no_arrow_repeats_another() -> None:
    repeated = [arrow for arrow in ARROWS for other in ARROWS if arrow != other and is_covered(*arrow, other)]

    assert repeated == []
    assert len(set(ARROWS)) == len(ARROWS)


def test_arrows_form_no_circle() -> None:
    order: list[str] = []
    left = set(ROOMS.values())
    while left:
        # Rooms that import only what stands in the order already.
        free = {room for room in left if not any(start == room and end in left for start, end in ARROWS)}
        assert free, f"a circle among {sorted(left)}"
        order += sorted(free)
        left -= free

    assert set(order) == set(ROOMS.values())


def test_every_folder_of_a_divided_room_is_a_room() -> None:
    divided = {
        outer for outer in ROOMS.values() for inner in ROOMS.values() if inner != outer and is_inside(inner, outer)
    }

    folders = {f"{room}.{path.name}" for room in divided for path in folder_of(room).iterdir() if is_package(path)}

    assert sorted({*folders, *PACKAGES} - set(ROOMS.values())) == []
    assert [room for room in ROOMS.values() if not is_package(folder_of(room))] == []


def test_the_readme_links_every_room_of_the_three_packages() -> None:
    linked = set(re.findall(r"\]\((\w+(?:/\w+)*)\)", (ROOT / "README.md").read_text()))

    rooms = {room.replace(".", "/") for room in ROOMS.values() if room.count(".") <= 1}

    assert sorted(rooms - linked) == []


def folder_of(room: str) -> Path:
    return ROOT / room.replace(".", "/")


def is_package(path: Path) -> bool:
    return (path / "__init__.py").exists() and path.name not in NO_ROOMS
