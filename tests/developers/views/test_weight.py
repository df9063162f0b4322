"""What a browser loads for the page of the token, compressed."""

import gzip
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone

from accounts.models import User
from developers.models import TokenUse
from tests.cast import logged_in
from tests.developers.views.token_page import PAGE

pytestmark = pytest.mark.no_cover

MOST = 48 * 1024
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


def test_the_page_with_eleven_busy_programs_and_all_that_it_loads_is_within_48_kb(alice: User) -> None:
    now = timezone.now()
    TokenUse.objects.bulk_create(
        TokenUse(
            user=alice,
            day=(now - timedelta(days=ago)).date(),
            program=f"integration-{number}",
            address=f"2001:db8:{number:x}{ago:02}::/64",
            generation=1,
            is_refused=ago % 3 == 0,
            count=(ago * 7919 + number * 104729) % 100_000 + 1,
            first_at=now - timedelta(days=ago),
            last_at=now - timedelta(days=ago),
        )
        for number in range(11)
        for ago in range(30)
    )

    files, sizes = weigh(alice)

    assert len(files) > 10
    assert sum(sizes) < MOST, sizes


def test_the_page_with_the_first_steps_and_all_that_it_loads_is_within_48_kb(alice: User) -> None:
    files, sizes = weigh(alice)

    assert b"Get started" in files[0]
    assert sum(sizes) < MOST, sizes
