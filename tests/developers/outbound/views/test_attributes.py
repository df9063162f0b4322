"""The page of custom attributes: changing types and removing attributes."""

import re

import pytest

from accounts.models import User
from developers.outbound.models import CustomAttribute
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, PAGE, words

pytestmark = pytest.mark.matrix

ATTRIBUTES = f"{PAGE}attributes/"


def known(owner: User) -> list[tuple[str, str]]:
    return list(CustomAttribute.objects.owned_by(owner).values_list("name", "type"))


def test_ones_own_attributes_are_shown_with_their_types(alice: User, bob: User) -> None:
    browser = logged_in(alice)
    assert "No attributes yet" in words(browser.get(ATTRIBUTES))
    CustomAttribute.objects.named(alice, "total", "number")
    CustomAttribute.objects.named(bob, "secret_plan")

    response = browser.get(ATTRIBUTES)

    assert re.findall(r'<option value="(\w+)" selected', response.content.decode()) == ["text", "number"]
    assert "total" in words(response)
    assert "secret_plan" not in words(response)
    assert f'href="{ATTRIBUTES}"' in browser.get(PAGE).content.decode()


def test_a_type_that_was_chosen_wrongly_is_changed(alice: User) -> None:
    attribute = CustomAttribute.objects.named(alice, "total", "date")
    browser = logged_in(alice)
    mapping = {"mappings-0-path": "a", "mappings-0-attribute": "total", "mappings-0-type": "number"}
    refused = browser.post(f"{PAGE}new/", GET | mapping)
    assert "This attribute has the type Date already. Change that under Attributes, beside API Logs." in words(refused)

    changed = browser.post(f"{ATTRIBUTES}{attribute.pk}/", {"type": "number"}, follow=True)
    saved = browser.post(f"{PAGE}new/", GET | mapping, follow=True)

    assert "total has the type Number now." in words(changed)
    assert "Orders is saved." in words(saved)
    assert known(alice) == [("total", "number")]


def test_a_type_that_is_none_changes_nothing(alice: User) -> None:
    attribute = CustomAttribute.objects.named(alice, "total", "date")

    response = logged_in(alice).post(f"{ATTRIBUTES}{attribute.pk}/", {"type": "colour"}, follow=True)

    assert "Choose one from the list." in words(response)
    assert known(alice) == [("total", "date")]


def test_an_attribute_is_removed(alice: User) -> None:
    attribute = CustomAttribute.objects.named(alice, "total")

    response = logged_in(alice).post(f"{ATTRIBUTES}{attribute.pk}/remove/", follow=True)

    assert "total is removed. Contacts keep what they have." in words(response)
    assert known(alice) == []


@pytest.mark.parametrize("action", ["", "remove/"])
def test_an_attribute_of_somebody_else_is_not_there(alice: User, bob: User, action: str) -> None:
    attribute = CustomAttribute.objects.named(bob, "plan")

    response = logged_in(alice).post(f"{ATTRIBUTES}{attribute.pk}/{action}", {"type": "number"})

    assert response.status_code == 404
    assert known(bob) == [("plan", "text")]


def test_the_editor_offers_a_thousand_attributes_and_knows_the_types_of_all(alice: User) -> None:
    names = [*(f"a{number:04}" for number in range(1_000)), "Email", "total"]
    CustomAttribute.objects.bulk_create(CustomAttribute(owner=alice, name=name, type="number") for name in names)
    mapping = {"mappings-0-path": "a", "mappings-0-attribute": "{{Total}}", "mappings-0-type": "date"}
    nonsense = {"mappings-1-path": "a", "mappings-1-attribute": "no\0name", "mappings-1-type": "date"}
    browser = logged_in(alice)

    page = browser.get(f"{PAGE}new/").content.decode()
    refused = browser.post(f"{PAGE}new/", GET | mapping | nonsense)

    lists = dict(re.findall(r'<datalist id="([\w-]+)">(.*?)</datalist>', page))
    offered = {name: re.findall(r'value="(\w+)"', options) for name, options in lists.items()}
    assert offered == {"contact-fields": ["name", "phone"], "attribute-names": names[:1_000]}
    assert "This attribute has the type Number already." in words(refused)
