"""Drafts on the pages: kept while somebody types and on each post, offered again, discarded, and ended by Save."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound import api_deletion
from developers.outbound.call_drafts import KEPT_FOR, REMEMBERED_FOR, CallDraft
from developers.outbound.models import OutboundApi
from tests.cast import logged_in
from tests.developers.outbound.test_call_drafts import age
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, ROW, address, form_of, words

pytestmark = pytest.mark.matrix

NEW = f"{PAGE}new/"
ID, OTHER = "6a" * 12, "6b" * 12
JSON = {"Accept": "application/json"}
OFFER = "You have unsaved changes"


@pytest.fixture
def browser(alice: User) -> Browser:
    return logged_in(alice)


def keep(browser: Browser, page: str = NEW, **fields: str) -> Any:
    """Do what the script does 2 s after a change."""
    return browser.post(f"{page}draft/", GET | {"draft": ID} | fields, headers=JSON)


def test_each_page_has_an_id_of_its_own_and_what_it_sends_is_one_draft(browser: Browser) -> None:
    first, second = (form_of(browser.get(NEW))["draft"] for _ in range(2))

    answers = [keep(browser, draft=draft, name=name).json() for draft in (first, second) for name in ("A", "B")]

    assert first != second
    assert [answer["draft"] for answer in answers] == [first, first, second, second]
    assert [answer["sentence"].startswith("Draft saved ") for answer in answers] == [True] * 4
    assert CallDraft.objects.count() == 2


def test_the_page_offers_what_is_not_saved_and_opens_it(browser: Browser, weather: OutboundApi) -> None:
    keep(browser, name="", url=(url := "https://api.example.com/a&b"))
    keep(browser, draft=OTHER, name="", url="")  # a page as it is shown says nothing
    keep(browser, draft=OTHER, name=" ", url="", method="PUT")
    keep(browser, address(weather), draft="6c" * 12)

    of_new, of_api, on_list = (browser.get(page) for page in (NEW, address(weather), PAGE))

    assert [OFFER in words(page) for page in (of_new, of_api, on_list)] == [True, True, False]
    assert "New APIs that are not saved" in words(on_list)
    for page in (of_new, on_list):
        assert "https://api.example.com/a&amp;b" in words(page)
        assert "Without a name" in words(page)
        assert f"{NEW}?draft={ID}" in page.content.decode()
    assert words(of_api).count("Continue") == 1
    opened = browser.get(NEW, {"draft": ID})
    assert form_of(opened) | {"draft": ID, "url": url} == form_of(opened)
    assert words(opened).count("Continue") == 1
    assert "Draft saved " in words(opened)


def test_a_spelling_is_kept_only_while_it_is_that_of_its_row(browser: Browser) -> None:
    keep(browser, **ROW, **{"parameters-0-raw": "page=%31", "parameters-1-name": "b", "parameters-1-raw": "page=2"})

    form = form_of(browser.get(NEW, {"draft": ID}))

    assert (form["parameters-0-raw"], form["parameters-1-raw"]) == ("page=%31", "")


def test_a_page_without_changes_keeps_nothing(browser: Browser, weather: OutboundApi) -> None:
    for page in (NEW, address(weather)):
        as_shown = form_of(browser.get(page))
        rows = browser.post(f"{page}rows/", as_shown | {"add_row": "headers"})
        answer = browser.post(f"{page}draft/", form_of(rows), headers=JSON).json()
        browser.post(f"{page}discard/", as_shown)

        assert (answer["sentence"], answer["has_ended"]) == ("", False)
    assert not CallDraft.objects.exclude(sealed="").exists()


def test_taking_a_change_back_drops_its_draft(browser: Browser, weather: OutboundApi) -> None:
    as_shown = form_of(browser.get(address(weather)))
    browser.post(f"{address(weather)}draft/", as_shown | {"name": "Changed"}, headers=JSON)

    browser.post(f"{address(weather)}draft/", as_shown | {"part": "headers"}, headers=JSON)

    assert not CallDraft.objects.exists()


def test_what_is_unchanged_is_not_written_again(
    browser: Browser, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    keep(browser)
    before = CallDraft.objects.get()

    with django_assert_num_queries(3):
        answer = keep(browser, part="headers")

    after = CallDraft.objects.get()
    assert answer.json()["sentence"].startswith("Draft saved ")
    assert (after.sealed, after.updated_at) == (before.sealed, before.updated_at)


@pytest.mark.parametrize(
    ("action", "fields", "headers"),
    [
        ("rows/", {"add_row": "headers"}, {}),
        ("rows/", {"remove_row": "parameters-0"}, HTMX),
        ("test/", {"url": "nowhere"}, {}),
        ("test/", {"url": "nowhere"}, HTMX),
        ("", {"name": ""}, {}),
    ],
)
def test_each_post_keeps_what_is_on_the_screen(
    browser: Browser, action: str, fields: dict[str, str], headers: dict[str, str]
) -> None:
    shown = browser.post(f"{NEW}{action}", GET | ROW | {"draft": ID} | fields, headers=headers)

    opened = form_of(browser.get(NEW, {"draft": ID}))
    assert shown.status_code == 200
    assert opened["parameters-0-value"] == "1"
    assert ("parameters-0-DELETE" in opened) == ("remove_row" in fields)
    if not headers:
        assert form_of(shown)["draft"] == ID
        assert "Draft saved " in words(shown)


def test_a_pasted_call_is_kept_at_once(browser: Browser) -> None:
    shown = browser.post(f"{PAGE}import/", {"command": "curl https://api.example.com/orders -H 'X-Key: k-12345'"})

    opened = browser.get(NEW, {"draft": form_of(shown)["draft"]})
    assert form_of(opened)["headers-0-name"] == "X-Key"
    assert "k-12345" not in opened.content.decode()


def test_save_ends_the_draft_of_its_page_only_and_nothing_late_brings_it_back(browser: Browser) -> None:
    keep(browser)
    keep(browser, draft=OTHER, name="Tables")

    browser.post(NEW, GET | {"draft": ID})
    late = keep(browser, name="Late").json()

    assert [draft.public_id for draft in CallDraft.objects.current()] == [OTHER]
    assert (late["has_ended"], late["draft"] in (ID, OTHER)) == (True, False)
    assert words(browser.get(PAGE)).count("Continue") == 1


def test_a_page_that_is_still_open_after_its_draft_ended_goes_on_with_another(browser: Browser) -> None:
    keep(browser)
    browser.post(f"{NEW}discard/", GET | {"draft": ID})

    shown = browser.post(f"{NEW}rows/", GET | {"draft": ID, "add_row": "headers"})

    assert form_of(shown)["draft"] != ID
    assert [draft.public_id for draft in CallDraft.objects.current()] == [form_of(shown)["draft"]]


def test_save_that_fails_keeps_the_draft(browser: Browser, weather: OutboundApi) -> None:
    keep(browser)

    refused = browser.post(NEW, GET | {"draft": ID, "name": "Weather"})

    assert "There is an API of this name already." in words(refused)
    assert form_of(browser.get(NEW, {"draft": ID}))["name"] == "Weather"


@pytest.mark.parametrize("action", ["{page}discard/", f"{PAGE}drafts/{ID}/discard/"])
def test_discarding_can_be_undone(browser: Browser, weather: OutboundApi, action: str) -> None:
    for page in (NEW, address(weather)):
        keep(browser, page, name="Kept")

        discarded = browser.post(action.format(page=page), GET | {"draft": ID, "name": "Typed last"}, follow=True)
        offered = words(browser.get(page))
        back = browser.post(f"{PAGE}drafts/{ID}/restore/", follow=True)

        assert "Your changes are discarded. Undo" in words(discarded)
        assert discarded.redirect_chain == [(page if action.startswith(PAGE) else PAGE, 302)]
        assert OFFER not in offered
        assert back.redirect_chain == [(f"{page}?draft={ID}", 302)]
        assert form_of(back)["name"] == ("Kept" if action.startswith(PAGE) else "Typed last")
        CallDraft.objects.all().delete()


def test_discarding_on_the_list_stays_there(browser: Browser) -> None:
    keep(browser)

    response = browser.post(f"{PAGE}drafts/{ID}/discard/", {"on_list": "on"}, follow=True)

    assert response.redirect_chain == [(PAGE, 302)]
    assert "New APIs that are not saved" not in words(response)


def test_what_is_gone_or_somebody_elses_is_neither_discarded_nor_brought_back(
    browser: Browser, alice: User, bob: User
) -> None:
    keep(browser)
    of_bob = logged_in(bob)

    pages = [of_bob.post(f"{PAGE}drafts/{ID}/{action}/", follow=True) for action in ("discard", "restore")]
    browser.post(f"{PAGE}drafts/{ID}/discard/", follow=True)
    age(alice, ID, REMEMBERED_FOR)
    pages += [browser.post(f"{PAGE}drafts/{ID}/{action}/", follow=True) for action in ("discard", "restore")]

    assert ["Your changes are discarded." in words(page) for page in pages] == [False] * 4
    assert ["These changes are gone" in words(page) for page in pages] == [False, True] * 2


def test_a_draft_is_offered_for_a_week(browser: Browser, alice: User) -> None:
    keep(browser)
    age(alice, ID, KEPT_FOR - timedelta(minutes=1))
    before = words(browser.get(NEW))

    age(alice, ID, timedelta(minutes=1))

    assert [OFFER in text for text in (before, words(browser.get(NEW)))] == [True, False]


def test_changes_of_a_deleted_api_are_kept_and_offered_once_it_is_back(
    browser: Browser, alice: User, weather: OutboundApi
) -> None:
    keep(browser, address(weather))
    api_deletion.delete(alice.pk, weather.pk)

    answers = [keep(browser, address(weather), draft=draft, name="Later").json() for draft in (ID, OTHER)]
    rows = browser.post(f"{address(weather)}rows/", GET | {"draft": ID, "add_row": "headers"})
    on_list = words(browser.get(PAGE))
    browser.post(f"{address(weather)}restore/")

    for sentence in (answers[0]["sentence"], answers[1]["sentence"], words(rows)):
        assert "This API was deleted meanwhile. Bring it back on the list of APIs to go on with it." in sentence
    assert [answer["is_bad"] for answer in answers] == [True, True]
    assert "Continue" not in on_list
    assert words(browser.get(address(weather))).count("Continue") == 2


def test_a_full_account_says_why_nothing_is_kept(browser: Browser, settings: Settings) -> None:
    settings.QUOTA_DRAFT_BYTES = 100

    answer = keep(browser).json()
    shown = browser.post(f"{NEW}rows/", GET | {"draft": ID, "add_row": "headers"})
    saved = browser.post(NEW, GET | {"draft": ID}, follow=True)

    for sentence in (answer["sentence"], words(shown)):
        assert "Your drafts take 0 bytes of 100 bytes. This would add" in " ".join(sentence.split())
    assert answer["is_bad"]
    assert "Orders is saved." in words(saved)


@pytest.mark.parametrize(
    "action", ["", "draft/", *(pytest.param(one, marks=pytest.mark.release) for one in ("rows/", "test/", "discard/"))]
)
def test_whose_session_has_ended_comes_back_to_the_editor_and_its_offer(
    browser: Browser, alice: User, weather: OutboundApi, action: str
) -> None:
    for page in (NEW, address(weather)):
        keep(browser, page)
        browser.logout()

        plain: Any = browser.post(f"{page}{action}", GET | {"draft": ID})
        others = [browser.post(f"{page}{action}", GET | {"draft": ID}, headers=headers) for headers in (HTMX, JSON)]
        browser.force_login(alice)

        login = f"/account/login/?next={page}"
        assert plain.url.replace("%2F", "/") == login
        assert [(other.status_code, other["HX-Redirect"]) for other in others] == [(403, plain.url)] * 2
        assert OFFER in words(browser.get(page))
        CallDraft.objects.all().delete()


def test_a_page_of_another_account_keeps_nothing_here(browser: Browser, alice: User, bob: User) -> None:
    answers = [keep(browser, owner=str(owner.pk)) for owner in (bob, alice)]

    assert [answer.status_code for answer in answers] == [409, 200]
    assert CallDraft.objects.get().owner == alice


def test_a_page_of_before_gets_the_token_and_the_account_of_a_new_log_in(browser: Browser, alice: User) -> None:
    answer = browser.get(f"{PAGE}drafts/request-token/", headers=JSON)

    assert answer.json()["owner"] == alice.pk
    assert f'data-owner="{alice.pk}"' in browser.get(NEW).content.decode()
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = browser.cookies
    refused = strict.post(f"{NEW}draft/", GET | {"draft": ID}, headers=JSON)
    token = strict.get(f"{PAGE}drafts/request-token/", headers=JSON).json()["token"]
    taken = strict.post(f"{NEW}draft/", GET | {"draft": ID, "csrfmiddlewaretoken": token}, headers=JSON)
    assert (refused.status_code, "HX-Redirect" in refused, taken.status_code) == (403, False, 200)
