"""The options in the words of a curl command."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from developers.outbound.curl.option_table import FLAGS, READ, REFUSED, REFUSED_WITH_VALUE, SHORT, WITH_VALUE
from developers.outbound.curl.problems import InvalidCommand, excerpt

NAMES = WITH_VALUE | FLAGS


def options_of(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each option of a command: its long name as curl has it, and its value or an empty string.

    An address is the option `url`, and the opposite of a flag that is read begins with `no-`. Raises `InvalidCommand`
    for an option that curl does not know, and for one that makes no call here.
    """
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from (("url", each) for each in rest)
        elif word.startswith("--"):
            yield from _long_option(word[2:], rest)
        elif word.startswith("-") and word != "-":
            yield from _short_options(word[1:], rest)
        else:
            yield "url", word


def long_name(text: str) -> str | None:
    """Return the long name of curl that a text is or abbreviates, or None. Ignores case, as curl does."""
    text = text.lower()
    found = [text] if text in NAMES else [name for name in NAMES if text and name.startswith(text)]
    return found[0] if len(found) == 1 else None


def _long_option(text: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    # curl takes no value after "=", but manuals of other tools write it so.
    text, has_value, value = text.partition("=")
    if text.lower().startswith("no-") and text.lower() not in NAMES and (name := long_name(text[3:])):
        if name in WITH_VALUE:
            sentence = _("curl has no option %(option)s: only an option without a value has an opposite.")
            raise InvalidCommand(sentence % {"option": excerpt(f"--{text}")})
        # What is refused or left out does nothing once it is switched off.
        if name in READ:
            yield f"no-{name}", ""
        return
    name = long_name(text) or _unknown(text)
    _refuse(name)
    yield name, value if has_value else _value(name, rest) if name in WITH_VALUE else ""


def _short_options(letters: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a word like `-sXPOST`: the first one that takes a value takes the rest of the word."""
    for place, letter in enumerate(letters, start=1):
        name = SHORT.get(letter)
        if name is None:
            raise InvalidCommand(_("curl has no option %(option)s. Take it out.") % {"option": f"-{letter}"})
        if name == "no-buffer":
            name = "buffer"
        _refuse(name)
        if name in WITH_VALUE:
            yield name, letters[place:] or _value(name, rest)
            return
        yield name, ""


def _unknown(text: str) -> str:
    option = excerpt(f"--{text}")
    similar = sorted(name for name in NAMES if text and name.startswith(text.lower()))
    if similar:
        sentence = _("The option %(option)s may stand for %(names)s. Write its whole name.")
        names = ", ".join(f"--{name}" for name in similar[:5])
        raise InvalidCommand(sentence % {"option": option, "names": names})
    if text.lower().startswith("expand-"):
        raise InvalidCommand(str(REFUSED_WITH_VALUE["variable"]))
    raise InvalidCommand(_("curl has no option %(option)s. Take it out.") % {"option": option})


def _refuse(name: str) -> None:
    if refusal := REFUSED.get(name) or REFUSED_WITH_VALUE.get(name):
        raise InvalidCommand(str(refusal) % {"option": f"--{name}"})


def _value(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise InvalidCommand(
            _("The option %(option)s has no value. Paste the whole command.") % {"option": f"--{name}"}
        )
    return value
