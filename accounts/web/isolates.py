"""Isolates what people wrote inside of plain text, as <bdi> does in HTML (Unicode Standard Annex 9, section 2.4)."""

from unicodedata import bidirectional

from django.utils.translation import get_language_bidi

FIRST_STRONG, POP = "\u2068", "\u2069"
FROM_THE_RIGHT = {"R", "AL", "RLE", "RLO", "RLI"}


def isolated(text: object) -> str:
    """Return a text that does not turn what stands beside it. It is unchanged where nothing could turn."""
    text = str(text)
    from_the_right = not text.isascii() and any(bidirectional(character) in FROM_THE_RIGHT for character in text)
    if from_the_right or get_language_bidi():
        return f"{FIRST_STRONG}{text}{POP}"
    return text
