"""Hidden values of drafts are never shown again, and are sent only to the server that they were typed for.

The attacker of these tests has a stolen session: every page can be read, and every form sent.
"""

from typing import Any

import pytest

from accounts.models import User
from developers.outbound.models import ApiLog, OutboundApi
from tests.cast import logged_in
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.editor.test_hidden_values import OTHER_SERVERS
from tests.developers.outbound.test_running import everything_stored
from tests.developers.outbound.views.pages import GET, PAGE, address, form_of, words

pytestmark = pytest.mark.matrix

NEW = f"{PAGE}new/"
ID, OTHER = "6a" * 12, "6b" * 12
BODY = f'{{"pin": "{SECRET}"}}'
TYPED = GET | {
    "draft": ID,
    "parameters-TOTAL_FORMS": "1",
    "parameters-0-name": "signed",
    "parameters-0-value": SECRET,
    "parameters-0-is_secret": "on",
    "headers-TOTAL_FORMS": "1",
    "headers-0-name": "Authorization",
    "headers-0-value": f"Bearer {SECRET}",
    "body_kind": "text",
    "body": BODY,
    "body_is_secret": "on",
    "body_fields-TOTAL_FORMS": "1",
    "body_fields-0-name": "password",
    "body_fields-0-value": f"{SECRET}\r\n",
}
HIDDEN = 4
PARTS = ("headers", "parameters", "body_fields")
ELSEWHERE = {"url": "https://elsewhere.example.com/x"}
MOVED = "The call goes to another server now."


def keep(browser: Any, form: dict[str, str], page: str = NEW) -> None:
    assert browser.post(f"{page}draft/", form, headers={"Accept": "application/json"}).status_code == 200


def opened(browser: Any, page: str = NEW, draft: str = ID) -> dict[str, str]:
    """Return what a browser would send of a draft that somebody continues. No answer to a GET holds the secret."""
    response = browser.get(page, {"draft": draft})
    assert response.status_code == 200
    assert SECRET not in response.content.decode()
    return form_of(response)


@pytest.fixture
def browser(alice: User) -> Any:
    browser = logged_in(alice)
    keep(browser, TYPED)
    return browser


def test_a_draft_shows_references_and_saving_it_has_the_values(browser: Any) -> None:
    form = opened(browser)

    assert SECRET not in everything_stored()
    assert (form["headers-0-value"], form["parameters-0-value"], form["body"]) == ("", "", "")
    response = browser.post(NEW, form, follow=True)
    recipe = OutboundApi.objects.get().recipe()
    assert "Orders is saved." in words(response)
    fields = [recipe.parameters[0], recipe.headers[0], recipe.body_fields[0]]
    assert [field.value for field in fields] == [SECRET, f"Bearer {SECRET}", f"{SECRET}\n"]
    assert all(field.is_secret for field in fields)
    assert (recipe.body, recipe.body_is_secret) == (BODY, True)


HIDING = [
    {"headers-0-name": "X-Api-Key"},
    {"parameters-0-name": "api_key", "parameters-0-raw": f"api_key={SECRET}"},
    {"url": f"https://api.example.com/orders?page=1&api_key={SECRET}"},
    {"body": f"x{SECRET}", "body_is_secret": "on", "body_kind": "json"},
    {"body_fields-0-name": "note", "body_fields-0-is_secret": "on", "body_fields-0-raw": f"note={SECRET}"},
    {"sample-password": SECRET},
    {"headers-0-name": "x-trace", "headers-0-is_secret": "on"},
    {"headers-0-name": " Cookie "},
    {"headers-0-name": "Authorization", "headers-0-DELETE": "on"},
    {"parameters-0-name": "access_token"},
    {"parameters-0-name": "page", "parameters-0-value": "1", "parameters-0-raw": f"page={SECRET}"},
    {"parameters-0-name": "api_key", "parameters-0-value": "", "parameters-0-raw": f"api_key={SECRET}"},
    {"url": f"api.example.com?token={SECRET}"},
    {"url": f"https://api.example.com/#?sid={SECRET}"},
    {"body": SECRET, "body_is_secret": "on", "body_kind": "none"},
    {"body_fields-0-name": "api_key"},
]


