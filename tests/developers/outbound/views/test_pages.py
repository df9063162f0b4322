"""The tab 3rd Party Apps API and its acts, without a browser."""

import re
from html import unescape
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from developers import tokens
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from developers.outbound.views.apis import MOST_COPIES
from tests import short_transactions
from tests.cast import logged_in
from tests.memory import MIB, peak_of
from tests.short_transactions import Bound

pytestmark = pytest.mark.matrix
PAGE, HTMX = "/developers/third-party-apps-api/", {"HX-Request": "true"}
GET = {"name": "Orders", "method": "GET", "url": "https://api.example.com/orders"}
ROW = {"parameters-0-name": "page", "parameters-0-value": "1"}


def words(response: Any) -> str:
    """What an answer says, without its markup and its sidebar."""
    page = response.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2] or page).split())


def form_of(response: Any) -> dict[str, str]:
    """What the editor of an answer would post, were it sent as it stands."""
    page = unescape(response.content.decode()).partition('<form id="editor"')[2].partition("</form>")[0]
    posted = {}
    for tag in re.findall(r"<input[^>]+>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attributes["type"] != "checkbox" or " checked" in tag:
            posted[attributes["name"]] = attributes.get("value", "on" if attributes["type"] == "checkbox" else "")
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL):
        posted[name] = re.findall(r'value="(\w+)" selected|$', options)[0]
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL):
        posted[name] = text
    return posted


@pytest.fixture
def shop(bob: User) -> OutboundApi:
    """Somebody else's."""
    return OutboundApi.objects.make(bob, "Shop", Recipe("GET", "https://shop.example.com"))


def address(api: OutboundApi, act: str = "") -> str:
    return f"{PAGE}{api.pk}/{act}"


def test_an_api_with_many_logs_is_deleted_in_short_transactions(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_transactions, "MOST", Bound(rows=100, statements=8))
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com"))
    ApiLog.objects.bulk_create(
        ApiLog(owner=alice, api=api, api_name="Orders", kind="call", method="GET", url=api.url) for _ in range(120)
    )

    logged_in(alice).post(address(api, "delete/"), {"is_sure": "on"})

    assert (OutboundApi.objects.count(), ApiLog.objects.filter(api=None).count()) == (0, 120)


def test_developers_opens_this_tab_and_both_tabs_are_on_both_pages(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.get("/developers/")

    assert (response.status_code, response["Location"]) == (302, PAGE)
    for path, current in ((PAGE, "3rd Party Apps API"), ("/developers/api-access-token/", "API Access Token")):
        tabs = browser.get(path).content.decode().partition('<nav class="tabs"')[2].partition("</nav>")[0]
        assert re.findall(r'href="([^"]+)"', tabs) == [PAGE, "/developers/api-access-token/"]
        assert re.findall(r'aria-current="page">([^<]+)<', tabs) == [current]


def test_without_apis_the_page_says_what_one_is_for(alice: User, shop: OutboundApi) -> None:
    response = logged_in(alice).get(PAGE)

    assert "No APIs yet" in words(response)
    assert "Shop" not in words(response)
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


@pytest.mark.parametrize(("text", "found"), [("wea", True), ("API.EXAMPLE", True), ("orders", False)])
def test_an_api_is_found_by_its_name_or_url(alice: User, weather: OutboundApi, text: str, found: bool) -> None:
    response = logged_in(alice).get(PAGE, {"q": text})

    assert (address(weather) in response.content.decode(), "No API found" in words(response)) == (found, not found)


def test_the_pages_take_as_many_queries_for_many_apis_as_for_one(
    alice: User, weather: OutboundApi, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)
    for number in range(20):
        OutboundApi.objects.make(alice, f"API {number}", Recipe("GET", "https://api.example.com"))
        ApiLog.objects.create(
            owner=alice, api=weather, api_name="Weather", kind="test", method="GET", url="https://x.test"
        )

    for path, queries in ((PAGE, 4), (address(weather), 4), (f"{PAGE}logs/", 6)):
        with django_assert_num_queries(queries):
            browser.get(path)


def test_an_api_is_made_with_the_attributes_that_it_names(alice: User) -> None:
    rows = ROW | {"mappings-3-path": "data.total", "mappings-3-attribute": "total", "mappings-3-type": "number"}

    response = logged_in(alice).post(f"{PAGE}new/", GET | rows, follow=True)

    api = OutboundApi.objects.get(owner=alice)
    assert response.redirect_chain == [(address(api), 302)]
    assert "Orders is saved." in words(response)
    assert api.recipe() == Recipe(
        "GET",
        "https://api.example.com/orders",
        parameters=(RecipeField("page", "1"),),
        mappings=(AttributeMapping("data.total", "total"),),
    )
    assert list(CustomAttribute.objects.values_list("owner", "name", "type")) == [(alice.pk, "total", "number")]


def test_a_query_typed_into_the_url_becomes_parameters(alice: User) -> None:
    logged_in(alice).post(f"{PAGE}new/", GET | ROW | {"url": "https://api.example.com/orders?sort=new"})

    recipe = OutboundApi.objects.get().recipe()
    assert (recipe.url, recipe.parameters) == (
        "https://api.example.com/orders",
        (RecipeField("page", "1"), RecipeField("sort", "new")),
    )


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"name": ""}, "Give the API a name."),
        ({"method": "HEAD"}, "Choose one from the list."),
        ({"url": ""}, "Enter the URL to call."),
        ({"url": "https://{{host}}/"}, "An attribute may stand in the path of the URL, not in the name of the server."),
        ({"method": "POST", "body": "{"}, "The body is not JSON: see line 1, column 2."),
        ({"url": "https://a.test/?=1"}, "Give it a name."),
        ({"url": f"https://a.test/{tokens.generate().open()}"}, "This call holds an API access token of BotPenguin"),
        ({"parameters-0-value": "1"}, "Give it a key, or remove the row."),
        ({"headers-4-name": "a b"}, "A header&#x27;s name has letters, digits and hyphens only."),
        ({"mappings-0-path": "a", "mappings-0-attribute": "1", "mappings-0-type": "text"}, "Use letters, digits"),
        ({"mappings-0-path": "a[*]", "mappings-0-attribute": "a", "mappings-0-type": "text"}, "finds several values"),
    ],
)
def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(
    alice: User, typed: dict[str, str], error: str
) -> None:
    sent = GET | {"headers-9-name": "X-Kept", "headers-9-value": "still here"} | typed

    response = logged_in(alice).post(f"{PAGE}new/", sent)

    page = response.content.decode()
    assert error in page
    assert page.partition("<main")[2].count("autofocus") == ("?=" not in sent["url"])
    assert "still here" in form_of(response).values()
    assert not OutboundApi.objects.exists()


