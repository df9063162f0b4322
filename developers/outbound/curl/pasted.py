"""What each dialect makes of a pasted text: a call in the words of curl's options, and sentences about it."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from developers.outbound.curl.problems import excerpt

# A line of a command whose sign of continuation was lost: no command begins like that.
GOES_ON = re.compile(r"(?:-|['\"^]|https?://)")


@dataclass(slots=True)
class Words:
    """The words of a command, as its shell would pass them on, and what is to be said about them."""

    words: list[str] = field(default_factory=list)
    variables: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)

    def ends(self, operator: str, text: str, place: int) -> bool:
        """Return whether an operator of the shell ends the command, and note what is left out after it."""
        if operator.isspace() and (GOES_ON.match(text, place) or not self.words):
            return False
        rest = text[place:].strip()
        program = rest.partition(" ")[0]
        if not operator.isspace() and rest:
            what = excerpt(f"{operator} {program}")
            self.left_out.append(_("What follows the command is left out: %(what)s.") % {"what": what})
        elif rest:
            self.left_out.append(_("Only the first command is read. Paste the others one at a time."))
        return True

    def note_ampersand(self) -> None:
        """Note that an `&` outside of quotation marks was read as a part of the URL."""
        sentence = _("The URL holds & outside of quotation marks. It is read as a part of the URL.")
        if sentence not in self.to_do:
            self.to_do.append(sentence)


@dataclass(slots=True)
class Pasted:
    """A call as pairs of an option of curl and its value; `url` is an address. The sentences are for the user."""

    dialect: str
    options: list[tuple[str, str]]
    left_out: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)


def unclosed(mark: str, words: list[str]) -> str:
    """Return a sentence about a quotation mark that is never closed: the word before it says where."""
    before = next((word for word in reversed(words) if word.startswith("-")), words[-1] if words else "")
    if words and words[-1] == before:
        place = {"mark": mark, "word": excerpt(before)}
        return _("The quotation mark %(mark)s after %(word)s is never closed. Paste the whole command.") % place
    return _("A quotation mark %(mark)s is never closed. Paste the whole command.") % {"mark": mark}
