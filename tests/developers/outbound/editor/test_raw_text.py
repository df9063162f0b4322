"""The text of a response as it came, with the numbers of its lines."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound.editor.raw_text import MOST_LINES, line_numbers, write_text


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ""),
        ("one", ""),
        ("one\rtwo\u2028three\x85four\x0bfive", ""),
        ("one\ntwo", "1\n2"),
        ("\n", "1\n2"),
        ("one\r\ntwo\n", "1\n2\n3"),
        ("\n" * MOST_LINES, ""),
    ],
)
def test_the_lines_of_a_text_are_numbered(text: str, numbers: str) -> None:
    assert line_numbers(text) == numbers


def test_as_many_lines_are_numbered_as_a_page_carries() -> None:
    assert line_numbers("\n" * (MOST_LINES - 1)).endswith(f"\n{MOST_LINES}")


@given(st.lists(st.sampled_from(["{", "[", '"a",', "1", "\r", "\u2028", "\n"]), max_size=9))
def test_an_error_names_a_line_that_has_a_number(parts: list[str]) -> None:
    text = "[\n" + "\n".join(parts) + "x"

    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(text)

    assert str(caught.value.lineno) in line_numbers(text).split("\n")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_text_is_written_so_that_each_of_its_characters_is_read(text: str) -> None:
    read: list[str] = []
    parser = HTMLParser(convert_charrefs=True)
    parser.handle_data = read.append  # type: ignore[assignment, method-assign]
    # As HTML reads what stands in <pre>, before it resolves references.
    normalized = write_text(text).replace("\r\n", "\n").replace("\r", "\n").removeprefix("\n")

    parser.feed(normalized)
    parser.close()

    assert "".join(read) == text
    assert "<" not in normalized
