"""Telephone numbers as people write them.

`unmeant` finds what is no single number, such as a spreadsheet's "9876543210.0"; `Phone.of` reads the others. What is
stored and sent are digits without a plus, with the calling code apart.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from accounts.text import normalize_digits

FEWEST_DIGITS, MOST_DIGITS = 4, 15
# Characters, once invisible ones are gone, and before that.
LONGEST, LONGEST_AS_TYPED = 40, 200
# A telephone number, or part of one: +44 (0)20 7946-0991. With exit code, calling code and zero it is longer.
NUMBER = re.compile(r"[ ([]*\+?[] ()[./-]*[0-9][] ()[./0-9-]*")
MOST_TYPED_DIGITS = 20
# Digits of numbers within most countries, with their zero.
MOST_OF_A_COUNTRY = 11
# In a search for a whole number.
FEWEST_OF_A_WHOLE = 7

# What spreadsheets, quotes and URIs put around a number; and dots of other keyboards.
_BEFORE, _AFTER = re.compile(r"(?:[='\"\u2019\u201c]|tel:)*", re.I), "'\"\u2019\u201d"
_DOTS = str.maketrans("\u00b7\u2022\u30fb", "...")
_SCIENTIFIC = re.compile(r"[+-]?[0-9][0-9.,]*e[+-]?[0-9]+", re.I)
# After more digits than stand between the dots of 01.42.68.53.00.
_DECIMALS = re.compile(
    r"(?:(?:^\+?[0-9]{4}|[0-9]{7}|,[0-9]{3}|\.[0-9]{3}(?=,))[0-9]*([.,](?:0+|[0-9]{1,2}))|[0-9](\.0))$"
)
_THOUSANDS = re.compile(r"\+?[0-9]{1,3}(?:,[0-9]{3}){2,}")
# What also stands for a plus: +0044, 00+44, and the exit code of Russia.
_PLUS = re.compile(r"^[ (]*(?:\+ ?00|00 ?\+|8~10)")
_EXTENSION = re.compile(r"[0-9)\]] ?(?:[;#,~]+[^\W\d_]{0,15}|[^\W\d_]{1,15})[.:=]? ?[0-9]{1,6}#?$")
_BREAK = re.compile(r"[\t-\r\x85\u2028\u2029]")
_BETWEEN_TWO = re.compile(r"(?:[;,|&+]|[^\W\d_]+)[. ]*\+?(?:[] ()[./-]*[0-9]){6}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is no telephone number: a clause about a field, `%(field)s`, in English, and the value in it."""

    clause: str
    value: str = ""
    # The field of a telephone that it is about.
    key: str = "number"

    def __mod__(self, names: Mapping[str, str]) -> str:
        """Return the clause in the active language, about the field that is named in `names`."""
        return gettext(self.clause) % {"value": self.value, **names}

    def of(self, owner: str) -> str:
        """Return the clause about the field of an object, such as `contact.phone`."""
        return self % {"field": f"{owner}.{self.key}"}


SHOULD = Problem(_("%(field)s should be a telephone number of 4 to 15 digits"))
SEVERAL = Problem(_("%(field)s holds two numbers; send one"))


def digits(text: str) -> str:
    """Return the digits of a telephone number: `+91 (98) 76` and `919876` are the same number."""
    return "".join(character for character in text if character in "0123456789")


def clean(text: str) -> str:
    """Return a number as it was meant, without invisible characters and what stands before it."""
    meant = _BEFORE.sub("", normalize_digits(text).translate(_DOTS), count=1).rstrip(_AFTER).strip()
    return _PLUS.sub("+", meant)


def clean_prefix(text: str) -> str:
    """Return the digits of a calling code: of +44, 0044, +1-242."""
    return re.sub("^00(?=.)", "", digits(clean(text)))


def unmeant(typed: str) -> Problem | None:
    """Return why a text is not one telephone number, or None."""
    text = clean(typed)
    if _SCIENTIFIC.fullmatch(text):
        return Problem(_("%(field)s is shortened, as spreadsheets write numbers; send all its digits as text"))
    if decimals := _DECIMALS.search(text):
        # Translators: %(value)s is the end of a number, such as .00
        clause = _("%(field)s ends in %(value)s, as spreadsheets write numbers; send it as text")
        return Problem(clause, decimals[1] or decimals[2])
    if _THOUSANDS.fullmatch(text):
        return Problem(_("%(field)s has commas, as spreadsheets write numbers; send it as text"))
    if _BREAK.search(typed.strip()) or (NUMBER.fullmatch(text) and _is_followed_by_another(text)):
        return SEVERAL
    count = len(digits(text))
    if not NUMBER.fullmatch(text):
        return _what_else_it_holds(text) if count >= FEWEST_DIGITS else SHOULD
    return None if FEWEST_DIGITS <= count <= MOST_TYPED_DIGITS else SHOULD