@pytest.mark.parametrize("typed", [*HIDING[:6], *(pytest.param(one, marks=pytest.mark.release) for one in HIDING[6:])])
def test_whatever_saving_would_hide_is_not_in_the_page_of_a_draft(alice: User, typed: dict[str, str]) -> None:
    browser = logged_in(alice)
    values = {f"{part}-0-value": SECRET for part in PARTS if f"{part}-0-name" in typed}

    keep(browser, GET | {"draft": ID} | values | typed)

    opened(browser)
    assert SECRET not in browser.get(NEW).content.decode()
    assert SECRET not in browser.get(PAGE).content.decode()


@pytest.mark.parametrize("action", ["", "test/"])
@pytest.mark.parametrize(
    "url",
    [
        ELSEWHERE["url"],
        *(pytest.param(url, marks=pytest.mark.release) for url in OTHER_SERVERS),
        pytest.param("\u2003https://api.example.com.evil.example/", marks=pytest.mark.release),
    ],
)
def test_references_of_a_draft_lead_to_no_other_server(browser: Any, action: str, url: str) -> None:
    keep(browser, opened(browser) | {"url": url})

    response = browser.post(f"{NEW}{action}", opened(browser) | {"url": url})

    assert words(response).count(MOVED) == HIDDEN
    assert not OutboundApi.objects.exists()
    assert not ApiLog.objects.exists()


def test_a_draft_that_was_moved_is_bound_to_its_server_as_before(browser: Any) -> None:
    keep(browser, opened(browser) | ELSEWHERE)
    keep(browser, opened(browser) | {"name": "Moved back", "url": GET["url"]})

    response = browser.post(NEW, opened(browser), follow=True)

    assert "Moved back is saved." in words(response)
    assert OutboundApi.objects.get().recipe().headers[0].value == f"Bearer {SECRET}"


TICKS = [
    ("headers-0", {"headers-0-name": "X-Shown"}),
    ("body", {}),
    ("headers-0", {}),
    ("parameters-0", {"parameters-0-name": "shown"}),
    ("body_fields-0", {"body_fields-0-name": "shown", "body_kind": "form"}),
]


@pytest.mark.parametrize(
    ("part", "change"), [*TICKS[:2], *(pytest.param(*one, marks=pytest.mark.release) for one in TICKS[2:])]
)
def test_taking_the_tick_away_shows_nothing(browser: Any, part: str, change: dict[str, str]) -> None:
    form = opened(browser) | change
    del form["body_is_secret" if part == "body" else f"{part}-is_secret"]

    refused = browser.post(NEW, form)
    keep(browser, form)

    assert "Type it again to show it from now on." in words(refused)
    assert SECRET not in refused.content.decode()
    assert "Type it again to show it from now on." in words(browser.post(f"{NEW}test/", opened(browser)))


def test_a_reference_in_another_row_or_part_stays_hidden(browser: Any) -> None:
    form = opened(browser)
    reference = form["headers-0-kept"]
    swapped = {
        "parameters-0-name": "shown",
        "parameters-0-kept": reference,
        "headers-0-name": "X-Shown",
        "headers-0-kept": form["parameters-0-kept"],
    }
    keep(browser, form | swapped)

    saved = browser.post(NEW, opened(browser), follow=True)

    recipe = OutboundApi.objects.get().recipe()
    assert recipe.parameters[0].is_hidden
    assert recipe.headers[0].is_hidden
    assert SECRET not in saved.content.decode()


def test_references_mean_nothing_to_another_draft_api_or_account(browser: Any, weather: OutboundApi, bob: User) -> None:
    form = opened(browser)
    keep(logged_in(bob), form | {"draft": OTHER})

    refused = [
        browser.post(NEW, form | {"draft": OTHER}),
        browser.post(address(weather), form),
        browser.post(address(weather), form | {"draft": OTHER}),
        logged_in(bob).post(NEW, form),
        logged_in(bob).post(NEW, form | {"draft": OTHER}),
    ]

    assert [words(page).count("The hidden value is gone") for page in refused] == [HIDDEN] * 5
    assert [SECRET in page.content.decode() for page in refused] == [False] * 5
    assert list(OutboundApi.objects.all()) == [weather]


