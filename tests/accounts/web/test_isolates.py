"""What people wrote inside of sentences: isolated, and put in by filters."""

import pytest
from django.utils import translation

from accounts.templatetags.sentences import breakable, named, numbered
from accounts.web.isolates import isolated


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Orders", "Orders"),
        ("en", "Café 😀", "Café 😀"),
        ("en", "طلبات (2)", "\u2068طلبات (2)\u2069"),
        ("en", "שלום", "\u2068שלום\u2069"),
        ("ar", "+1 206", "\u2068+1 206\u2069"),
    ],
)
def test_a_text_is_isolated_where_it_could_turn_what_stands_beside_it(language: str, text: str, expected: str) -> None:
    with translation.override(language):
        written = isolated(text)

    assert written == expected


def test_a_name_in_a_sentence_is_text_and_no_markup() -> None:
    sentence = named("Delete “{name}” & more", "<b>{name}</b>")

    assert sentence == "Delete “&lt;b&gt;{name}&lt;/b&gt;” &amp; more"


def test_a_number_is_put_into_a_sentence() -> None:
    sentence = numbered("Remove row {number} of Headers", 3)

    assert sentence == "Remove row 3 of Headers"


@pytest.mark.parametrize(
    ("address", "html"),
    [
        ("", ""),
        ("https://api.test/a/?b=<c>&d", "https://<wbr>api.<wbr>test/<wbr>a/?<wbr>b=<wbr>&lt;c&gt;&amp;<wbr>d"),
        ("ann@mail.test", "ann@<wbr>mail.<wbr>test"),
    ],
)
def test_an_address_breaks_after_its_marks(address: str, html: str) -> None:
    assert breakable(address) == html
