"""What single elements of a page say, so that a test about one does not depend on the others."""

import re
from typing import Any


def texts(response: Any, element: str) -> list[str]:
    """Return the texts of the elements that a regular expression matches."""
    found = re.finditer(element, re.sub(r"</?bdi[^>]*>|<wbr>", "", response.content.decode()), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", match[0]).split()) for match in found]


def messages(response: Any) -> list[str]:
    return texts(response, r'<div class="shell__messages">.*?</p>')


def subtitle(response: Any) -> str:
    return texts(response, r'<p class="page-subtitle">.*?</p>')[0]


def section(response: Any, heading: str) -> str:
    """Return the text of the section whose heading has this id, with the heading."""
    return texts(response, rf'<section[^>]* aria-labelledby="{heading}">.*?</section>')[0]


def facts(response: Any) -> dict[str, str]:
    """Return the names and values of the page's lists of facts."""
    names, both = (texts(response, rf"<dt>.*?</{end}>") for end in ("dt", "div"))
    return {name: text.removeprefix(name).strip() for name, text in zip(names, both, strict=True)}


def columns(response: Any, *names: str) -> list[list[str]]:
    """Return the cells of the page's table in the columns with these headings, row by row."""
    headings, cells = (texts(response, rf"<{tag} .*?</{tag}>") for tag in ("th", "td"))
    rows = [cells[start : start + len(headings)] for start in range(0, len(cells), len(headings) or 1)]
    return [[row[headings.index(name)] for name in names] for row in rows]


def names(response: Any) -> list[str]:
    return [name for (name,) in columns(response, "Name")]


def words(response: Any) -> str:
    """Return the text of the page without its sidebar."""
    return texts(response, r"<main.*?</main>")[0]
