"""curl commands: `read` makes a recipe of a pasted one, `write` prints a recipe as one.

Options without a meaning here are left out and listed. Nothing is run, and no file is read.
"""

from developers.outbound.curl.options import InvalidCommand
from developers.outbound.curl.reading import ImportedCall, read
from developers.outbound.curl.writing import write

__all__ = ["ImportedCall", "InvalidCommand", "read", "write"]
