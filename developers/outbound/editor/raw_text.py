"""The text of a response as it came, and the numbers of its lines."""

from html import escape

from django.utils.safestring import SafeString, mark_safe

# Beside a text with more lines there are no numbers.
MOST_LINES = 50_000


def line_numbers(text: str) -> str:
    """Return the numbers of a text's lines, one a line; none for one line only, or for too many.

    Lines end as those that an error of JSON names: with a line feed.
    """
    lines = text.count("\n") + 1
    return "\n".join(map(str, range(1, lines + 1))) if 1 < lines <= MOST_LINES else ""


def write_text(text: str) -> SafeString:
    """Write a text as the content of `<pre>`, such that a browser gets each of its characters."""
    # HTML drops a line feed at the beginning, and reads a carriage return as one. Quotes need no escapes there.
    escaped = escape(text, quote=False).replace("\r", "&#13;")
    return mark_safe(f"\n{escaped}")  # noqa: S308 - escaped
