"""The text of a response as it came, with the numbers of its lines."""

MOST_SHOWN = 20_000
# Each line is an element of the page.
MOST_LINES = 2_000


def numbered_lines(text: str) -> list[str]:
    """Return the lines of the beginning of a text; none if it has one line only, or too many to number.

    Lines end as those that an error of JSON names: with a line feed.
    """
    lines = text[:MOST_SHOWN].split("\n", MOST_LINES)
    if len(text) > MOST_SHOWN:
        lines[-1] += "…"
    return lines if 1 < len(lines) <= MOST_LINES else []
