"""Attributes on their own page: made, kept in place when they are saved, and brought back."""

import re
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.models import CustomAttribute
from tests.cast import logged_in
from tests.developers.outbound.views.pages import words
from tests.developers.outbound.views.test_attributes import ATTRIBUTES, known
from tests.interleaving import just_before

pytestmark = pytest.mark.matrix


def field_of_name(response: Any) -> dict[str, str]:
    """Return the attributes of the field for the name of a new attribute."""
    tag = re.findall(r'<input[^>]* id="id_name"[^>]*>', response.content.decode())[0]
    return dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) | dict.fromkeys(re.findall(r" (autofocus)", tag), "")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("total", "total"),
        (" total\u200b", "total"),
        ("{{total}}", "total"),
        ("{{ Total_2 }}", "Total_2"),
        ("\uff54\uff4f\uff54\uff41\uff4c", "total"),
        ("_x", "_x"),
        ("a" * 60, "a" * 60),
        ("{{" + "a" * 60 + "}}", "a" * 60),
    ],
)
def test_an_attribute_is_made_on_the_page(alice: User, typed: str, name: str) -> None:
    response = logged_in(alice).post(ATTRIBUTES, {"name": typed, "type": "number"}, follow=True)

    attribute = CustomAttribute.objects.get()
    assert known(alice) == [(name, "number")]
    assert response.redirect_chain == [(f"{ATTRIBUTES}?page=1&saved={attribute.pk}#attribute-{attribute.pk}", 302)]
    assert f"{name} has the type Number now." in words(response)
    assert field_of_name(response).get("value") is None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Give the attribute a name."),
        ("\u200b", "Give the attribute a name."),
        ("{{}}", "Give the attribute a name."),
        ("TOTAL", "There is an attribute of this name already."),
        ("{{ tOtAl }}", "There is an attribute of this name already."),
        ("1st", "Use letters, digits and underscores, and start with no digit."),
        ("order total", "Use letters, digits and underscores, and start with no digit."),
        ("größe", "Use letters, digits and underscores, and start with no digit."),
        ("a-b", "Use letters, digits and underscores, and start with no digit."),
        ("<b>", "Use letters, digits and underscores, and start with no digit."),
        ("a" * 61, "at most 60 characters"),
        ("a" * 200, "at most 70 characters"),
    ],
)
def test_a_name_that_is_none_or_taken_has_its_error_and_stays(alice: User, typed: str, sentence: str) -> None:
    CustomAttribute.objects.named(alice, "total", "date")

    response = logged_in(alice).post(ATTRIBUTES, {"name": typed, "type": "yes_no"})

    field = field_of_name(response)
    assert sentence in words(response)
    assert (field["aria-invalid"], field["aria-describedby"]) == ("true", "id_name_error")
    assert "autofocus" in field
    assert field.get("value", "") == typed.replace("<", "&lt;").replace(">", "&gt;")
    assert '<option value="yes_no" selected>' in response.content.decode()
    assert known(alice) == [("total", "date")]


def test_a_type_that_is_none_has_its_error(alice: User) -> None:
    response = logged_in(alice).post(ATTRIBUTES, {"name": "total", "type": "colour"})

    assert "Select a valid choice." in words(response)
    assert field_of_name(response)["value"] == "total"
    assert known(alice) == []


def test_of_two_pages_that_add_one_name_one_has_the_error(alice: User) -> None:
    browser = logged_in(alice)
    other = {"owner_id": alice.pk, "name": "Total", "type": "date"}

    with just_before("SAVEPOINT", lambda: CustomAttribute.objects.create(**other)) as met:
        response = browser.post(ATTRIBUTES, {"name": "total", "type": "number"})

    assert met
    assert "There is an attribute of this name already." in words(response)
    assert known(alice) == [("Total", "date")]


