"""What a test and its log show: the request as it was sent beside the response, also after a row was added."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import User
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import MASK
from tests.cast import logged_in
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, problems_of, words

pytestmark = pytest.mark.matrix

CALL = GET | {
    "method": "POST",
    "body": '{"order": "A-17"}',
    "headers-0-name": "Authorization",
    "headers-0-value": SECRET,
    "headers-TOTAL_FORMS": "1",
    "parameters-0-name": "token",
    "parameters-0-value": "t-12345678",
    "parameters-TOTAL_FORMS": "1",
}
JSON = "Content-Type: application/json"
OF = {"kind": "test", "method": "GET", "url": "https://x.test/a?b=c", "api_name": "X"}


def tried(browser: Browser, url: str, headers: dict[str, str] | None = None, **fields: str) -> Any:
    return browser.post(f"{PAGE}new/test/", CALL | fields | {"url": url}, headers=headers or {})


def log_page(browser: Browser, log: ApiLog) -> Any:
    return browser.get(f"{PAGE}logs/{log.pk}/")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["a page", "a fragment"])
def test_the_request_as_it_was_sent_is_shown_by_the_test_and_by_its_log(
    alice: User, loopback: None, headers: dict[str, str]
) -> None:
    browser = logged_in(alice)
    with serving(response(b'{"a": 1}', JSON)) as server:
        outcome = tried(browser, f"{server.url}/ü", headers)

    host = server.url.removeprefix("http://")
    sent = f"POST /%C3%BC?token={MASK} HTTP/1.1 Host {host} accept */* user-agent BotPenguin content-type"
    for page in (outcome, log_page(browser, ApiLog.objects.get())):
        assert f"{sent} application/json Authorization {MASK} accept-encoding gzip, deflate" in words(page)
        assert '{"order": "A-17"}' in unescape(words(page))
        assert [SECRET in page.content.decode(), "t-12345678" in page.content.decode()].count(True) == (
            # The form itself still holds what was typed.
            2 if page is outcome and not headers else 0
        )


def test_each_request_of_a_redirect_is_shown_with_its_status(alice: User, loopback: None) -> None:
    browser = logged_in(alice)
    with serving(response(b"", "Location: /there?key=k1", status="303 See"), response(b"{}")) as server:
        outcome = tried(browser, server.url, HTMX, follows_redirects="on")

    there = f"GET {server.url}/there?key={MASK} → 200"
    for page in (outcome, log_page(browser, ApiLog.objects.get())):
        assert re.search(rf"POST {server.url}/\?token={MASK} → 303 {re.escape(there)}", words(page))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The response is empty."),
        (b" \n", "The response is empty."),
        (bytes(range(256)), "The response is no text"),
        (b'{"a": <1>,\n "b": 2}', "The response is not JSON: see line 1, column 7."),
    ],
)
def test_a_body_without_values_is_explained_by_the_test_and_by_its_log(
    alice: User, loopback: None, body: bytes, sentence: str
) -> None:
    browser = logged_in(alice)
    with serving(response(body)) as server:
        outcome = tried(browser, server.url, HTMX)

    for page in (outcome, log_page(browser, ApiLog.objects.get())):
        assert sentence in words(page)
        assert 'class="response-tree"' not in page.content.decode()


def test_a_call_that_was_not_sent_shows_what_it_would_have_sent(alice: User) -> None:
    browser = logged_in(alice)

    outcome = tried(browser, "http://127.0.0.1:9999", HTMX)

    for page in (outcome, log_page(browser, ApiLog.objects.get())):
        assert f"It was not sent. POST http://127.0.0.1:9999?token={MASK} Authorization {MASK}" in words(page)
        assert 'data-pane="text"' not in page.content.decode()


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ({"response_body": '{"a": 1}', "response_size": 8}, "object of 1 a: 1"),
        ({"response_body": "x" * 65_536, "response_size": 70_000}, "The log keeps only the first 64 KB"),
        ({"response_body": '{"a": 1}', "response_size": 8, "is_cut": True}, "Only a part of the response came"),
        ({"response_body": MASK, "response_size": 8}, "The response could show a secret"),
        ({"response_size": 8}, "The response is no text, and the log keeps none of it."),
        ({"notes": ["Its chunks were read once."]}, "Its chunks were read once."),
        ({"request_headers": [["X-Old", "1"]]}, "GET https://x.test/a?b=c X-Old 1"),
        ({"hops": [["GET", "https://x.test/a?b=c", 200]]}, "GET /a?b=c HTTP/1.1"),
    ],
)
def test_a_log_shows_what_it_keeps_and_says_what_it_does_not(alice: User, log: dict[str, Any], shown: str) -> None:
    page = log_page(logged_in(alice), ApiLog.objects.create(owner=alice, status=200, **OF, **log))

    assert shown in words(page)
    assert "<button name" not in page.content.decode()


@pytest.mark.parametrize("pressed", [{"map": "number data.total"}, {"add_row": "headers"}, {"remove_row": "headers-0"}])
def test_without_scripts_the_response_stays_where_a_row_is_changed(
    alice: User, loopback: None, pressed: dict[str, str]
) -> None:
    browser = logged_in(alice)
    body = b'{"data": {"total": 12.5, "echo": "%s"}}' % SECRET.encode()
    with serving(response(body, JSON)) as server:
        outcome = tried(browser, server.url)
    [log] = re.findall(r'name="log" value="(\d+)"', outcome.content.decode())

    page = browser.post(f"{PAGE}new/rows/", CALL | pressed | {"log": log})

    assert "Of the last test, status 200, as API Logs keep it: secrets are masked." in words(page)
    assert f'total: 12.5 Map echo: "{MASK}"' in unescape(words(page))
    assert f'value="number data.total" formaction="{PAGE}new/rows/"' in page.content.decode()
    assert f'name="log" value="{log}"' in page.content.decode()


def test_the_response_stays_where_the_form_has_errors(alice: User, loopback: None) -> None:
    browser = logged_in(alice)
    log = ApiLog.objects.create(owner=alice, status=200, response_body='{"a": 1}', response_size=8, **OF)
    wrong = CALL | {"url": "", "log": str(log.pk)}

    saved = browser.post(f"{PAGE}new/", wrong)
    tested = browser.post(f"{PAGE}new/test/", wrong)
    fragment = browser.post(f"{PAGE}new/test/", wrong, headers=HTMX)

    for page in (saved, tested):
        assert "Enter the URL to call." in words(page)
        assert 'value="number a"' in page.content.decode()
    # With scripts the page keeps what it shows.
    assert (fragment["HX-Reswap"], problems_of(fragment)["errors"]) == ("none", {"id_url": "Enter the URL to call."})


@pytest.mark.parametrize("number", ["", "x", "-1", "0", "٣", "9" * 18, "9" * 99, "1\0", "{theirs}", "{call}"])
def test_only_a_test_of_ones_own_is_shown_again(alice: User, bob: User, number: str) -> None:
    body = {"status": 200, "response_body": '{"a": 1}'}
    theirs = ApiLog.objects.create(owner=bob, **OF, **body)
    call = ApiLog.objects.create(owner=alice, **OF | {"kind": "call"}, **body)

    page = logged_in(alice).post(
        f"{PAGE}new/rows/", CALL | {"add_row": "headers", "log": number.format(theirs=theirs.pk, call=call.pk)}
    )

    assert (page.status_code, 'name="map"' in page.content.decode()) == (200, False)


def test_a_test_of_a_saved_api_maps_into_this_api(alice: User, loopback: None, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    with serving(response(b'{"a": 1}', JSON)) as server:
        outcome = browser.post(f"{PAGE}{weather.pk}/test/", CALL | {"url": server.url})

    assert f'value="number a" formaction="{PAGE}{weather.pk}/rows/"' in outcome.content.decode()
