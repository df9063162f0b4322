"""What people send as a telephone number that is none, or more than one."""

import pytest

from botpenguin.platform.phones import Phone, unmeant

SHORTENED = "is shortened, as spreadsheets write numbers; send all its digits as text"
EXTENSION = "has an extension; send the number without it"
COMMAS = "has commas, as spreadsheets write numbers; send it as text"
DECIMALS = ("+44 2079460991", "020 7946 0991", "0221-1234567", "9,876,543,210")
SEVERAL = "holds two numbers; send one"
SHOULD = "should be a telephone number of 4 to 15 digits"
OTHERS = "has letters or signs that no telephone number has"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9876543210.0", "ends in .0, as spreadsheets write numbers; send it as text"),
        ("+9876543210.00", "ends in .00, as spreadsheets write numbers; send it as text"),
        ("9876543210,0", "ends in ,0, as spreadsheets write numbers; send it as text"),
        ("９８７６５４３２１０．０", "ends in .0, as spreadsheets write numbers; send it as text"),
        ("9876543210.5", "ends in .5, as spreadsheets write numbers; send it as text"),
        *((f"{start}.0", "ends in .0, as spreadsheets write numbers; send it as text") for start in DECIMALS),
        ("9.876.543.210,00", "ends in ,00, as spreadsheets write numbers; send it as text"),
        ("9,876,543,210.00", "ends in .00, as spreadsheets write numbers; send it as text"),
        ("+44 2079460991.00", "ends in .00, as spreadsheets write numbers; send it as text"),
        *((text, COMMAS) for text in ("9,876,543,210", "+442,079,460,991")),
        *((text, SHORTENED) for text in ("9.87E+09", "9,87E+09", "9.87e9", "987654E4", "+9.87E+09")),
        *((f"020 7946 0991{after}", EXTENSION) for after in (" ext. 5", "x5", " ext 12", " #5", ",,5", " доб. 12")),
        *((f"+44 20 7946 0991{after}", EXTENSION) for after in (" extension 123", "~5", ";ext=5", " Durchwahl: 12")),
        ("tel:+44-20-7946-0991;ext=5", EXTENSION),
        *(
            (f"020 7946 0991{between}020 7946 0992", SEVERAL)
            for between in (" / ", "/", ", ", "; ", " or ", "\n", "\t", "\u2028", " & ", "|", " +44 ")
        ),
        ("12345 / 67890", SEVERAL),
        ("020 7946 0991/2", SEVERAL),
        ("+44 20 7946 0991 / 92", SEVERAL),
        ("00442079460991/92", SEVERAL),
        *((text, OTHERS) for text in ("1-800-FLOWERS", "*100*1#", "98765_43210", "12345\0", "call 98765")),
        *((text, SHOULD) for text in ("", "-", "n/a", "12", "x5", "1" * 21, "+", "unknown")),
    ],
)
def test_what_is_no_single_number_is_refused_with_the_reason(text: str, why: str) -> None:
    problem = unmeant(text)

    assert problem
    assert problem % {"field": "number"} == f"number {why}"


@pytest.mark.parametrize(
    "text",
    [
        *("9876543210", "+91 98765-43210", "(020) 7946 0991", "020.7946.0991", "01.42.68.53.00", "tel:+442079460991"),
        *("0221/123456", "+49 (0)33203/12345", "0049 (0)221/123456", "212/555-0123", "'9876543210", "[020] 7946"),
        *('"+442079460991"', '="02079460991"', "\u201c020 7946 0991\u201d", "01\u00b742\u00b768\u00b753\u00b700"),
        *("\u202a+44\u00a020\u20117946\u20130991\u2060", "８~10 44 20 7946 0991", "01.42", "\t9876543210\n"),
        *("9.876.543.210", "800.123.456", "+0044 20 7946 0991", "00+44 20 7946 0991", "1-800.555.0100"),
    ],
)
def test_the_signs_between_digits_do_not_matter(text: str) -> None:
    assert unmeant(text) is None


@pytest.mark.parametrize(
    ("number", "stored", "kept"),
    [
        ("020 7946 0992", ("442079460991", "44"), ("442079460992", "44")),
        ("2079460991", ("442079460991", "44"), ("442079460991", "44")),
        ("442079460991", ("442079460991", "44"), ("442079460991", "44")),
        ("+33 1 42 68 53 00", ("442079460991", "44"), ("33142685300", "33")),
        ("0033 1 42 68 53 00", ("442079460991", "44"), ("33142685300", "33")),
        ("33142685300", ("442079460991", "44"), ("33142685300", "")),
        # Numbers in India and Italy may be as long, but none is this one.
        ("442079460991", ("919876543210", "91"), ("442079460991", "")),
        ("442079460991", ("390236618300", "39"), ("442079460991", "")),
        # No such number exists, but it is as long as others.
        ("020 0000 0001", ("442079460991", "44"), ("442000000001", "44")),
        ("011 4321-1234", ("541143211230", "54"), ("541143211234", "54")),
        ("359 1235", ("12423591234", "1242"), ("12423591235", "1")),
        ("2079460991", ("2079460991", ""), ("2079460991", "")),
        ("2079460992", ("2079460991", ""), ("2079460992", "")),
        # Stored before numbers were read: what is written back stays.
        ("02079460991", ("4402079460991", "44"), ("4402079460991", "44")),
        ("12345", ("99912345", "999"), ("99912345", "999")),
        ("", ("442079460991", "44"), ("", "")),
    ],
)
def test_a_number_without_a_prefix_keeps_that_of_its_contact(
    number: str, stored: tuple[str, str], kept: tuple[str, str]
) -> None:
    assert Phone.of(number, "").kept_by(*stored) == Phone(*kept)
