"""What a browser loads for a page of the editor, compressed."""

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from accounts.models import User
from developers.outbound.editor.formsets import MOST_ROWS
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from tests.cast import logged_in
from tests.developers.outbound.views.pages import address

pytestmark = pytest.mark.matrix

MOST = 60 * 1024
LINKED = re.compile(r'(?:href|src)="/static/([^"?#]+)')
IMPORTED = re.compile(r'^(?:import|export)\b.*from "\./([^"]+)"', re.MULTILINE)


def loaded(names: list[str]) -> Iterator[bytes]:
    """Yield the files of these names, and what they import, each once."""
    for name in (left := list(dict.fromkeys(names))):
        path = Path(str(finders.find(re.sub(r"\.[0-9a-f]{12}(?=\.\w+$)", "", name))))
        text = path.read_bytes()
        left += [each for found in IMPORTED.findall(text.decode()) if (each := f"js/{found}") not in left]
        yield text


def api_with(owner: User, rows: int, attributes: int) -> OutboundApi:
    fields = tuple(RecipeField(f"field_{number}", f"{{{{attribute_{number}}}}}") for number in range(rows))
    mappings = tuple(AttributeMapping(f"items[{number}].name", f"attribute_{number}") for number in range(rows))
    CustomAttribute.objects.bulk_create(
        CustomAttribute(owner=owner, name=f"attribute_{number}") for number in range(attributes)
    )
    body = json.dumps({f"key_{number}": "value" for number in range(200)})
    recipe = Recipe("POST", "https://api.example.com/orders", fields, fields, body, mappings=mappings)
    return OutboundApi.objects.make(owner, "Orders", recipe)


def size_of(content: bytes) -> int:
    return len(gzip.compress(content, mtime=0))


def test_the_editor_and_all_that_it_loads_is_within_60_kb(alice: User) -> None:
    page = logged_in(alice).get(address(api_with(alice, 20, 100))).content

    files = list(loaded(LINKED.findall(page.decode())))

    assert len(files) > len(LINKED.findall(page.decode()))
    assert size_of(page) + sum(map(size_of, files)) <= MOST


def test_the_largest_page_of_the_editor_is_within_60_kb(alice: User) -> None:
    page = logged_in(alice).get(address(api_with(alice, MOST_ROWS, settings.QUOTA_ATTRIBUTES))).content

    assert size_of(page) <= MOST
