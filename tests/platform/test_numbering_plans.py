"""Numbers are read by the numbering plans of all countries."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from botpenguin.platform.numbering_plans import NoSuchNumber, read, read_whole
from botpenguin.platform.phones import Phone, unmeant
from tests.platform.spellings import examples, parts, spellings
from tests.server import ROOT

# An import that is not inside of a function.
LOADING = r"^(import|from) .*\b(phonenumbers|numbering_plans)\b"

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
DIGITS = st.text("0123456789", min_size=4, max_size=15)


@pytest.mark.parametrize("code", [7, 36, 39, 44, 52, 54, 55, 61, 800])
def test_any_spelling_that_the_library_prints_is_the_same_number(code: int) -> None:
    for number in examples(code):
        expected = Phone("".join(parts(number)), parts(number)[0])
        for written, prefix in spellings(number):
            assert (unmeant(written), Phone.of(written, prefix)) == (None, expected), (written, prefix)


@pytest.mark.release
@pytest.mark.parametrize("code", CODES)
def test_any_spelling_is_the_same_number_in_all_countries(code: int) -> None:
    test_any_spelling_that_the_library_prints_is_the_same_number(code)


@pytest.mark.no_cover
@hypothesis(deadline=None, max_examples=50)
@given(st.sampled_from(CODES), DIGITS)
def test_a_number_that_is_written_back_as_it_was_read_is_the_same(code: int, national: str) -> None:
    try:
        first = read_whole(f"{code}{national}")
    except NoSuchNumber:
        return

    assert read(first[1], first[0]) == first
    assert read_whole("".join(first)) == first


@pytest.mark.no_cover
@hypothesis(deadline=None, max_examples=50)
@given(st.sampled_from(CODES), st.data())
def test_a_valid_number_keeps_all_its_digits(code: int, data: st.DataObject) -> None:
    known, national = parts(data.draw(st.sampled_from(examples(code))))
    kept = data.draw(st.integers(1, len(national)))
    national = national[:kept] + "".join(
        data.draw(st.lists(st.sampled_from("0123456789"), min_size=len(national) - kept, max_size=len(national) - kept))
    )
    is_valid = phonenumbers.is_valid_number(phonenumbers.parse(f"+{known}{national}"))

    assert not is_valid or read(national, known) == read_whole(known + national)


@pytest.mark.parametrize(
    ("number", "prefix", "read_as"),
    [
        ("+44 (0)20 7946 0991", "", ("442079460991", "44")),
        ("020 7946 0991", "44", ("442079460991", "44")),
        ("442079460991", "44", ("442079460991", "44")),
        ("2079460991", "0044", ("442079460991", "44")),
        ("+0044 20 7946 0991", "", ("442079460991", "44")),
        ("00 +44 20 7946 0991", "39", ("442079460991", "44")),
        ("(+44) 20 7946 0991", "", ("442079460991", "44")),
        ("'+44 20 7946 0991", "", ("442079460991", "44")),
        ("TEL:+44-20-7946-0991", "", ("442079460991", "44")),
        ("\u202a020\u00a07946\u20110991\u202c", "44", ("442079460991", "44")),
        ("٠٢٠ ٧٩٤٦ ٠٩٩١", "٤٤", ("442079460991", "44")),
        ("００４４ 20 7946 0991", "", ("442079460991", "44")),
        ("0044 20 7946 0991", "1", ("442079460991", "44")),
        ("011 44 20 7946 0991", "", ("442079460991", "44")),
        ("011 44 20 7946 0991", "39", ("442079460991", "44")),
        ("8~10 44 20 7946 0991", "", ("442079460991", "44")),
        # Codes of areas begin so too: Turin, Buenos Aires, and a mobile number there.
        ("011 123 4567", "39", ("390111234567", "39")),
        ("011 4321-1234", "54", ("541143211234", "54")),
        ("011 15 2345-6789", "54", ("5491123456789", "54")),
        ("011 15 2345-6789", "", ("0111523456789", "")),
        ("+27 00000011", "", ("2700011", "27")),
        ("+39 (0)2 3661 8300", "", ("390236618300", "39")),
        ("+34 (0)91 123 45 67", "", ("34911234567", "34")),
        ("+1 (0) 212 555 0123", "", ("12125550123", "1")),
        ("8 (912) 345-67-89", "7", ("79123456789", "7")),
        ("06 20 123 4567", "36", ("36201234567", "36")),
        # The 1 of mobile numbers in Mexico, of before 2019.
        ("+52 1 55 1234 5678", "", ("525512345678", "52")),
        ("1 55 1234 5678", "52", ("525512345678", "52")),
        # Areas in prefixes, as pickers of countries have them.
        ("359 1234", "+1-242", ("12423591234", "1")),
        ("242 359 1234", "1242", ("12423591234", "1")),
        ("555 1234", "1876", ("18765551234", "1")),
        ("701 234 5678", "77", ("77012345678", "7")),
        ("9198765432", "91", ("919198765432", "91")),
        ("1234 5678", "800", ("80012345678", "800")),
        ("+44 1234", "", ("441234", "44")),
        # Neither a plus nor a prefix.
        ("020 7946 0991", "", ("02079460991", "")),
        ("5215512345678", "", ("5215512345678", "")),
        ("1234", "", ("1234", "")),
        ("", "44", ("", "")),
        ("-", "44", ("", "")),
    ],
)
def test_a_number_is_read_as_it_is_meant(number: str, prefix: str, read_as: tuple[str, str]) -> None:
    assert Phone.of(number, prefix) == Phone(*read_as)


@pytest.mark.parametrize(
    ("number", "prefix", "problem"),
    [
        ("2079460991", "999", "prefix 999 is the calling code of no country"),
        ("2079460991", "0", "prefix 0 is the calling code of no country"),
        ("2079460991", "12345", "prefix 12345 is the calling code of no country"),
        ("2079460991", "1999", "prefix 1999 is the calling code of no country"),
        ("+999 1234567", "", "number does not begin with the calling code of a country"),
        ("+0 1234567", "", "number does not begin with the calling code of a country"),
        ("+44 123", "", "number is too short for the calling code 44"),
        ("12", "44", "number is too short for the calling code 44"),
        ("+44 20 7946 09911", "", "number is too long for the calling code 44"),
        ("+52 1 00 1234 5678", "", "number is too long for the calling code 52"),
        ("0000000000", "", "number has no calling code of a country after its 00"),
        ("+43", "", "number is too short or too long"),
        ("1" * 16, "", "number should have 4 to 15 digits, or begin with a calling code"),
        ("+800 123456789", "", "number is too long for the calling code 800"),
        ("+290 123", "", "number is too short for the calling code 290"),
        ("+52 123", "", "number is too short for the calling code 52"),
        ("+43 00000001101", "", "number can be read in several ways"),
    ],
)
def test_a_number_that_cannot_be_has_a_problem(number: str, prefix: str, problem: str) -> None:
    found = Phone.of(number, prefix).problem

    assert found
    assert found.of("phone") == f"phone.{problem}"


@pytest.mark.no_cover
@hypothesis(deadline=None, max_examples=60)
@given(
    st.text("0123456789", max_size=40) | st.text("+0123456789 ()/-.", max_size=40) | st.text(max_size=40),
    st.sampled_from(["", "1242", "999", "0", *map(str, CODES)]),
)
def test_any_text_is_a_number_that_stays_the_same_or_has_a_problem(text: str, prefix: str) -> None:
    phone = Phone.of(text, prefix)

    assert phone.problem or Phone.of(phone.whole.removeprefix(phone.prefix), phone.prefix) == phone


@pytest.mark.parametrize(
    "hostile", ["+" + "1" * 39, "0" * 40, "(" * 39 + "1", "1-" * 20, "1/" * 20, "+49" + " -" * 18 + "1", "1" * 200]
)
@pytest.mark.parametrize("prefix", ["", "1", "44", "54", "49"])
def test_hostile_texts_are_read_or_refused(hostile: str, prefix: str) -> None:
    phone = Phone.of(hostile, prefix)

    assert phone.problem or len(phone.whole) <= 20


def test_the_library_is_loaded_with_the_first_number_and_not_at_the_start() -> None:
    """It takes 50 ms and 5 MB, which most processes never need."""
    sources = {path: path.read_text() for path in (ROOT / "botpenguin").rglob("*.py")}

    at_the_start = [path.stem for path, text in sources.items() if re.search(LOADING, text, re.MULTILINE)]

    assert at_the_start == ["numbering_plans"]
