"""The lines of a response that is shown as text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound.editor.raw_text import MOST_LINES, MOST_SHOWN, numbered_lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one", []),
        ("x" * (MOST_SHOWN + 1), []),
        ("one\ntwo", ["one", "two"]),
        ("\n", ["", ""]),
        ("one\r\ntwo", ["one\r", "two"]),
        ("a\u2028b\x85c\x0bd\re\n", ["a\u2028b\x85c\x0bd\re", ""]),
        ("\n" * (MOST_LINES - 1), [""] * MOST_LINES),
        ("\n" * MOST_LINES, []),
        ("a\n" + "x" * MOST_SHOWN, ["a", "x" * (MOST_SHOWN - 2) + "…"]),
    ],
)
def test_the_lines_of_a_text_are_numbered(text: str, lines: list[str]) -> None:
    assert numbered_lines(text) == lines


@given(st.lists(st.sampled_from(["{", "[", '"a",', "1", "\r", "\u2028", "\n"]), max_size=9))
def test_an_error_names_a_line_that_is_shown(parts: list[str]) -> None:
    text = "[\n" + "\n".join(parts) + "x"

    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)

    assert 1 <= caught.value.lineno <= len(numbered_lines(text))
    assert caught.value.colno <= len(numbered_lines(text)[caught.value.lineno - 1]) + 1
