"""Writes `botpenguin/platform/api/reference_texts.py`. Run it after a text of an operation has changed:

DJANGO_SETTINGS_MODULE=tests.settings python -m tests.platform.reference_texts
"""

import json
import textwrap
from collections.abc import Iterable

import django

from tests.server import ROOT

FILE = ROOT / "botpenguin/platform/api/reference_texts.py"
HEAD = '''"""The texts of the OpenAPI document that the reference shows, where `makemessages` finds them.

The document takes them from docstrings and fields. `python -m tests.platform.reference_texts` writes this file.
"""

from django.utils.translation import gettext_noop

TEXTS = (
'''
WIDTH = 100


def source(texts: Iterable[str]) -> str:
    """Return the source of the module."""
    return HEAD + "".join(_call(text) for text in texts) + ")\n"


def _call(text: str) -> str:
    lines = textwrap.wrap(text, WIDTH, drop_whitespace=False, break_long_words=False, break_on_hyphens=False)
    quoted = [_quoted(line) for line in lines]
    if len(quoted) == 1:
        return f"    gettext_noop({quoted[0]}),\n"
    return "    gettext_noop(\n" + "".join(f"        {line}\n" for line in quoted) + "    ),\n"


def _quoted(line: str) -> str:
    """Quote as the formatter does."""
    return f"'{line}'" if '"' in line and "'" not in line else json.dumps(line, ensure_ascii=False)


if __name__ == "__main__":
    django.setup()
    from botpenguin.platform.api import reference

    FILE.write_text(source(reference.texts()), encoding="utf-8")
