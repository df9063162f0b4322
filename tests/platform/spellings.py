"""Numbers of all countries and kinds, and their spellings as the library phonenumbers prints them."""

from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

# From where a number is called: with the exit codes 00, 011, 0011, 010, 8~10, and others after 00.
CALLED_FROM = ("GB", "US", "AU", "JP", "RU", "FR", "IN", "HK", "BR")


def examples(code: int) -> list[PhoneNumber]:
    """Return numbers of each region with a calling code, and of each kind: mobile, toll free and so on."""
    if phonenumbers.region_code_for_country_code(code) == "001":
        found = [phonenumbers.example_number_for_non_geo_entity(code)]
    else:
        found = [
            phonenumbers.example_number_for_type(region, kind)
            for region in phonenumbers.region_codes_for_country_code(code)
            for kind in PhoneNumberType.values()
        ]
    return list(filter(None, found))


def parts(number: PhoneNumber) -> tuple[str, str]:
    """Return the calling code, and the number without it."""
    return str(number.country_code), phonenumbers.national_significant_number(number)


def spellings(number: PhoneNumber) -> Iterator[tuple[str, str]]:
    """Yield how a number is written, with the prefix that goes with it, or none."""
    code, national = parts(number)
    for style in (PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966):
        yield phonenumbers.format_number(number, style), ""
    yield phonenumbers.format_number(number, PhoneNumberFormat.E164), "999"
    yield f"00{code}{national}", ""
    yield phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL), code
    yield national, code
    for region in CALLED_FROM:
        prefix = str(phonenumbers.country_code_for_region(region))
        yield phonenumbers.format_out_of_country_calling_number(number, region), prefix
