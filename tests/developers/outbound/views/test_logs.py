"""Logs of calls, as their owner reads them."""

from html import unescape

import pytest

from accounts.models import User
from developers.outbound.models import ApiLog, OutboundApi
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, PAGE, words
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


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"a":[1,"<é>"]}', '{\n  "a": [\n    1,\n    "<é>"\n  ]\n}'),
        ("no JSON", "no JSON"),
        ("[" * 100_000, "[" * 100_000),
        ("[" * 300 + ",".join(["1"] * 30_000) + "]" * 300, "[" * 300 + ",".join(["1"] * 30_000) + "]" * 300),
    ],
    ids=["json", "text", "too-deep", "grows"],
)
def test_a_log_indents_json_unless_it_would_grow_beyond_measure(alice: User, body: str, shown: str) -> None:
    log = ApiLog.objects.create(
        owner=alice, api_name="Deep", kind="test", method="GET", url="https://x.test", status=200, response_body=body
    )

    page = logged_in(alice).get(f"{PAGE}logs/{log.pk}/").content.decode()

    assert unescape(page.partition('<pre class="log__body" tabindex="0">')[2].partition("</pre>")[0]) == shown


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
    assert page.content.decode().count(GET["url"]) >= 20
    assert max(peak_of_logs, peak_of_apis) < 4 * MIB


@pytest.mark.parametrize("asked_for", ["\0", "x" * 1000, "é"])
def test_logs_of_what_is_no_api_are_all_logs(alice: User, asked_for: str) -> None:
    ApiLog.objects.create(owner=alice, api_name="Weather", method="GET", url=GET["url"])

    page = logged_in(alice).get(f"{PAGE}logs/", {"api": asked_for})

    assert "Weather" in page.content.decode()
