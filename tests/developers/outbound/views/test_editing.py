"""The editor of an API, and reading a curl command into it."""

import re
from html import unescape

import pytest

from accounts.models import User
from developers import tokens
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, ROW, address, form_of, words

pytestmark = pytest.mark.matrix


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
    assert (form_of(removed)["parameters-0-DELETE"], "page is removed." in words(removed)) == ("True", True)
    assert form_of(removed)["url"] == "not yet"


def test_htmx_gets_the_part_alone_with_the_focus_on_what_changed(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)

    added = browser.post(address(weather, "rows/"), {"add_row": "parameters"}, headers=HTMX).content.decode()
    removed = browser.post(address(weather, "rows/"), {"remove_row": "parameters-7"}, headers=HTMX).content.decode()

    assert added.strip().startswith('<section class="part" id="part-parameters"')
    assert re.findall(r'<(\w+)[^>]*name="([\w-]+)"[^>]*autofocus', added) == [("input", "parameters-0-name")]
    assert re.findall(r'<(\w+)[^>]*name="([\w-]+)"[^>]*autofocus', removed) == [("button", "add_row")]


def test_a_removed_row_can_be_brought_back_and_is_not_saved_otherwise(alice: User, weather: OutboundApi) -> None:
    browser, before = logged_in(alice), weather.recipe()
    form = form_of(browser.get(address(weather)))
    rows = address(weather, "rows/")
    forms = [form_of(browser.post(rows, form | {"remove_row": f"headers-{number}"})) for number in range(2)]
    back = form_of(browser.post(rows, forms[0] | {"undo_row": "headers-0"}))

    browser.post(address(weather), back)
    with_it = OutboundApi.objects.get().recipe()
    browser.post(address(weather), forms[0])

    assert with_it == before
    assert OutboundApi.objects.get().recipe().headers == before.headers[1:]


def test_a_removed_row_that_is_wrong_does_not_stop_saving(alice: User) -> None:
    wrong = {"headers-0-name": "no name", "headers-0-value": "1", "headers-0-DELETE": "on", "headers-1-name": "X-Ok"}

    logged_in(alice).post(f"{PAGE}new/", GET | wrong)

    assert [header.name for header in OutboundApi.objects.get().recipe().headers] == ["X-Ok"]


def test_a_blank_row_leaves_nothing_to_bring_back(alice: User) -> None:
    browser = logged_in(alice)
    added = form_of(browser.post(f"{PAGE}new/rows/", GET | {"add_row": "headers"}))

    removed = browser.post(f"{PAGE}new/rows/", added | {"remove_row": "headers-0"})

    assert (form_of(removed)["headers-TOTAL_FORMS"], "is removed" in words(removed)) == ("0", False)


@pytest.mark.parametrize("total", ["", "-1", "1.0", "x", "99999999999", None])
def test_rows_are_read_without_a_sound_number_of_them(alice: User, total: str | None) -> None:
    number = {} if total is None else {"parameters-TOTAL_FORMS": total}

    logged_in(alice).post(f"{PAGE}new/", GET | ROW | number)

    assert [part.name for part in OutboundApi.objects.get().recipe().parameters] == ["page"]


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


def test_a_curl_command_is_read_into_the_editor_unsaved(alice: User) -> None:
    command = "curl -k https://api.example.com/orders?a=1 -H 'Authorization: Bearer abc'"

    response = logged_in(alice).post(f"{PAGE}import/", {"command": command})

    form = form_of(response)
    assert (form["url"], form["parameters-0-value"]) == ("https://api.example.com/orders", "1")
    assert (form["headers-0-value"], form["headers-0-is_secret"]) == ("Bearer abc", "on")
    assert "Read Method: GET URL: https://api.example.com/orders 1 parameter 1 header Left out" in words(response)
    assert "Left out --insecure is left out: certificates are always checked." in words(response)
    assert 'action="/developers/third-party-apps-api/new/"' in response.content.decode()
    assert not OutboundApi.objects.exists()


def test_what_needs_a_hand_stands_beside_the_call(alice: User) -> None:
    response = logged_in(alice).post(f"{PAGE}import/", {"command": 'curl a.test/{id} -H "X-Key: $KEY"'})

    assert "Needs your hand Replace these shell variables by values: $KEY. The URL begins with" in words(response)
    assert "Replace these parts of the URL by values: {id}." in words(response)
    assert "Left out" not in words(response)


def test_a_command_that_cannot_be_read_stays_with_the_reason(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.post(f"{PAGE}import/", {"command": "curl -d @secret https://api.example.com"})

    assert "Files are not read: paste the body itself in its place." in words(response)
    assert "curl -d @secret https://api.example.com</textarea>" in response.content.decode()
    assert "Paste a call, such as a curl command." in words(browser.post(f"{PAGE}import/", {"command": ""}))
