"""Texts in which tokens leak, for the rules of scanners. The tokens are made here, so no file of ours contains one."""

import re
from typing import NamedTuple

from developers import tokens
from tests.server import ROOT

RULES = ROOT / "docs/secret-scanning"


class LeakedText(NamedTuple):
    """`{token}` is replaced by a token, and `{typo}` by one with another last character.

    `is_found` is for the published pattern. `is_found_by_checksum` is for a rule that computes the checksum.
    """

    text: str
    is_found: bool
    is_found_by_checksum: bool

    def written(self) -> str:
        token = tokens.generate().open()
        return self.text.format(token=token, typo=token[:-1] + ("a" if token[-1] == "b" else "b"))


TEXTS = {
    "alone": LeakedText("{token}", True, True),
    "alone in a line": LeakedText("a\n{token}\nb\n", True, True),
    "env": LeakedText("BOTPENGUIN_TOKEN={token}\n", True, True),
    "windows lines": LeakedText("a=1\r\ntoken={token}\r\nb=2\r\n", True, True),
    "query": LeakedText("https://app.example.com/?token={token}&page=2", True, True),
    "path": LeakedText("https://app.example.com/{token}/bots", True, True),
    "json": LeakedText('{{"token":"{token}","a":1}}', True, True),
    "quotes": LeakedText("token = '{token}'", True, True),
    "yaml": LeakedText("token: {token} # of the shop", True, True),
    "markdown": LeakedText("Use `{token}`.", True, True),
    "header": LeakedText("Authorization: Bearer {token}", True, True),
    "xml": LeakedText("<token>{token}</token>", True, True),
    "minified": LeakedText("a={{b:`{token}`}},c=d", True, True),
    "letters of other scripts": LeakedText("é{token}é", True, True),
    "two in a line": LeakedText("{token},{token}", True, True),
    "letter before": LeakedText("x{token}", False, True),
    "underscore before": LeakedText("my_{token}", False, True),
    "line end of a JSON string": LeakedText('"a\\n{token}"', False, True),
    "percent encoded": LeakedText("token%3D{token}", False, True),
    "letter after": LeakedText("{token}x", False, False),
    "underscore after": LeakedText("{token}_", False, False),
    "twice as long": LeakedText("{token}{token}", False, True),
    "too short": LeakedText("bpat_" + "a1B2" * 11, False, False),
    "typing error": LeakedText("{typo}", True, False),
    "another prefix": LeakedText("bpat-" + "a1B2" * 12, False, False),
    "upper case": LeakedText("BPAT_" + "a1B2" * 12, False, False),
}


def published_pattern() -> str:
    """Return the pattern that SECURITY.md publishes."""
    (pattern,) = re.findall(r"^(\S*bpat_\S*)$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    return str(pattern)
