"""Reads telephone numbers by the numbering plans of all countries: Google's metadata, in the library phonenumbers.

Import it where the first number is read: the library takes 50 ms and 6 MB. Plans are loaded one by one, when needed.
"""

import re
from contextlib import suppress

import phonenumbers as library
from django.utils.translation import gettext_noop as _
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult

from botpenguin.platform.phones import FEWEST_DIGITS, MOST_DIGITS, Problem

# What people dial before the calling code of another country, beside 00. Numbers within a country begin so too.
EXIT_CODES = ("011", "0011", "010", "001", "810")
# Digits. With an exit code, numbers within a country are shorter.
FEWEST_ABROAD = 13
# The region of codes that belong to no country, such as 800.
NO_COUNTRY = "001"
MEXICO = 52
WITH_MOBILE_TOKEN = 11
MOST_READINGS = 4
PROBLEMS = {
    # Translators: %(value)s is a calling code, such as 44; in the next ones too.
    ValidationResult.TOO_SHORT: _("%(field)s is too short for the calling code %(value)s"),
    ValidationResult.TOO_LONG: _("%(field)s is too long for the calling code %(value)s"),
    ValidationResult.INVALID_LENGTH: _("%(field)s has more or fewer digits than numbers of the calling code %(value)s"),
}
# A number that is read in its written form: its calling code, and the rest.
Read = tuple[str, str]


class NoSuchNumber(ValueError):
    """No number of any plan."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


def unknown(prefix: str) -> Problem:
    return Problem(_("%(field)s %(value)s is the calling code of no country"), prefix, "prefix")


def read_whole(digits: str) -> Read:
    """Read a number that begins with a calling code."""
    return _stable(_international(digits))


def read(digits: str, prefix: str) -> Read:
    """Read a number as it is dialled in the country of a prefix, which may name an area too: 44, 1242.

    Without a prefix the digits stay as they are, unless they begin with an exit code and are nothing else.
    """
    if prefix:
        return _stable(_dialled(digits, prefix, *_plan(prefix)))
    if abroad := _abroad(digits):
        return _stable(abroad)
    if digits.startswith("00"):
        raise NoSuchNumber(Problem(_("%(field)s has no calling code of a country after its 00")))
    if len(digits) > MOST_DIGITS:
        raise NoSuchNumber(Problem(_("%(field)s should have 4 to 15 digits, or begin with a calling code")))
    return "", digits


def is_whole(digits: str) -> bool:
    """Return whether these are a calling code and a number of its plan, and nothing else."""
    try:
        number = _parse(f"+{digits}", None)
    except NoSuchNumber:
        return False
    return library.is_valid_number(number) and digits == f"{number.country_code}{_national(number)}"


def _international(digits: str) -> PhoneNumber:
    return _possible(_parse(f"+{digits}", None))


def _abroad(digits: str) -> PhoneNumber | None:
    if digits.startswith("00"):
        with suppress(NoSuchNumber):
            return _international(digits[2:])
    if len(digits) >= FEWEST_ABROAD:
        for code in EXIT_CODES:
            rest = digits.removeprefix(code)
            if rest != digits and is_whole(rest):
                return _international(rest)
    return None


def _dialled(digits: str, prefix: str, code: str, region: str) -> PhoneNumber:
    """Read a number that is dialled in a region. Prefix and digits may be the whole number already."""
    with suppress(NoSuchNumber):
        whole = _international(prefix + digits)
        if prefix != code or region == NO_COUNTRY or (_national(whole) == digits and library.is_valid_number(whole)):
            return whole
    if digits.startswith("00") and is_whole(digits[2:]):
        return _international(digits[2:])
    dialled = _parse(digits, region)
    if not library.is_valid_number(dialled) and (abroad := _abroad(digits)):
        return abroad
    return _possible(dialled)


def _parse(text: str, region: str | None) -> PhoneNumber:
    try:
        number = library.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            clause = _("%(field)s does not begin with the calling code of a country")
            raise NoSuchNumber(Problem(clause)) from error
        raise NoSuchNumber(Problem(_("%(field)s is too short or too long"))) from error
    return _without_mobile_token(number) if number.country_code == MEXICO else number


def _without_mobile_token(number: PhoneNumber) -> PhoneNumber:
    """Drop the 1 that was dialled before Mexican mobile numbers until 2019, and is still in many addresses books."""
    national = _national(number)
    if len(national) != WITH_MOBILE_TOKEN or not national.startswith("1"):
        return number
    rest = library.parse(f"+{MEXICO}{national[1:]}")
    return rest if library.is_valid_number(rest) else number


def _possible(number: PhoneNumber) -> PhoneNumber:
    result = library.is_possible_number_with_reason(number)
    if len(_national(number)) < FEWEST_DIGITS:
        result = ValidationResult.TOO_SHORT
    if problem := PROBLEMS.get(result):
        raise NoSuchNumber(Problem(problem, str(number.country_code)))
    return number


def _national(number: PhoneNumber) -> str:
    return library.national_significant_number(number)


def _stable(number: PhoneNumber) -> Read:
    """Return what clients read, if it is the same number when they write it back."""
    for _reading in range(MOST_READINGS):
        read = str(number.country_code), _national(number)
        if library.is_valid_number(number):
            return read
        number = _dialled(read[1], read[0], *_plan(read[0]))
        if (str(number.country_code), _national(number)) == read:
            return read
    raise NoSuchNumber(Problem(_("%(field)s can be read in several ways")))


def _plan(prefix: str) -> tuple[str, str]:
    """Return the calling code in a prefix, and its region."""
    for length in range(1, 4):
        code, area = prefix[:length], prefix[length:]
        regions = library.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if not prefix.startswith("0") else ()
        if regions and not area:
            return code, regions[0]
        for region in regions:
            plan = PhoneMetadata.metadata_for_region(region)
            if plan and plan.leading_digits and re.fullmatch(plan.leading_digits, area):
                return code, region
    raise NoSuchNumber(unknown(prefix))
