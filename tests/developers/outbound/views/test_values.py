"""The values of a test without scripts: on a page of their own, which brings the fields of the editor along."""

import json
from html import unescape
from typing import Any

import pytest

from accounts.models import User
from developers.outbound.models import ApiLog, OutboundApi
from tests.cast import logged_in
from tests.developers.outbound.servers import response, serving
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, ROW, address, form_of, problems_of, words

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]

TITLE = "What the attributes of the call stand for in this test."


def called(url: str) -> dict[str, str]:
    return GET | ROW | {"url": f"{url}/{{{{city}}}}/{{{{day}}}}", "name": "", "body": "a\r\nb", "body_kind": "text"}


def test_missing_values_are_asked_for_on_a_page_whose_enter_sends(alice: User) -> None:
    browser = logged_in(alice)
    with serving(response(b'{"sun": true}')) as server:
        asked = browser.post(f"{PAGE}new/test/", called(server.url))
        form = form_of(asked)
        again = browser.post(f"{PAGE}new/test/", form | {"sample-city": "Bonn"})
        sent = browser.post(f"{PAGE}new/test/", form_of(again) | {"sample-day": "today"})

    assert TITLE in words(asked)
    assert form.items() >= (ROW | {"url": f"{server.url}/{{{{city}}}}/{{{{day}}}}", "sample-city": ""}).items()
    assert form_of(again)["sample-city"] == "Bonn"
    # Enter presses the first button of a form, and leads where the form does.
    head, _, rest = asked.content.decode().partition('action="/developers/third-party-apps-api/new/test/"')
    assert "<main" in head
    assert rest.partition("</button>")[0].endswith(">Send")
    assert [request.split(b" HTTP")[0] for request in server.requests] == [b"GET /Bonn/today?page=1"]
    assert server.requests[0].endswith(b"\r\n\r\na\nb")
    assert "200 OK" in words(sent)
    assert form_of(sent).items() >= (ROW | {"sample-city": "Bonn", "sample-day": "today"}).items()
    assert "city Bonn day today Change values" in words(sent)
    assert not OutboundApi.objects.exists()


def test_values_are_changed_and_left_again_without_sending(alice: User) -> None:
    browser = logged_in(alice)
    call = called("https://api.example.com") | {"sample-city": "Bonn", "sample-day": "today"}

    changing = browser.post(f"{PAGE}new/test/", call | {"values": "change"})
    back = browser.post(f"{PAGE}new/test/", form_of(changing) | {"sample-city": "Rome", "back": "back"})

    assert TITLE in words(changing)
    assert "Enter a value for the test." not in words(changing)
    assert "Configure API" in words(back)
    assert form_of(back).items() >= (ROW | {"sample-city": "Rome", "sample-day": "today", "name": ""}).items()
    assert not ApiLog.objects.exists()


def test_a_wrong_call_is_shown_with_its_errors_instead(alice: User) -> None:
    shown = logged_in(alice).post(f"{PAGE}new/test/", GET | {"url": "", "values": "change"})

    assert "Enter the URL to call." in words(shown)
    assert "Not sent: see the marked fields." in words(shown)


def test_the_values_of_a_saved_api_lead_back_to_it(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    form = form_of(browser.get(address(weather)))

    asked = browser.post(address(weather, "test/"), form)

    assert form_of(asked)["api"] == weather.pk
    assert f'action="{address(weather, "test/")}"' in asked.content.decode()
    # What is hidden stays a reference.
    assert form_of(asked)["headers-0-kept"] == form["headers-0-kept"]


def test_the_values_of_a_contact_are_filled_in_and_sent_only_by_send(alice: User) -> None:
    fill = {"values": {"city": "Oslo", "other": "?"}, "note": "This contact has no day."}
    call = called("https://api.example.com") | {"sample-City": "Bonn", "sample-day": "today"}

    filled = logged_in(alice).post(f"{PAGE}new/test/", call | {"fill": json.dumps(fill)})

    assert "This contact has no day." in words(filled)
    # The names of the page are those of the call.
    assert form_of(filled).items() >= {"sample-day": "today"}.items()
    assert not ApiLog.objects.exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", "null", '{"values": 1, "note": ""}', '{"values": []}', "[" * 100_000, '{"note": "x"}'],
)
def test_anything_else_fills_in_nothing(alice: User, text: str) -> None:
    call = called("https://api.example.com") | {"sample-city": "Bonn", "sample-day": "today"}

    shown = logged_in(alice).post(f"{PAGE}new/test/", call | {"fill": text})

    assert form_of(shown).items() >= {"sample-city": "Bonn", "sample-day": "today"}.items()


def test_a_value_that_is_no_text_is_not_filled_in(alice: User) -> None:
    call = called("https://api.example.com") | {"sample-city": "Bonn", "sample-day": "today"}
    fill = {"values": {"city": 5, "day": "now"}, "note": ""}

    shown = logged_in(alice).post(f"{PAGE}new/test/", call | {"fill": json.dumps(fill)})

    assert form_of(shown).items() >= {"sample-city": "Bonn", "sample-day": "now"}.items()


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"url": "nowhere"}, {"id_url": "Begin the URL with https:// or http://."}),
        ({"parameters-0-name": ""}, {"id_parameters-0-name": "Give it a key, or remove the row."}),
        ({"url": "", "parameters-0-name": ""}, {"id_url": "?", "id_parameters-0-name": "?"}),
        ({"headers-0-name": "A b", "headers-0-value": "c"}, {"id_headers-0-name": "?"}),
        ({"body_kind": "json", "body": "{"}, {"id_body": "?"}),
        ({"url": "https://a.test/{{city}}"}, {"sample-city": "Enter a value for the test."}),
        ({"url": "https://a.test/{{city}}/{{day}}", "sample-city": "x"}, {"sample-day": "Enter a value for the test."}),
        (
            {"mappings-0-path": "a", "mappings-0-attribute": "", "mappings-0-type": "text"},
            {"id_mappings-0-attribute": "?"},
        ),
    ],
)
def test_errors_come_as_data_beside_the_outcome(alice: User, changes: dict[str, str], problems: dict[str, str]) -> None:
    answer = logged_in(alice).post(f"{PAGE}new/test/", GET | ROW | {"name": ""} | changes, headers=HTMX)

    found: dict[str, Any] = problems_of(answer)
    assert found["errors"].keys() == problems.keys()
    assert all(found["errors"][name] == text for name, text in problems.items() if text.startswith(("E", "G")))
    assert found["first"] == next(iter(problems))
    assert "<form" not in answer.content.decode()
    assert "Not sent" in words(answer)
    assert not ApiLog.objects.exists()


def test_the_fields_of_the_values_are_left_alone_unless_others_are_needed(alice: User) -> None:
    browser = logged_in(alice)
    with serving(response(b"{}")) as server:
        call = called(server.url) | {"sample-city": "Bonn", "sample-day": "today"}
        same = browser.post(f"{PAGE}new/test/", call, headers=HTMX)
        fewer = browser.post(f"{PAGE}new/test/", call | {"url": server.url + "/{{day}}"}, headers=HTMX)

    assert ["#samples" in answer.content.decode() for answer in (same, fewer)] == [False, True]
    assert "sample-city" not in unescape(fewer.content.decode())
    assert problems_of(same)["errors"] == {}
