"""Calls as text: `read` makes a recipe of a pasted one, `write` prints a recipe as a curl command.

`dialects` turns a text into options of curl, and `reading` makes a recipe of these. What has no meaning here is left
out and listed. Nothing is run, and no file is read.
"""

from developers.outbound.curl.dialects import parse
from developers.outbound.curl.problems import InvalidCommand
from developers.outbound.curl.reading import ImportedCall, build
from developers.outbound.curl.writing import write

__all__ = ["ImportedCall", "InvalidCommand", "read", "write"]


def read(text: str) -> ImportedCall:
    """Make a recipe of a pasted call. Raises `InvalidCommand` with the reason if that is impossible."""
    return build(parse(text))
