"""Writes the tags of a contact. Many fold, so that a list of contacts stays one of contacts."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from accounts.web import formats

# Of a contact with more, those beyond are folded. Folding fewer than `LEAST` would save no line.
SHOWN, LEAST = 12, 3
TAG = '<bdi class="tag">{}</bdi>'
MORE = '{} <details class="more-tags"><summary>{}</summary>{}</details>'


def written(names: Sequence[str]) -> SafeString:
    """Return tags as HTML. A loop of a template inside of another takes as long as all else in a row."""
    if len(names) < SHOWN + LEAST:
        return _joined(names)
    more = len(names) - SHOWN
    # Translators: unfolds the rest of a list of tags.
    sentence = ngettext("and %(number)s more", "and %(number)s more", more) % {"number": formats.number(more)}
    return format_html(MORE, _joined(names[:SHOWN]), sentence, _joined(names[SHOWN:]))


def _joined(names: Sequence[str]) -> SafeString:
    return format_html_join(" ", TAG, ((name,) for name in names))
