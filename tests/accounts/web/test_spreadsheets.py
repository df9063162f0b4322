"""No spreadsheet finds a formula in the CSV, with any separator."""

import csv
from io import StringIO
from unicodedata import category, normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.web import spreadsheets
from accounts.web.spreadsheets import harmless

pytestmark = pytest.mark.no_cover

FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", "|cmd", "%0", "＝1+1", "＋1", "－1", "＠SUM(1)", "﹦1", "\u22121"]
CELLS = st.text(st.sampled_from("=+-@|%＝\u2212;,\t\r\n\v\f\u2028\"' \u200b\ufeffax1"))


def begins_formula(cell: str) -> bool:
    seen = [letter for letter in cell if letter != '"' and category(letter) not in ("Zs", "Zl", "Zp", "Cc", "Cf")]
    return bool(seen) and normalize("NFKC", seen[0])[0] in "=+-@|%\u2212"


def written(*cells: str) -> str:
    file = StringIO(newline="")
    spreadsheets.write(file, [cells])
    return file.getvalue()


@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\xa0", "\u200b", "\ufeff", "\x00", '"', ' "\t'])
def test_a_cell_that_could_be_a_formula_begins_with_an_apostrophe(before: str) -> None:
    assert [formula for formula in FORMULAS if not harmless(before + formula).startswith("'")] == []


@pytest.mark.parametrize("before", [";", "\t", ",", "\n", "\r\n", "\x0b", "\u2028", "; ", ';"', '",', "; ;\u200b"])
def test_no_separator_makes_a_formula(before: str) -> None:
    assert {formula: harmless(f"x{before}{formula}") for formula in FORMULAS} == {
        formula: f"x{before}'{formula}" for formula in FORMULAS
    }


@pytest.mark.parametrize("start", ["\t", "\r", "\n"])
def test_a_cell_that_begins_with_a_break_begins_with_an_apostrophe(start: str) -> None:
    assert harmless(f"{start}x") == f"'{start}x"


@pytest.mark.parametrize(
    "text", ["", "x", "'=1", "a=b", "1+1", "python-requests/2.32.3", "a; b", "2026-11-30T12:00:00"]
)
def test_text_that_is_no_formula_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_every_field_is_quoted() -> None:
    assert written("x", "", 'say "hi"', "a;b", "=1") == '"x","","say ""hi""","a;b","\'=1"\r\n'


@given(st.lists(CELLS, min_size=1, max_size=4))
@example(['x;"=1', 'x",=1', "=1|=1", "\t=1"])
def test_no_cell_is_a_formula_by_any_separator(cells: list[str]) -> None:
    text = written(*cells)

    for separator in (",", ";", "\t", "|"):
        rows = list(csv.reader(StringIO(text, newline=""), delimiter=separator))
        assert [cell for row in rows for cell in row if begins_formula(cell)] == []
    # A reader that knows no quotes, and ends a row at every kind of line end.
    for line in text.splitlines():
        for separator in (";", "\t", "|"):
            assert [cell for cell in line.split(separator) if begins_formula(cell)] == []