def test_a_name_in_use_is_refused_with_a_sentence(alice: User, weather: OutboundApi) -> None:
    response = logged_in(alice).post(f"{PAGE}new/", GET | {"name": "weather"})

    assert "There is an API of this name already." in words(response)
    assert list(OutboundApi.objects.all()) == [weather]


def test_an_attribute_keeps_the_type_that_it_has(alice: User) -> None:
    CustomAttribute.objects.named(alice, "total", "number")
    mapping = {"mappings-0-path": "a", "mappings-0-attribute": "Total", "mappings-0-type": "date"}

    response = logged_in(alice).post(f"{PAGE}new/", GET | mapping)

    assert "This attribute has the type Number already." in words(response)


def test_the_contacts_own_fields_are_offered_unless_an_attribute_has_the_name(alice: User) -> None:
    CustomAttribute.objects.named(alice, "Email")

    page = logged_in(alice).get(f"{PAGE}new/").content.decode()

    lists = re.findall(r'<datalist id="([\w-]+)">(.*?)</datalist>', page)
    assert [(name, re.findall(r'value="(\w+)"', options)) for name, options in lists] == [
        ("contact-fields", ["name", "phone"]),
        ("attribute-names", ["Email"]),
    ]


def test_rows_are_added_and_removed_without_saving_or_judging(alice: User) -> None:
    browser = logged_in(alice)

    added = browser.post(f"{PAGE}new/rows/", {"url": "not yet", "add_row": "headers"} | ROW)
    removed = browser.post(f"{PAGE}new/rows/", form_of(added) | {"remove_row": "parameters-0"})

    assert form_of(added)["parameters-0-name"] == "page"
    assert form_of(added)["headers-0-name"] == ""
    assert "field__error" not in added.content.decode()
    assert "parameters-0-name" not in form_of(removed)
    assert form_of(removed)["url"] == "not yet"


def test_htmx_gets_the_part_alone_with_the_focus_on_what_changed(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)

    added = browser.post(address(weather, "rows/"), {"add_row": "parameters"}, headers=HTMX).content.decode()
    removed = browser.post(address(weather, "rows/"), {"remove_row": "parameters-7"}, headers=HTMX).content.decode()

    assert added.strip().startswith('<section class="part" id="part-parameters"')
    assert re.findall(r'<(\w+)[^>]*name="([\w-]+)"[^>]*autofocus', added) == [("input", "parameters-0-name")]
    assert re.findall(r'<(\w+)[^>]*name="([\w-]+)"[^>]*autofocus', removed) == [("button", "add_row")]


def test_more_than_fifty_rows_are_not_added(alice: User) -> None:
    rows = {f"parameters-{number}-name": "a" for number in range(50)}

    response = logged_in(alice).post(f"{PAGE}new/rows/", rows | {"add_row": "elsewhere"})

    assert sum(name.startswith("parameters-") and name.endswith("-name") for name in form_of(response)) == 50


