"""What a browser loads for the page of the token, compressed."""

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from botpenguin.settings import ALL_LANGUAGES
from developers.models import TokenUse
from tests.cast import logged_in
from tests.developers.views.token_page import PAGE

pytestmark = pytest.mark.no_cover

MOST = 50 * 1024
# Of the page of all programs, before it is compressed.
MOST_OF_ALL = 192 * 1024
QUERIES_OF_ALL = 5
LINKED = re.compile(r'(?:href|src)="/static/([^"?#]+)')
IMPORTED = re.compile(r'^(?:import|export)\b.*from "\./([^"]+)"', re.MULTILINE)


def loaded(names: list[str]) -> Iterator[bytes]:
    """Yield the files of these names, and what they import, each once."""
    for name in (left := list(dict.fromkeys(names))):
        found = finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", name))
        assert found
        text = Path(found).read_bytes()
        left += [each for file in IMPORTED.findall(text.decode()) if (each := f"js/{file}") not in left]
        yield text


def weigh(owner: User) -> tuple[list[bytes], list[int]]:
    """Return the page, what it loads, and how large each of them is, compressed."""
    page = logged_in(owner).get(PAGE).content
    files = [page, *loaded(LINKED.findall(page.decode()))]
    return files, [len(gzip.compress(text)) for text in files]


def add_uses(owner: User, programs: int, addresses: int) -> None:
    """Add uses of as many programs in each of 30 days, each from as many addresses."""
    now = timezone.now()
    TokenUse.objects.bulk_create(
        TokenUse(
            user=owner,
            day=(now - timedelta(days=ago)).date(),
            program=f"integration-{number}",
            address=f"2001:db8:{number:x}{ago % addresses:02}::/64",
            generation=1,
            is_refused=ago % 3 == 0,
            count=(ago * 7919 + number * 104729) % 100_000 + 1,
            first_at=now - timedelta(days=ago),
            last_at=now - timedelta(days=ago),
        )
        for number in range(programs)
        for ago in range(30)
    )


@pytest.mark.parametrize("language", [code for code, _name in ALL_LANGUAGES])
def test_the_page_with_eleven_busy_programs_and_all_that_it_loads_is_within_50_kb(alice: User, language: str) -> None:
    User.objects.filter(pk=alice.pk).update(language=language)
    alice.refresh_from_db()
    add_uses(alice, 11, addresses=30)

    files, sizes = weigh(alice)

    assert f'<html lang="{language}"'.encode() in files[0]
    assert len(files) > 10
    assert sum(sizes) < MOST, sizes


def test_the_page_with_the_first_steps_and_all_that_it_loads_is_within_50_kb(alice: User) -> None:
    files, sizes = weigh(alice)

    assert b"Get started" in files[0]
    assert sum(sizes) < MOST, sizes


@pytest.mark.release
def test_the_page_of_fifty_programs_with_twenty_addresses_each_is_bounded(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    add_uses(alice, 53, addresses=25)
    browser = logged_in(alice)

    with django_assert_num_queries(QUERIES_OF_ALL):
        page = browser.get(f"{PAGE}programs/").content

    assert page.count(b'<td role="cell" class="used-by__program">') == 50
    assert len(re.findall(rb"2001:db8:[0-9a-f]+::/64", page)) == 50 * 20
    assert len(page) < MOST_OF_ALL
    assert len(gzip.compress(page)) < MOST