def test_a_draft_opens_on_no_page_but_its_own(browser: Any, weather: OutboundApi, bob: User) -> None:
    keep(browser, GET | {"draft": OTHER, "name": "Changed"}, address(weather))

    pages = [
        browser.get(address(weather), {"draft": ID}, follow=True),
        browser.get(NEW, {"draft": OTHER}, follow=True),
        logged_in(bob).get(NEW, {"draft": ID}, follow=True),
        browser.get(NEW, {"draft": "new"}, follow=True),
        browser.get(NEW, {"draft": ""}, follow=True),
    ]

    assert [words(page).count("These changes are gone") for page in pages] == [1] * 5
    assert logged_in(bob).get(address(weather), {"draft": OTHER}).status_code == 404


def test_references_of_the_saved_api_stay_in_its_draft(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    before = weather.recipe()
    keep(browser, form_of(browser.get(address(weather))) | {"draft": ID, "name": "Weather now"}, address(weather))

    form = opened(browser, address(weather))
    moved = browser.post(address(weather), form | ELSEWHERE)
    browser.post(address(weather), form)

    weather.refresh_from_db()
    assert words(moved).count(MOVED) == 3
    assert (weather.name, weather.recipe()) == ("Weather now", before)


@pytest.mark.parametrize(
    "early", ["", *(pytest.param(url, marks=pytest.mark.release) for url in ("https://", "ftp://api.example.com"))]
)
def test_a_value_typed_before_the_url_is_bound_when_the_page_sends_both(alice: User, early: str) -> None:
    browser = logged_in(alice)
    keep(browser, TYPED | {"url": early})
    unbound = browser.post(NEW, opened(browser) | {"url": GET["url"]})

    keep(browser, TYPED)
    response = browser.post(NEW, opened(browser), follow=True)

    assert words(unbound).count("The hidden value was typed before the URL.") == HIDDEN
    assert SECRET not in unbound.content.decode()
    assert "Orders is saved." in words(response)


def test_an_unbound_value_is_bound_by_no_reference(alice: User) -> None:
    browser = logged_in(alice)
    keep(browser, TYPED | {"url": ""})
    for url in (ELSEWHERE["url"], "https://api.example.com/"):
        keep(browser, opened(browser) | {"url": url})

    response = browser.post(f"{NEW}test/", opened(browser))

    assert words(response).count("The hidden value was typed before the URL.") == HIDDEN
    assert not ApiLog.objects.exists()


def test_a_value_that_is_typed_anew_goes_to_the_new_server(browser: Any) -> None:
    anew = {f"{part}-0-value": "Bearer new" for part in PARTS} | {"body": "text"}
    keep(browser, opened(browser) | ELSEWHERE | anew)

    browser.post(NEW, opened(browser))

    recipe = OutboundApi.objects.get().recipe()
    assert (recipe.url, recipe.headers[0].value, recipe.body) == (ELSEWHERE["url"], "Bearer new", "text")


def test_a_value_that_is_typed_over_and_deleted_again_is_the_hidden_one(browser: Any) -> None:
    form = opened(browser)
    keep(browser, form | {"headers-0-value": "Bearer ne"})
    keep(browser, form | {"name": "Orders 2"})

    browser.post(NEW, opened(browser))

    assert OutboundApi.objects.get().recipe().headers[0].value == f"Bearer {SECRET}"


def test_no_text_can_be_compared_with_a_hidden_value(browser: Any) -> None:
    """The same text gives another reference each time, and a copy of a row keeps no old one for comparison."""
    form = opened(browser)
    copy = {"headers-TOTAL_FORMS": "2", "headers-1-name": "Authorization"}
    texts = [f"Bearer {SECRET}", "Bearer wrong"]
    references = {form["headers-0-kept"]}

    for text in texts * 2:
        keep(browser, form | copy | {"headers-1-value": text})
        references.add(opened(browser)["headers-1-kept"])

    assert len(references) == 5
