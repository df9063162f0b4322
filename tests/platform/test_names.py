"""Names, tags, notes and keys of contacts and bots: kept in NFC, and visible."""

from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import User
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from tests.platform.calls import Caller, contact_of, names, row

pytestmark = pytest.mark.matrix

UNSEEN = [
    "\u200b",
    "\u2800",
    "\u3164",
    "\u00a0\u3000",
    "\u200d\ufe0f",
    "\u2060",
    "\ufeff",
    "\u115f\u1160",
    "\U000e0041",
]
KEPT = {
    "a joiner": ("می\u200cخواهم", "می\u200cخواهم"),
    "full width": ("Ａｓｈａ", "Ａｓｈａ"),
    "half-width kana": ("ﾊﾟｿｺﾝ", "ﾊﾟｿｺﾝ"),
    "an emoji of several": ("👩\u200d💻", "👩\u200d💻"),
    "a hyphen that does not break": ("Anne\u2011Marie", "Anne\u2011Marie"),
    "accents apart": ("Zoe\u0308", "Zoë"),
    "blanks around": ("\u3000Asha\u00a0", "Asha"),
    "an emoji's variant": ("\u2764\ufe0f", "\u2764\ufe0f"),
}


@pytest.mark.parametrize("typed", UNSEEN, ids=ascii)
def test_what_shows_nothing_is_refused_like_nothing(as_alice: Caller, alice: User, asha: Contact, typed: str) -> None:
    def refusals(text: str) -> list[Any]:
        bot = alice.bots.get()
        return [
            as_alice.refusal("PATCH", f"/bots/{bot.pk}", {"name": text}),
            as_alice.refusal("POST", "/inbox/users/import", [row(text)]),
            as_alice.refusal("POST", "/inbox/users/import", [row("Ben", tags=[text])]),
            # The sentence about an attribute names its key.
            as_alice.refusal("PUT", f"/inbox/users/{asha.pk}/attributes", {"attributes": {text: 1}})[0],
        ]

    assert refusals(typed) == refusals("")


@pytest.mark.parametrize("typed", UNSEEN, ids=ascii)
def test_an_attribute_or_name_of_a_change_that_shows_nothing_is_empty(
    as_alice: Caller, asha: Contact, typed: str
) -> None:
    changes = {"profile": {"userDetails": {"name": typed, "country": typed}, "notes": [typed]}}

    as_alice.data("PUT", f"/inbox/users/{asha.pk}", changes)

    asha.refresh_from_db()
    assert (asha.name, asha.country, asha.notes) == ("", "", [""])


@pytest.mark.parametrize(("typed", "kept"), KEPT.values(), ids=KEPT)
def test_a_text_is_kept_as_it_is_typed(as_alice: Caller, alice: User, typed: str, kept: str) -> None:
    Segment.objects.create(owner=alice, name="All", tags=[kept])
    details: dict[str, Any] = {"tags": [typed], "attributes": {typed: typed}, "country": typed}

    (pk,) = as_alice.data("POST", "/inbox/users/import", [row(typed, **details)])["ids"]
    as_alice.data("PUT", f"/inbox/users/{pk}", {"profile": {"notes": [typed]}})

    contact = Contact.objects.get(pk=pk)
    assert (contact.name, contact.country, contact.notes) == (kept, kept, [kept])
    # A value stays as it is.
    assert contact.attributes == {kept: typed}
    assert [tag.name for tag in contact.tags.all()] == [kept]
    assert names(as_alice.data("POST", "/inbox/users", {"tags": [typed]})) == [kept]


def test_a_tag_of_before_with_letters_and_accents_apart_is_found(as_alice: Caller, alice: User) -> None:
    contact = contact_of(alice, tags=("cafe\u0301",))
    segment = Segment.objects.create(owner=alice, name="Cafés", tags=["café"])
    browser = Browser()
    browser.force_login(alice)

    by_tags = [names(as_alice.data("POST", "/inbox/users", {"tags": [text]})) for text in ("café", "cafe\u0301")]

    assert by_tags == [["Asha"]] * 2
    assert names(as_alice.data("POST", "/inbox/users", {"segments": [segment.pk]})) == ["Asha"]
    assert segment.holds([tag.name for tag in ContactTag.objects.filter(contact=contact)])


@pytest.mark.parametrize(
    ("there", "typed"),
    [
        ("Straße", "STRASSE"),
        ("Cafés", "cafe\u0301s"),
        ("ΟΔΟΣ", "οδος"),
        ("Anne-Marie", "anne\u2011marie"),
        ("ﾊﾟｿｺﾝ", "パソコン"),
        ("VIP", "ＶＩＰ"),
        ("می\u200cخواهم", "میخواهم"),
        ("Two words", "two\u00a0 words"),
    ],
)
def test_segments_whose_names_look_alike_are_one(alice: User, there: str, typed: str) -> None:
    Segment.objects.create(owner=alice, name=there, tags=["vip"])
    browser = Browser()
    browser.force_login(alice)

    page = browser.post("/inbox/segments/add/", {"name": typed, "tags": "vip"})

    assert "There is a segment of this name already." in page.content.decode()
    assert Segment.objects.count() == 1


@pytest.mark.parametrize("typed", UNSEEN, ids=ascii)
def test_pages_refuse_what_shows_nothing(alice: User, typed: str) -> None:
    browser = Browser()
    browser.force_login(alice)

    bot = browser.post("/bots/new/", {"name": typed, "platform": "sms"})
    segment = browser.post("/inbox/segments/add/", {"name": typed, "tags": f"{typed},{typed}"})

    assert "Give the bot a name." in bot.content.decode()
    assert "Give the segment a name." in segment.content.decode()
    assert "Name at least one tag." in segment.content.decode()
    assert not Bot.objects.exists()
    assert not Segment.objects.exists()


@pytest.mark.parametrize("typed", [" {} ", "\u200b{}", "{}\ufeff", "\u202a{}\u202c", "{}\u2060"], ids=ascii)
def test_an_id_is_pasted_with_what_shows_nothing(as_alice: Caller, asha: Contact, typed: str) -> None:
    pasted = typed.format(asha.pk)

    read = as_alice.data("GET", f"/inbox/users/{pasted}")
    changed = as_alice.data("PUT", "/inbox/users/status-update", {"ids": [pasted], "status": "CLOSED"})
    update = {"search": pasted, "attributes": {"plan": "gold"}}
    found = as_alice.data("PUT", "/integrations/custom-app/update-user-attributes", update)

    assert (read["_id"], changed["updated"], found["_id"]) == (asha.pk, 1, asha.pk)


@pytest.mark.parametrize("count", [1, 200, 217, 20_000])
def test_invisible_characters_do_not_count_up_to_a_limit(as_alice: Caller, asha: Contact, count: int) -> None:
    pasted = "\u200b" * count + asha.pk

    response = as_alice.send("PUT", "/inbox/users/status-update", {"ids": [pasted], "status": "CLOSED"})

    # Ten times as many characters as an id has.
    assert response.status_code == (200 if len(pasted) <= 240 else 422)