def test_no_attribute_is_made_or_brought_back_beyond_the_quota(alice: User, settings: Settings) -> None:
    browser = logged_in(alice)
    total = CustomAttribute.objects.named(alice, "total", "date")
    browser.post(f"{ATTRIBUTES}{total.pk}/remove/")
    CustomAttribute.objects.named(alice, "other")
    settings.QUOTA_ATTRIBUTES = 1

    made = browser.post(ATTRIBUTES, {"name": "plan", "type": "text"})
    restored = browser.post(f"{ATTRIBUTES}restore/total/date/", follow=True)

    for response in (made, restored):
        assert "You have 1 of 1 attribute. Delete some to make room." in words(response)
    assert field_of_name(made)["value"] == "plan"
    assert known(alice) == [("other", "text")]


@pytest.mark.parametrize(("number", "page"), [(30, 1), (49, 1), (50, 2), (119, 3)])
def test_saving_one_of_many_leads_back_to_its_row(alice: User, bob: User, number: int, page: int) -> None:
    CustomAttribute.objects.bulk_create(CustomAttribute(owner=bob, name=f"a{each:03}") for each in range(60))
    CustomAttribute.objects.bulk_create(
        # Sorted in any case.
        CustomAttribute(owner=alice, name=f"{'aA'[each % 2]}{each:03}")
        for each in range(120)
    )
    attribute = CustomAttribute.objects.owned_by(alice).get(name__iexact=f"a{number:03}")

    response = logged_in(alice).post(f"{ATTRIBUTES}{attribute.pk}/", {"type": "number"}, follow=True)

    row = f"attribute-{attribute.pk}"
    assert response.redirect_chain == [(f"{ATTRIBUTES}?page={page}&saved={attribute.pk}#{row}", 302)]
    assert f'<li id="{row}" tabindex="-1">' in response.content.decode()
    assert f"{attribute} has the type Number now." in words(response)


def test_a_removed_attribute_comes_back_with_its_name_and_type(alice: User) -> None:
    names = [f"a{number:02}" for number in range(60)]
    CustomAttribute.objects.bulk_create(CustomAttribute(owner=alice, name=name, type="date") for name in names)
    browser = logged_in(alice)
    removed = browser.post(f"{ATTRIBUTES}{CustomAttribute.objects.get(name='a55').pk}/remove/", follow=True)
    undo = re.findall(r'action="([^"]+/restore/[^"]+)"', removed.content.decode())
    assert removed.redirect_chain == [(f"{ATTRIBUTES}?page=2", 302)]
    assert "a55 is removed. Contacts keep what they have. Undo" in words(removed)

    back = browser.post(undo[0], follow=True)

    assert undo == [f"{ATTRIBUTES}restore/a55/date/"]
    assert known(alice) == [(name, "date") for name in names]
    assert "a55 has the type Date now." in words(back)
    assert back.redirect_chain[0][0].startswith(f"{ATTRIBUTES}?page=2&saved=")


def test_a_name_that_was_made_anew_meanwhile_stays_as_it_is(alice: User) -> None:
    browser = logged_in(alice)
    browser.post(f"{ATTRIBUTES}{CustomAttribute.objects.named(alice, 'total', 'date').pk}/remove/")
    CustomAttribute.objects.named(alice, "Total", "number")

    response = browser.post(f"{ATTRIBUTES}restore/total/date/", follow=True)

    assert "There is an attribute named Total again, of the type Number." in words(response)
    assert known(alice) == [("Total", "number")]


@pytest.mark.parametrize("path", ["to-tal/date/", "total/colour/", "1/date/", f"{'a' * 61}/date/"])
def test_nothing_that_is_no_attribute_is_brought_back(alice: User, path: str) -> None:
    assert logged_in(alice).post(f"{ATTRIBUTES}restore/{path}").status_code == 404
    assert known(alice) == []


def test_an_attribute_that_was_removed_in_another_tab_is_not_saved(alice: User) -> None:
    attribute = CustomAttribute.objects.named(alice, "total", "date")
    browser = logged_in(alice)

    with just_before('UPDATE "outbound_customattribute"', CustomAttribute.objects.all().delete) as met:
        response = browser.post(f"{ATTRIBUTES}{attribute.pk}/", {"type": "number"})

    assert met
    assert response.status_code == 404
    assert known(alice) == []
