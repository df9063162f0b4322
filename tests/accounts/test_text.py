"""Typed text as people paste it: one rule for each kind."""

import re
import sys
from unicodedata import category, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import text

SPELLINGS = {
    "full-width digits": ("１２３４５６", "123456"),
    "a format character before": ("\u202a123456", "123456"),
    "a byte order mark": ("\ufeff123456", "123456"),
    "a soft hyphen": ("123\u00ad456", "123456"),
    "no-break blanks": ("\u00a0123\u202f456\u2007", "123 456"),
    "an ideographic blank": ("123\u3000456", "123 456"),
    "a hyphen that does not break": ("123\u2011456", "123-456"),
    "an en dash": ("123\u2013456", "123-456"),
    "a minus": ("123\u2212456", "123-456"),
    "full-width letters": ("ｅａｓｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ease@example.com"),
    "a line separator": ("123\u2028", "123"),
    "an accent behind an invisible character": ("e\u200b\u0301", "é"),
    "a blank of Braille": ("123\u2800456", "123 456"),
    "variants of an emoji": ("1\ufe0e23456\ufe0f", "123456"),
    "a ligature": ("o\ufb03ce", "office"),
}
DIGITS = {
    "Arabic": "٤٢١٠٩٨",
    "Persian": "۴۲۱۰۹۸",
    "Devanagari": "४२१०९८",
    "Bengali": "৪২১০৯৮",
    "Tamil": "௪௨௧௦௯௮",
    "Thai": "๔๒๑๐๙๘",
    "full-width": "４２１０９８",
    "mathematical": "𝟒𝟐𝟏𝟎𝟗𝟖",
}
SEARCHED = {
    "half-width kana": ("ﾊﾟｿｺﾝ", "パソコン"),
    "a joiner": ("می\u200cخواهم", "میخواهم"),
    "a hyphen": ("Anne\u2011Marie", "anne-marie"),
    "an accent of its own": ("Caf\u00e9", "cafe\u0301"),
    "an emoji's variant": ("I \u2764\ufe0f Pune", "i \u2764 pune"),
    "a sharp s": ("Straße", "STRASSE"),
    "two blanks": ("Asha\u00a0 Rao", "asha rao"),
    "full-width": ("Ａｓｈａ", "asha"),
    "a final sigma": ("ΟΔΟΣ", "οδος"),
    "a tab": ("Asha\tRao\x1f", "\u3000ASHA rao"),
    "an ideographic full stop": ("例え。", "例え."),
    "an accent with a dot": ("i\u0307", "İ"),
}
UNSEEN = [
    "",
    " ",
    "\u200b",
    "\u2800",
    "\u3164",
    "\u00a0\u3000",
    "\u200d\ufe0f",
    "\t\n",
    "\u034f",
    "\U000e0041",
    "\u2060",
]
SEEN = ["a", "\u200ba", "क\u094dष", "👩\u200d💻", "\u0600", "ー", "-", "\u0301a"]


@pytest.mark.parametrize(("typed", "normal"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_code_number_or_email_has_one_spelling(typed: str, normal: str) -> None:
    assert text.normalize(typed) == normal


@pytest.mark.parametrize("typed", DIGITS.values(), ids=DIGITS)
def test_digits_of_every_script_are_digits(typed: str) -> None:
    assert text.normalize_digits(typed) == "421098"


@pytest.mark.parametrize(("stored", "typed"), SEARCHED.values(), ids=SEARCHED)
def test_both_sides_of_a_search_are_alike(stored: str, typed: str) -> None:
    assert text.searchable(stored) == text.searchable(typed)


def test_names_keep_their_text() -> None:
    assert text.keep(" می\u200cخواهم Cafe\u0301 Anne\u2011Marie\u00a0") == "می\u200cخواهم Caf\u00e9 Anne\u2011Marie"


@pytest.mark.parametrize("typed", UNSEEN, ids=ascii)
def test_what_shows_nothing_is_no_name(typed: str) -> None:
    assert not text.is_visible(typed)


@pytest.mark.parametrize("typed", SEEN, ids=ascii)
def test_what_shows_something_is_a_name(typed: str) -> None:
    assert text.is_visible(typed)


def test_every_blank_and_control_character_is_invisible() -> None:
    invisible = re.compile(f"[{text.INVISIBLE}]")

    seen = [
        hex(each)
        for each in range(sys.maxunicode)
        if category(chr(each)) in {"Zs", "Zl", "Zp", "Cc"} and not invisible.match(chr(each))
    ]

    assert seen == []


def test_every_blank_in_a_password_is_one_blank() -> None:
    blanks = [chr(each) for each in range(sys.maxunicode) if category(chr(each)) == "Zs"]

    assert {text.opaque(each) for each in blanks} == {" "}
    assert all(text.opaque(each) == each for each in "\t\n\x0b\u2028\u2800\u200b")


@pytest.mark.parametrize("count", [30, 31, 60, 20_000])
def test_many_accents_on_one_letter_take_no_quadratic_time(count: int) -> None:
    typed = "e" + "\u0327\u0301" * count

    for rule in (text.keep, text.opaque, text.normalize, text.searchable):
        assert rule(rule(typed)) == rule(typed)
        assert len(rule(typed)) >= 2 * count


@given(st.text())
def test_a_normalized_text_is_normal(typed: str) -> None:
    normal = text.normalize(typed)

    assert text.normalize(normal) == normal
    assert not any(category(each) in {"Cf", "Pd", "Zs"} - {category(" "), category("-")} for each in normal)


@given(st.text())
def test_a_search_finds_the_text_in_its_other_forms(stored: str) -> None:
    searched = text.searchable(stored)

    assert text.searchable(searched) == searched
    assert text.searchable(normalize("NFD", stored)) == searched
    assert text.searchable(normalize("NFKC", stored)) == searched