def _is_followed_by_another(text: str) -> bool:
    """Return whether a whole number stands before a slash, not the code of an area: 0221/123456."""
    head, slash, _rest = text.partition("/")
    fewest = {"+": 10, "00": 12, "0": 7}
    least = next((fewest[start] for start in fewest if text.lstrip(" ([").startswith(start)), 5)
    return bool(slash) and len(digits(head)) >= least


def _what_else_it_holds(text: str) -> Problem:
    if _EXTENSION.search(text):
        return Problem(_("%(field)s has an extension; send the number without it"))
    if _BETWEEN_TWO.search(text, 1):
        return SEVERAL
    return Problem(_("%(field)s has letters or signs that no telephone number has"))


@dataclass(frozen=True, slots=True)
class Phone:
    """A number in digits, with its calling code, and that code, where it is known.

    `problem` says why it can be no number. Such a number is only what an old contact may have already.
    """

    whole: str
    prefix: str
    problem: Problem | None = None

    @classmethod
    def of(cls, number: str, prefix: str) -> "Phone":
        """Read a number, in the country of the prefix if it names none itself. Without either it is only digits."""
        from botpenguin.platform import numbering_plans as plans  # noqa: PLC0415 - see there

        text, prefix = clean(number), clean_prefix(prefix)
        if not digits(text):
            return cls("", "")
        is_whole = text.lstrip(" ([").startswith("+")
        # 44 (0)20 7946 0991: the zero counts in some countries, and is wrong where it makes a number too long.
        for each in dict.fromkeys((digits(text), digits(text.replace("(0)", "")))):
            try:
                code, national = plans.read_whole(each) if is_whole else plans.read(each, prefix)
                return cls(code + national, code)
            except plans.NoSuchNumber as why:
                problem = why.problem
        return cls(digits(text) if is_whole else prefix + digits(text), "" if is_whole else prefix, problem)

    @classmethod
    def of_stored(cls, whole: str, prefix: str) -> "Phone":
        """Read a stored number, with its prefix, as it would be read if it was sent today."""
        from botpenguin.platform import numbering_plans as plans  # noqa: PLC0415 - see there

        national = whole.removeprefix(prefix)
        if prefix and (national == whole or not national):
            return cls(whole, prefix, Problem(_("%(field)s does not begin with its prefix %(value)s"), prefix))
        if not prefix and len(whole) > MOST_OF_A_COUNTRY:
            # Release 0.1.0 kept the zero of +44 (0)20 7946 0991, and no prefix.
            read = cls.of(f"+{whole}", "")
            if whole == f"{read.prefix}0{read.whole.removeprefix(read.prefix)}" and plans.is_whole(read.whole):
                return read
        return cls.of(national, prefix)

    def kept_by(self, whole: str, prefix: str) -> "Phone":
        """Return the number for a contact with this number and prefix: one without a prefix keeps it.

        So does one with the contact's prefix of before, which is no calling code.
        """
        from botpenguin.platform import numbering_plans as plans  # noqa: PLC0415 - see there

        if (self.whole, self.prefix) in ((whole, prefix), (whole, ""), (whole.removeprefix(prefix), "")):
            return Phone(whole, prefix)
        if self.problem == plans.unknown(prefix) and len(self.whole) <= MOST_TYPED_DIGITS:
            return Phone(self.whole, prefix)
        if self.prefix or self.problem or not self.whole or not prefix:
            return self
        kept = readings(self.whole, [prefix])
        # 442079460991 is as long as numbers in India may be, but is none of them.
        is_abroad = plans.is_whole(self.whole) and not any(plans.is_whole(phone.whole) for phone in kept)
        return kept[0] if kept and not is_abroad else self


def prepare() -> None:
    """Load the library, so that no transaction has to wait for it."""
    from botpenguin.platform import numbering_plans  # noqa: F401, PLC0415 - see there


def readings(number: str, prefixes: Iterable[str]) -> list[Phone]:
    """Return what the digits of a number without a prefix are in the countries of prefixes."""
    from botpenguin.platform import numbering_plans as plans  # noqa: PLC0415 - see there

    found = []
    for prefix in prefixes:
        with suppress(plans.NoSuchNumber):
            code, national = plans.read(number, prefix)
            found.append(Phone(code + national, code))
    return found
