"""The button Send in the editor calls servers on loopback, before and after saving."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.transport import concurrency
from tests.cast import logged_in
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.servers import LocalServer, Peer, response, serving
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, address, form_of, problems_of, words

pytestmark = pytest.mark.matrix


def respond(peer: Peer) -> None:
    peer.read_request()
    body = b'{"data": {"total": 12.5, "paid": true}}'
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def answer_with_text(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 500 Oh\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nOops")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["a page", "a fragment"])
def test_a_test_shows_the_response_before_anything_is_saved(
    alice: User, loopback: None, headers: dict[str, str]
) -> None:
    mapping = {"mappings-0-path": "data.total", "mappings-0-attribute": "total", "mappings-0-type": "number"}
    with LocalServer(respond) as local:
        response = logged_in(alice).post(f"{PAGE}new/test/", GET | mapping | {"url": local.url}, headers=headers)

    page = response.content.decode()
    assert "200 OK" in words(response)
    assert re.findall(r'name="map" value="([^"]+)"', page) == ["number data.total", "yes_no data.paid"]
    assert "total 12.5" in words(response)
    assert ("<html" in page) == (headers == {})
    assert not OutboundApi.objects.exists()
    assert ApiLog.objects.get().kind == "test"


def test_keys_that_are_too_long_to_map_are_shown_by_their_beginnings(alice: User, loopback: None) -> None:
    body = json.dumps({"k" * 100_000: list(range(300)), "l" * 600: "last"}).encode()
    with serving(response(body)) as server:
        tried = logged_in(alice).post(f"{PAGE}new/test/", GET | {"url": server.url}, headers=HTMX)

    page = tried.content.decode()
    assert f"{'k' * 99}… list of 300" in words(tried)
    assert f"{'l' * 99}…: &quot;last&quot;" in words(tried)
    assert 'name="map"' not in page
    # Once in the raw text, and not in each path below it.
    assert len(page) < 150_000


def test_half_characters_and_giant_numbers_are_shown_logged_and_not_mapped(alice: User, loopback: None) -> None:
    browser = logged_in(alice)
    mapping = {"mappings-0-path": "n", "mappings-0-attribute": "n", "mappings-0-type": "number"}
    mapping |= {"mappings-1-path": "a", "mappings-1-attribute": "a", "mappings-1-type": "text"}
    call = GET | mapping | {"method": "POST", "body": '{"password": "\\ud800xyz"}'}
    with serving(response(b'{"a": "\\ud800xyz", "\\ud800": 2, "n": 1%s}' % (b"0" * 400))) as server:
        tried = browser.post(f"{PAGE}new/test/", call | {"url": server.url}, headers=HTMX)
        browser.post(f"{PAGE}new/test/", call | {"url": server.url, "body_is_secret": "on"}, headers=HTMX)

    assert "n was not set: what is at n is a number beyond 2^53." in words(tried)
    assert "a was not set: what is at a holds a character that cannot be stored." in words(tried)
    assert re.findall(r'name="map" value="([^"]+)"', tried.content.decode()) == ["text a", "number n"]
    bodies = [words(browser.get(f"{PAGE}logs/{log.pk}/")) for log in ApiLog.objects.all()]
    assert ["\\ud800xyz" in body for body in bodies] == [False, False]
    assert [f'"\\ud800": 2, "n": 1{"0" * 400}}}' in unescape(body) for body in bodies] == [True, True]


def test_a_response_that_is_no_json_is_shown_as_text(alice: User, loopback: None) -> None:
    with LocalServer(answer_with_text) as local:
        response = logged_in(alice).post(f"{PAGE}new/test/", GET | {"url": local.url}, headers=HTMX)

    assert "500 Oh" in words(response)
    assert "Oops</pre>" in response.content.decode()


def test_the_lines_are_numbered_where_an_error_names_one(alice: User, loopback: None) -> None:
    with serving(response(b'{\n  "a": <1>,\n  "b": 2}')) as server:
        tried = logged_in(alice).post(f"{PAGE}new/test/", GET | {"url": server.url}, headers=HTMX)

    page = tried.content.decode()
    assert "The response is not JSON: see line 2, column 8." in words(tried)
    assert '<pre class="raw__numbers" aria-hidden="true">1\n2\n3</pre>' in page
    assert '<pre class="raw__text" id="response-text">\n{\n  "a": &lt;1&gt;,\n  "b": 2}</pre>' in page


def test_what_came_of_a_broken_response_is_shown_with_a_sentence(alice: User, loopback: None) -> None:
    cut = b"HTTP/1.1 200 Fine\r\nX-A : b\r\nContent-Length: 99\r\n\r\nbegin\nning"
    with serving(cut) as server:
        tried = logged_in(alice).post(f"{PAGE}new/test/", GET | {"url": server.url}, headers=HTMX)

    assert "200 Fine" in words(tried)
    assert "The server closed the connection before its response was complete." in words(tried)
    assert "Some headers break the rules of HTTP." in words(tried)
    assert "Only a part of the response came, so it is not read. begin ning" in words(tried)
    assert "raw__numbers" not in tried.content.decode()
    assert "X-A b" in words(tried)
    log = ApiLog.objects.get()
    assert (log.status, log.response_body, log.is_cut) == (200, "begin\nning", True)
    assert log.problem == "The server closed the connection before its response was complete."


def test_each_redirect_is_shown_with_its_method(alice: User, loopback: None) -> None:
    hops = [response(b"", "Location: /there", status="303 See"), response(b"", "Location: /last", status="307 Again")]
    browser = logged_in(alice)
    call = GET | {"method": "DELETE"}
    with serving(*hops, response(b"{}"), response(b"", "Location: /else", status="302 No")) as server:
        there = browser.post(f"{PAGE}new/test/", call | {"url": server.url, "follows_redirects": "on"}, headers=HTMX)
        unfollowed = browser.post(f"{PAGE}new/test/", call | {"url": server.url}, headers=HTMX)

    assert f"303 led to GET {server.url}/there 307 led to GET {server.url}/last" in words(there)
    assert "A redirect turned DELETE into GET. No body was sent again." in words(there)
    assert f"302 points to {server.url}/else, which was not followed." in words(unfollowed)


def test_a_test_asks_for_the_attributes_first(alice: User, loopback: None) -> None:
    browser = logged_in(alice)
    with LocalServer(respond) as local:
        call = GET | {"url": local.url + "/{{order_id}}"}
        asked = browser.post(f"{PAGE}new/test/", call, headers=HTMX)
        sent = browser.post(f"{PAGE}new/test/", call | {"sample-order_id": "A 1"}, headers=HTMX)

    assert "Enter a value for the test." in words(asked)
    assert "200 OK" in words(sent)
    assert [request.split(b"\r\n")[0] for request in local.requests] == [b"GET /A%201 HTTP/1.1"]


def test_a_test_sends_the_hidden_values_and_the_log_hides_them(
    alice: User, loopback: None, weather: OutboundApi
) -> None:
    browser = logged_in(alice)
    with LocalServer(respond) as local:
        weather.keep(replace(weather.recipe(), url=local.url))
        form = form_of(browser.get(address(weather)))
        browser.post(address(weather, "test/"), form | {"sample-name": "Oslo"}, headers=HTMX)

    log = ApiLog.objects.get()
    pages = [browser.get(f"{PAGE}logs/"), browser.get(f"{PAGE}logs/{log.pk}/")]
    assert f"authorization: bearer {SECRET}".encode() in local.requests[0].lower()
    assert (log.api, log.status) == (weather, 200)
    assert [SECRET in page.content.decode() for page in pages] == [False, False]
    assert "Authorization ••••••••" in words(pages[1])


def test_what_cannot_be_sent_is_said_in_words(alice: User) -> None:
    browser = logged_in(alice)

    closed = browser.post(f"{PAGE}new/test/", GET | {"url": "http://127.0.0.1:9999"}, headers=HTMX)
    dots = browser.post(f"{PAGE}new/test/", GET | {"url": "https://a.test/{{a}}", "sample-a": ".."}, headers=HTMX)
    wrong = browser.post(f"{PAGE}new/test/", GET | {"url": ""}, headers=HTMX)
    page = browser.post(f"{PAGE}new/test/", GET | {"url": ""})

    assert 'class="field__error">' in closed.content.decode()
    assert "An attribute would lead the URL to another path" in words(dots)
    assert problems_of(wrong) == {"errors": {"id_url": "Enter the URL to call."}, "first": "id_url", "part": ""}
    assert "Enter the URL to call." in words(page)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["a page", "a fragment"])
def test_one_call_at_a_time_and_so_many_a_minute(alice: User, settings: Settings, headers: dict[str, str]) -> None:
    settings.OUTBOUND_RATE_LIMIT = 1
    browser = logged_in(alice)
    call = GET | {"url": "http://10.0.0.1"}

    with concurrency.hold_slot(alice.pk):
        busy = browser.post(f"{PAGE}new/test/", call, headers=headers)
    often = browser.post(f"{PAGE}new/test/", call, headers=headers)

    assert (busy.status_code, busy["Retry-After"], busy["HX-Retarget"]) == (429, "1", "#outcome")
    assert "Another call of yours is under way. Try again once it has ended." in words(busy)
    assert (often.status_code, often["HX-Retarget"]) == (429, "#outcome")
    assert 0 < int(often["Retry-After"]) <= concurrency.WINDOW
    assert f"Too many calls within a minute. Try again in {often['Retry-After']} second" in words(often)
    assert ("<html" in often.content.decode()) == (headers == {})
