"""Lists of bots and segments: pages, for accounts that have more than quotas allow today."""

from typing import Any

import pytest

from accounts.models import User
from botpenguin.platform.api import bots, inbox, integrations
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from botpenguin.platform.views import inbox as inbox_page
from tests.cast import logged_in
from tests.memory import MIB, peak_of
from tests.platform.calls import Caller, contact_of

pytestmark = pytest.mark.matrix

LISTS = ["/bots", "/whatsapp-automation", "/inbox/segments"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_longer_than_quotas_allow_comes_in_pages(
    as_alice: Caller, alice: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for module, name in ((bots, "MOST_BOTS"), (integrations, "MOST_BOTS"), (inbox, "MOST_SEGMENTS")):
        monkeypatch.setattr(module, name, 2)
    for number in range(5):
        Bot.objects.create(owner=alice, name=str(number), platform="whatsapp")
        Segment.objects.create(owner=alice, name=str(number), tags=["vip"])

    answers = [as_alice.send("GET", f"{path}?page={page}").json() for page in (1, 2, 3, 4)]

    assert [len(answer["data"]) for answer in answers] == [2, 2, 1, 0]
    assert [answer["message"] for answer in answers] == [
        "There are more. Ask for them with ?page=2.",
        "There are more. Ask for them with ?page=3.",
        "",
        "",
    ]
    found = [item["_id"] for answer in answers for item in answer["data"]]
    assert len(set(found)) == 5
    assert as_alice.send("GET", path).json() == answers[0]


def test_a_segment_beyond_those_that_are_listed_filters_too(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_page, "MOST_SEGMENTS", 1)
    contact_of(alice, ("lead", "vip"), name="Cleo")
    contact_of(alice, ("lead",), name="Dora")
    segments = [Segment.objects.create(owner=alice, name=tag, tags=[tag]) for tag in ("lead", "vip", "nobody's")]
    browser = logged_in(alice)

    pages = [browser.get("/inbox/", {"segment": segment.pk}).content.decode() for segment in segments]

    assert [("Cleo" in page, "Dora" in page) for page in pages] == [(True, True), (True, False), (False, False)]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1" * 30])
@pytest.mark.parametrize("path", LISTS)
def test_a_wrong_page_number_is_422(as_alice: Caller, path: str, page: str) -> None:
    assert as_alice.send("GET", f"{path}?page={page}").status_code == 422


@pytest.mark.release
def test_segments_of_before_there_were_quotas_take_little_memory(as_alice: Caller, alice: User, client: Any) -> None:
    tags = [f"{number:02}{'🐧' * 58}" for number in range(20)]
    Segment.objects.bulk_create(Segment(owner=alice, name=f"{number:05}", tags=tags) for number in range(5_000))
    contact_of(alice, (tags[0],))
    client.force_login(alice)

    answers = [
        peak_of(lambda: as_alice.send("GET", "/inbox/segments")),
        peak_of(lambda: as_alice.send("POST", "/inbox/users")),
        peak_of(lambda: client.get("/inbox/")),
    ]

    assert [response.status_code for response, _ in answers] == [200, 200, 200]
    assert max(peak for _, peak in answers) < 50 * MIB


def test_names_and_tags_of_contacts_are_text_in_the_list(alice: User) -> None:
    contact = Contact.objects.create(owner=alice, name="<i>Cleo</i>")
    ContactTag.objects.create(contact=contact, name="<b>vip</b>")

    page = logged_in(alice).get("/inbox/").content.decode()

    assert '<bdi class="tag">&lt;b&gt;vip&lt;/b&gt;</bdi>' in page
    assert "&lt;i&gt;Cleo&lt;/i&gt;</bdi></a>" in page
    assert "<b>vip" not in page
    assert "<i>Cleo" not in page
