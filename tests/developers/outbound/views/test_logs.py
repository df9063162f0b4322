"""Logs of calls, as their owner reads them."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from developers.outbound import api_deletion
from developers.outbound.models import ApiLog, OutboundApi
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, PAGE, address, words
from tests.memory import MIB, peak_of

pytestmark = pytest.mark.matrix


def test_logs_are_ones_own_and_filtered_by_api(alice: User, bob: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    assert "No calls yet" in words(browser.get(f"{PAGE}logs/"))
    of = {"kind": "test", "method": "GET", "url": "https://x.test"}
    ApiLog.objects.create(owner=alice, api=weather, api_name="Weather", status=200, response_body="{}", **of)
    failed = ApiLog.objects.create(owner=alice, api_name="Gone", problem="There is no such server.", **of)
    others = ApiLog.objects.create(owner=bob, api_name="Shop", **of)

    everything, filtered = browser.get(f"{PAGE}logs/"), browser.get(f"{PAGE}logs/", {"api": weather.pk})

    assert "Kept for 10 days." in words(everything)
    assert [name in words(everything) for name in ("Weather", "Gone", "Shop")] == [True, True, False]
    assert "Gone" not in words(filtered)
    assert "There is no such server." in words(browser.get(f"{PAGE}logs/{failed.pk}/"))
    assert browser.get(f"{PAGE}logs/{others.pk}/").status_code == 404


def test_lists_read_little_of_what_is_large(alice: User) -> None:
    apis = [
        OutboundApi(owner=alice, name=str(number), method="GET", url=GET["url"], key_id="-") for number in range(20)
    ]
    for api in apis:
        api.sealed = "x" * 1_000_000
    OutboundApi.objects.bulk_create(apis)
    long = {"request_body": "x" * 64_000, "response_body": "🐧" * 16_000, "response_headers": [["a", "x" * 64_000]]}
    ApiLog.objects.bulk_create(ApiLog(owner=alice, api=apis[0], api_name="0", **long) for _ in range(50))
    browser = logged_in(alice)
    # Templates are read once.
    browser.get(f"{PAGE}logs/")
    browser.get(PAGE)

    logs, peak_of_logs = peak_of(lambda: browser.get(f"{PAGE}logs/", {"api": apis[0].pk}))
    page, peak_of_apis = peak_of(lambda: browser.get(PAGE))

    assert logs.content.decode().count("🐧" * 119 + "…") == 50
    assert words(page).count(GET["url"]) >= 20
    assert max(peak_of_logs, peak_of_apis) < 4 * MIB


@pytest.mark.parametrize("asked_for", ["\0", "x" * 1000, "é"])
def test_logs_of_what_is_no_api_are_all_logs(alice: User, asked_for: str) -> None:
    ApiLog.objects.create(owner=alice, api_name="Weather", method="GET", url=GET["url"])

    page = words(logged_in(alice).get(f"{PAGE}logs/", {"api": asked_for}))

    assert "Weather" in page
    assert "1 call Show all calls" in page


def test_the_page_keeps_a_filter_that_makes_no_sense_beside_the_others(alice: User, weather: OutboundApi) -> None:
    ApiLog.objects.create(owner=alice, api=weather, api_name="Weather", status=404)
    ApiLog.objects.create(owner=alice, api=weather, api_name="Other", status=200)

    response = logged_in(alice).get(f"{PAGE}logs/", {"api": weather.pk, "status": "4xx", "day": "<soon>"})

    page = response.content.decode()
    assert re.findall(r'<option value="([^"]*)" selected', page) == [weather.pk, "4xx", "&lt;soon&gt;"]
    assert "A day is written as 2026-11-30. Calls of all days are listed." in words(response)
    assert re.findall(r'aria-describedby="(filter-\w+)"', page) == ["filter-day_error"]
    assert "1 call Show all calls" in words(response)


def test_pages_and_hours_keep_the_filter(alice: User, weather: OutboundApi) -> None:
    ApiLog.objects.bulk_create(ApiLog(owner=alice, api=weather, api_name="Weather", status=404) for _ in range(60))
    browser = logged_in(alice)

    page = unescape(browser.get(f"{PAGE}logs/", {"api": weather.pk, "status": "4xx", "page": "2"}).content.decode())

    assert f'rel="prev" href="{PAGE}logs/?api={weather.pk}&status=4xx&page=1"' in page
    hours = set(re.findall(r'href="([^"]+day=[^"]+)"', page))
    assert len(hours) == 1
    assert hours.pop().startswith(f"{PAGE}logs/?api={weather.pk}&day=20")


def test_a_filter_that_finds_nothing_says_so(alice: User) -> None:
    ApiLog.objects.create(owner=alice, api_name="Weather", status=404)

    page = words(logged_in(alice).get(f"{PAGE}logs/", {"status": "5xx"}))

    assert "0 calls Show all calls No such calls" in page
    assert "1 refused" in page


def test_the_bar_is_text_too_and_honours_the_api(alice: User, weather: OutboundApi) -> None:
    for status in (200, 200, 404, 500, None):
        ApiLog.objects.create(owner=alice, api=weather, api_name="Weather", status=status)
    ApiLog.objects.create(owner=alice, api_name="Gone", status=200)
    browser = logged_in(alice)

    every, of_one = browser.get(f"{PAGE}logs/"), browser.get(f"{PAGE}logs/", {"api": weather.pk, "status": "404"})

    assert "Last 24 hours 3 worked 1 refused 1 failed 1 no response" in words(every)
    assert "Last 24 hours 2 worked 1 refused 1 failed 1 no response" in words(of_one)
    assert re.search(r"Hour Worked Refused Failed No response \d\d:00 2 1 1 1", words(of_one))
    assert re.findall(r'class="last-day__piece last-day__piece--(\w+)"', of_one.content.decode()) == [
        *("worked", "refused", "failed", "none")
    ]
    assert " style=" not in every.content.decode()


def test_without_recent_calls_the_bar_says_so(alice: User) -> None:
    ApiLog.objects.create(owner=alice, api_name="Weather", sent_at=timezone.now() - timedelta(days=2))

    assert "Last 24 hours No calls." in words(logged_in(alice).get(f"{PAGE}logs/"))


def test_a_log_and_its_api_lead_to_each_other(alice: User, weather: OutboundApi) -> None:
    of: dict[str, Any] = {"owner": alice, "api": weather, "api_name": "Weather"}
    logs = [ApiLog.objects.create(status=status, **of) for status in (200, None)]
    ApiLog.objects.create(owner=alice, api_name="Never saved", kind="test")
    older = [ApiLog(sent_at=timezone.now() - timedelta(days=1), **of)] * 9
    ApiLog.objects.bulk_create(older)
    browser = logged_in(alice)

    rows = browser.get(f"{PAGE}logs/").content.decode()
    of_api = browser.get(address(weather)).content.decode()
    of_log = browser.get(f"{PAGE}logs/{logs[0].pk}/").content.decode()

    assert len(re.findall(rf'href="{address(weather)}"', rows)) == 11
    calls = of_api.partition('id="latest"')[2].partition("</section>")[0]
    assert re.findall(rf'href="{PAGE}logs/(\d+)/"', calls)[:2] == [str(logs[1].pk), str(logs[0].pk)]
    assert len(re.findall("<li>", calls)) == 5
    assert re.findall("<span>([^<]+)</span>", calls)[:2] == ["No response", "200"]
    assert f'href="{PAGE}logs/?api={weather.pk}"' in calls
    assert f'href="{address(weather)}">Open <bdi>Weather</bdi><' in of_log
    assert f'href="{PAGE}logs/?api={weather.pk}"' in of_log


def test_a_log_says_that_its_api_is_deleted(alice: User, weather: OutboundApi) -> None:
    log = ApiLog.objects.create(owner=alice, api=weather, api_name="Weather", kind="call")
    test = ApiLog.objects.create(owner=alice, api_name="Never saved", kind="test")
    browser = logged_in(alice)
    api_deletion.delete(alice.pk, weather.pk)

    deleted, row = browser.get(f"{PAGE}logs/{log.pk}/"), browser.get(f"{PAGE}logs/").content.decode()
    OutboundApi.every.all().delete()
    gone = browser.get(f"{PAGE}logs/{log.pk}/")
    unsaved = browser.get(f"{PAGE}logs/{test.pk}/")

    assert "This API is deleted. See whether you can bring it back All calls of it" in words(deleted)
    assert address(weather) not in deleted.content.decode() + row
    assert "This API is deleted." in words(gone)
    assert "bring it back" not in words(gone)
    assert "A test of an API that was not saved, or is deleted." in words(unsaved)


def test_an_api_shows_its_id_and_without_calls_says_so(alice: User, weather: OutboundApi) -> None:
    page = logged_in(alice).get(address(weather))

    assert f'<code class="snippet__code" id="api-id" dir="ltr">{weather.pk}</code>' in page.content.decode()
    assert "Last calls None in the last 10 days." in words(page)
    new = logged_in(alice).get(f"{PAGE}new/").content.decode()
    assert "api-id" not in new
