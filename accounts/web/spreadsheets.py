"""CSV for spreadsheets, in which no cell is a formula (OWASP, "CSV injection").

The separator depends on the reader's country, and quotes work only at the start of a field. So an apostrophe is put
before anything in a cell that could begin a formula after any possible separator.
"""

import csv
from collections.abc import Iterable
from typing import IO, Any
from unicodedata import category, normalize

# Excel also accepts full-width characters, which NFKC maps to these, and the minus sign.
FORMULA_STARTS = frozenset("=+-@|%\u2212")
SEPARATORS = frozenset(";,|\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029")
# OWASP lists them besides the characters of a formula.
BAD_STARTS = ("\t", "\r", "\n")
# Blanks, control and format characters.
UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})


def write(file: IO[str] | Any, rows: Iterable[Iterable[str]]) -> None:
    """Write rows as CSV (RFC 4180), with every field quoted and harmless."""
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows(map(harmless, row) for row in rows)


def harmless(text: str) -> str:
    """Put an apostrophe before a cell that could be a formula, and inside it before what could become one."""
    is_guarded, is_blank, begins, kept = text.startswith(BAD_STARTS), True, True, ""
    for character in text:
        if begins and normalize("NFKC", character)[0] in FORMULA_STARTS:
            is_guarded |= is_blank
            kept += "" if SEPARATORS.isdisjoint(kept) else "'"
        kept += character
        is_skipped = character == '"' or category(character) in UNSEEN
        is_blank &= is_skipped
        begins = character in SEPARATORS or (begins and is_skipped)
    return f"'{kept}" if is_guarded else kept
