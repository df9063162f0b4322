"""Fields of multipart/form-data: curl's -F and --form-string, and bodies that are written out (RFC 7578)."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from developers.outbound.curl.problems import InvalidCommand, excerpt
from developers.outbound.fields import NOT_IN_NAMES, NOT_IN_VALUES, RecipeField

# A word of curl's -F: in quotation marks, with nothing after them but blanks, or up to a semicolon.
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"[^;]*', re.DOTALL)
SEGMENT = re.compile(r';\s*((?:filename|headers|encoder)=\s*"(?:[^"\\]|\\.)*"[^;]*|[^;]*)', re.IGNORECASE | re.DOTALL)
TYPE = re.compile(r"type=\s*([^/ ]{1,127}/[^;, \n]{1,127}[^;]*)", re.IGNORECASE)
PART_HEADERS = re.compile(r"(type|filename|headers|encoder)=", re.IGNORECASE)
BLANKS = " \t\n\r\v\f"
DISPOSITION = re.compile(r'form-data;[ \t]*name=(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))', re.IGNORECASE | re.DOTALL)
# In either order; a part that has other headers, or a file's name, is no text field.
PART = re.compile(
    r"(?:Content-Type:(?P<type>[^\r\n]*)\r?\n)?Content-Disposition:(?P<disposition>[^\r\n]*)\r?\n"
    r"(?:Content-Type:(?P<later>[^\r\n]*)\r?\n)?\r?\n(?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)
UNESCAPED = {"%22": '"', "%0D": "\r", "%0A": "\n", '\\"': '"', "\\\\": "\\"}
ESCAPES = re.compile(r'%22|%0D|%0A|\\["\\]')


@dataclass(slots=True)
class FormFields:
    """The fields of a command, and sentences about what is left out of them, and what needs a hand."""

    fields: list[RecipeField] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)

    def add(self, option: str, text: str) -> None:
        """Add the value of an option, as curl reads it. Raises `InvalidCommand` where curl does."""
        name, is_field, value = text.partition("=")
        if not is_field:
            # It may be a secret, so only its place is named.
            sentence = _("Field %(number)d of the form has no name: write name=value after %(option)s.")
            raise InvalidCommand(sentence % {"number": len(self.fields) + 1, "option": f"--{option}"})
        if option == "form-string":
            self.fields.append(RecipeField(name, value))
            return
        if value.startswith(("@", "<")):
            self._add_file(name, value)
            return
        if value.startswith("("):
            sentence = _("The field %(name)s holds parts of its own, which cannot be sent. Write a text after -F.")
            raise InvalidCommand(sentence % {"name": excerpt(name)})
        self._add_text(name, value)

    def _add_file(self, name: str, value: str) -> None:
        """Keep the field without its value: nobody here can read the file."""
        file, content_type, _others = _words(value[1:])
        is_text = value.startswith("<")
        self.fields.append(RecipeField(name, "", content_type=content_type if is_text else ""))
        sentence = (
            _("The field %(name)s is to come from the file %(file)s, which is not read. Write its text into the field.")
            if is_text
            else _("The field %(name)s is the file %(file)s. Files are not sent: remove the field, or write a text.")
        )
        self.to_do.append(sentence % {"name": excerpt(name), "file": excerpt(file)})

    def _add_text(self, name: str, value: str) -> None:
        text, content_type, others = _words(value)
        self.fields.append(RecipeField(name, text, content_type=content_type))
        for other in others:
            key = PART_HEADERS.match(other)
            if key and key[1].lower() == "type":
                sentence = _(
                    "The type of the field %(name)s is none that curl takes. Write one such as type=text/plain."
                )
                raise InvalidCommand(sentence % {"name": excerpt(name)})
            if key:
                sentence = _("%(what)s= of the field %(name)s is left out: the field is sent as a text.")
            else:
                sentence = _("What follows the semicolon in the field %(name)s is left out, as curl leaves it out.")
            self.left_out.append(sentence % {"what": key[1].lower() if key else "", "name": excerpt(name)})


def _words(value: str) -> tuple[str, str, list[str]]:
    """Return the text of a field of -F, its Content-Type, and what else follows after semicolons."""
    value = value.lstrip(BLANKS)
    quoted = QUOTED.match(value)
    text = re.sub(r'\\(["\\])', r"\1", quoted[1]) if quoted else value.partition(";")[0].rstrip(BLANKS)
    rest = value[quoted.end() :] if quoted else value[len(value.partition(";")[0]) :]
    content_type, is_type, others = "", False, []
    for match in SEGMENT.finditer(rest):
        segment = match[1]
        if not is_type and (typed := TYPE.fullmatch(segment)):
            content_type, is_type = typed[1].rstrip(BLANKS), True
        elif PART_HEADERS.match(segment) and not (is_type and segment[:5].lower() == "type="):
            is_type = False
            others.append(segment)
        elif is_type:
            content_type += f";{match[0][1:].rstrip(BLANKS)}"
        elif segment:
            others.append(segment)
    return text, content_type, others


def read(body: str, boundary: str) -> tuple[RecipeField, ...] | None:
    """Read a body that is written out. Return None if it is cut, or if any part is no text field."""
    found = re.split(rf"(?:\A|\r?\n)--{re.escape(boundary)}(--)?[ \t]*(?:\r?\n|\Z)", body)
    # The text before the first boundary, then in turn the mark of the last one, and what follows.
    if len(found) < 5 or found[0].strip() or found[-2] != "--":  # noqa: PLR2004 - two boundaries, and three texts
        return None
    fields = [_field_of(part) for part in found[2:-2:2]]
    return tuple(each for each in fields if each) if all(fields) else None


def _field_of(part: str) -> RecipeField | None:
    match = PART.fullmatch(part)
    name = match and DISPOSITION.fullmatch(match["disposition"].strip())
    if not match or not name:
        return None
    text = ESCAPES.sub(lambda escape: UNESCAPED[escape[0]], name[1]) if name[1] is not None else name[2]
    value = match["value"]
    if NOT_IN_NAMES.search(text) or NOT_IN_VALUES.search(value):
        return None
    return RecipeField(text, value, content_type=(match["type"] or match["later"] or "").strip())
