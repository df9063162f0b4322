"""The tags of a contact as HTML."""

import re

from accounts.models import User
from botpenguin.platform.models import Contact, ContactTag
from botpenguin.platform.views.tags import LEAST, SHOWN, written
from tests.cast import logged_in
from tests.platform.elements import texts


def test_many_tags_fold_after_the_first() -> None:
    tags = [f"tag {number}" for number in range(60)]

    html = written(tags)

    shown, folded = html.split("<details")
    assert re.findall(r"<bdi\b[^>]*>(.+?)</bdi>", shown) == tags[:SHOWN]
    assert re.findall(r"<bdi\b[^>]*>(.+?)</bdi>", folded) == tags[SHOWN:]
    assert "<summary>and 48 more</summary>" in folded


def test_a_few_tags_too_many_do_not_fold() -> None:
    html = written([f"tag {number}" for number in range(SHOWN + LEAST - 1)])

    assert "<details" not in html


def test_the_list_and_the_page_of_a_contact_fold_its_tags(alice: User) -> None:
    contact = Contact.objects.create(owner=alice, name="Dora")
    ContactTag.objects.bulk_create(ContactTag(contact=contact, name=f"tag {number:02}") for number in range(40))
    browser = logged_in(alice)

    pages = [browser.get("/inbox/"), browser.get(f"/inbox/{contact.pk}/")]

    assert [texts(page, "<summary>.+?</summary>") for page in pages] == [["and 28 more"]] * 2