@pytest.mark.parametrize(
    ("value", "row"),
    [
        ("number data.items[0].price", ("data.items[0].price", "price", "number")),
        ("none $['a b']", ("$['a b']", "a_b", "text")),
        ("text $[0]", ("$[0]", "value_0", "text")),
        ("text", ("", "value", "text")),
    ],
)
def test_a_value_of_the_response_makes_a_mapping(alice: User, value: str, row: tuple[str, str, str]) -> None:
    form = form_of(logged_in(alice).post(f"{PAGE}new/rows/", {"map": value}))

    assert tuple(form[f"mappings-0-{name}"] for name in ("path", "attribute", "type")) == row


def test_a_copy_holds_the_secrets_too_under_a_name_of_its_own(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)

    for _ in range(2):
        browser.post(address(weather, "duplicate/"))

    copies = OutboundApi.objects.exclude(pk=weather.pk).order_by("name")
    assert [copy.name for copy in copies] == ["Weather copy", "Weather copy 2"]
    assert [copy.recipe() for copy in copies] == [weather.recipe()] * 2


def test_too_many_copies_are_refused_with_a_sentence(alice: User, weather: OutboundApi) -> None:
    for number in range(MOST_COPIES):
        OutboundApi.objects.make(alice, f"Weather copy {number + 1}" if number else "Weather copy", weather.recipe())

    response = logged_in(alice).post(address(weather, "duplicate/"), follow=True)

    assert "There are many copies of Weather already. Rename or delete some first." in words(response)
    assert OutboundApi.objects.count() == MOST_COPIES + 1


def test_one_that_cannot_be_read_says_so_and_is_filled_in_anew(alice: User, weather: OutboundApi) -> None:
    OutboundApi.objects.update(sealed="damaged")
    browser = logged_in(alice)

    shown = browser.get(address(weather))
    copied = browser.post(address(weather, "duplicate/"), follow=True)
    browser.post(address(weather), GET)

    weather.refresh_from_db()
    assert "The saved call can't be read any more." in words(shown)
    assert "Weather can no longer be read, so it can't be copied." in unescape(words(copied))
    assert weather.recipe().url == "https://api.example.com/orders"


@pytest.mark.parametrize(("headers", "heading"), [({}, "h1"), (HTMX, "h2")], ids=["a page", "a dialog"])
def test_deleting_asks_first(alice: User, weather: OutboundApi, headers: dict[str, str], heading: str) -> None:
    browser = logged_in(alice)

    asked = browser.post(address(weather, "delete/"), headers=headers)
    assert list(OutboundApi.objects.all()) == [weather]
    deleted = browser.post(address(weather, "delete/"), {"is_sure": "on"}, follow=True)

    assert re.findall(r'<(h\d)[^>]*class="dialog__title">Delete Weather\?<', asked.content.decode()) == [heading]
    assert "Weather is deleted." in words(deleted)
    assert not OutboundApi.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("act", ["", "rows/", "test/", "duplicate/", "delete/"])
def test_an_api_of_somebody_else_is_not_there(alice: User, shop: OutboundApi, method: str, act: str) -> None:
    response = getattr(logged_in(alice), method)(address(shop, act), GET | {"is_sure": "on"})

    assert response.status_code == (405 if act and method == "get" else 404)
    assert "Shop" not in response.content.decode()
    assert OutboundApi.objects.get().name == "Shop"


@pytest.mark.parametrize("act", ["new/", "new/rows/", "new/test/", "import/"])
def test_a_forged_form_changes_nothing(alice: User, act: str) -> None:
    browser = logged_in(alice)
    browser.handler.enforce_csrf_checks = True

    response = browser.post(PAGE + act, GET)

    assert response.status_code == 403
    assert not OutboundApi.objects.exists()


def test_a_curl_command_is_read_into_the_editor_unsaved(alice: User) -> None:
    command = "curl -k https://api.example.com/orders?a=1 -H 'Authorization: Bearer abc'"

    response = logged_in(alice).post(f"{PAGE}import/", {"command": command})

    form = form_of(response)
    assert (form["url"], form["parameters-0-value"]) == ("https://api.example.com/orders", "1")
    assert (form["headers-0-value"], form["headers-0-is_secret"]) == ("Bearer abc", "on")
    assert "--insecure is left out: certificates are always checked." in words(response)
    assert 'action="/developers/third-party-apps-api/new/"' in response.content.decode()
    assert not OutboundApi.objects.exists()


def test_a_command_that_cannot_be_read_stays_with_the_reason(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.post(f"{PAGE}import/", {"command": "curl -d @secret https://api.example.com"})

    assert "Files are not read: paste the body itself in its place." in words(response)
    assert "curl -d @secret https://api.example.com</textarea>" in response.content.decode()
    assert "Paste a command that begins with curl." in words(browser.post(f"{PAGE}import/", {"command": ""}))


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
