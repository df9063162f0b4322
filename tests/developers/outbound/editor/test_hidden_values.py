"""Hidden values are never shown again, and are sent only to the server that they were typed for."""

import secrets

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.editor.drafts import reference
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import RecipeField
from tests.cast import logged_in
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.views.pages import GET, PAGE, address, form_of, words

pytestmark = pytest.mark.matrix


def test_no_secret_is_in_the_page_and_saving_keeps_each(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    before = weather.recipe()

    shown = browser.get(address(weather))
    saved = browser.post(address(weather), form_of(shown) | {"name": "Weather now"}, follow=True)

    weather.refresh_from_db()
    assert [text in page.content.decode() for page in (shown, saved) for text in (SECRET, "&quot;{{name}}")] == [
        False
    ] * 4
    assert words(shown).count("Hidden. Type a new value to replace it.") == 3
    assert (weather.name, weather.recipe()) == ("Weather now", before)


def test_a_reference_in_the_page_depends_on_the_key_of_the_server(weather: OutboundApi, settings: Settings) -> None:
    before = reference(weather, "body", SECRET)

    settings.SECRET_KEY = secrets.token_urlsafe(48)

    assert reference(weather, "body", SECRET) != before


def test_a_new_value_takes_the_place_of_a_hidden_one(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    form = form_of(browser.get(address(weather)))

    browser.post(address(weather), form | {"headers-0-value": "Bearer new", "body": "{}", "parameters-1-value": "s"})

    weather.refresh_from_db()
    recipe = weather.recipe()
    assert (recipe.headers[0].value, recipe.body, recipe.parameters[1].value) == ("Bearer new", "{}", "s")


def test_a_hidden_value_is_not_shown_by_taking_the_tick_away(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    form = form_of(browser.get(address(weather)))
    del form["parameters-1-is_secret"], form["body_is_secret"]

    response = browser.post(address(weather), form)

    assert words(response).count("Type it again to show it from now on.") == 2
    assert SECRET not in response.content.decode()


def test_a_hidden_value_that_was_changed_elsewhere_is_asked_for_again(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    form = form_of(browser.get(address(weather)))
    browser.post(address(weather), form | {"headers-0-value": "Bearer new"})

    response = browser.post(address(weather), form)

    assert "The hidden value is gone" in words(response)


OTHER_SERVERS = ["https://elsewhere.example.com/x", "http://api.example.com/x", "https://api.example.com:8443/x"]
BLANKS_AROUND = [
    *(f"{blank}https://elsewhere.example.com/x" for blank in (" ", "\t", "\n", "\x1f", "\xa0", "\u2003")),
    *("https://elsewhere.example.com/x ", "\x1f https://elsewhere.example.com/?a=1\u2003"),
]


@pytest.mark.parametrize(
    ("action", "url"),
    [
        *(("", url) for url in (*OTHER_SERVERS, BLANKS_AROUND[-1])),
        ("test/", OTHER_SERVERS[0]),
        *(pytest.param("", url, marks=pytest.mark.release) for url in BLANKS_AROUND[:-1]),
        *(pytest.param("test/", url, marks=pytest.mark.release) for url in (*OTHER_SERVERS[1:], *BLANKS_AROUND)),
    ],
)
def test_hidden_values_go_to_no_other_server_than_they_were_typed_for(
    alice: User, weather: OutboundApi, action: str, url: str
) -> None:
    browser = logged_in(alice)
    before = weather.recipe()
    form = form_of(browser.get(address(weather)))
    samples = {"sample-city": "Oslo", "sample-name": "Oslo"}

    response = browser.post(address(weather, action), form | samples | {"url": url})

    weather.refresh_from_db()
    assert words(response).count("The call goes to another server now.") == 3
    assert weather.recipe() == before
    assert not ApiLog.objects.exists()


def test_another_path_of_the_same_server_gets_the_hidden_values_too(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    form = form_of(browser.get(address(weather)))

    browser.post(address(weather), form | {"url": " https://API.example.com:443/towns/{{city}}\t"})

    weather.refresh_from_db()
    assert weather.recipe().url == "https://API.example.com:443/towns/{{city}}"
    assert weather.recipe().headers[0].value == f"Bearer {SECRET}"


def test_typed_anew_hidden_values_go_to_another_server(alice: User, weather: OutboundApi) -> None:
    browser = logged_in(alice)
    anew = {"headers-0-value": "Bearer new", "body": "{}", "parameters-1-value": "s"}
    form = form_of(browser.get(address(weather)))

    browser.post(address(weather), form | anew | {"url": "https://elsewhere.example.com"})

    weather.refresh_from_db()
    assert (weather.recipe().url, weather.recipe().body) == ("https://elsewhere.example.com", "{}")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://elsewhere.example.com", "Only https:// and http:// can be called."),
        ("https:// elsewhere.example.com", "The URL holds a blank, a line break or an invisible character."),
        ("", "Enter the URL to call."),
    ],
)
def test_what_is_wrong_with_a_url_is_said_before_where_it_leads(
    alice: User, weather: OutboundApi, url: str, problem: str
) -> None:
    browser = logged_in(alice)
    before = weather.recipe()
    form = form_of(browser.get(address(weather)))

    response = browser.post(address(weather), form | {"url": url})

    weather.refresh_from_db()
    assert problem in words(response)
    assert "another server" not in words(response)
    assert weather.recipe() == before


def test_a_header_named_like_a_secret_is_hidden_by_itself(alice: User) -> None:
    browser = logged_in(alice)

    response = browser.post(
        f"{PAGE}new/", GET | {"headers-0-name": "X-Api-Key", "headers-0-value": "k-12345"}, follow=True
    )

    assert "k-12345" not in response.content.decode()
    assert OutboundApi.objects.get().recipe().headers == (RecipeField("X-Api-Key", "k-12345", is_secret=True),)
