"""The reference of the API: samples with the reader's own ids, in a language, and running an operation."""

import gzip
import json
import re
from urllib.parse import urlencode

import pytest
from django.test import Client as Browser

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.api.fields import ID_EXAMPLE
from botpenguin.platform.models import Bot
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from developers.snippets import COOKIE, Language
from tests.cast import logged_in, reauthenticate, token_events, token_text
from tests.developers.views.test_weight import LINKED, loaded
from tests.platform.calls import contact_of

pytestmark = [pytest.mark.django_db, pytest.mark.matrix]

PAGE = "/api/v7/docs"
RUN = "/developers/api-access-token/run/"
AS_SCRIPT = {"Accept": "application/json"}
MOST = 60 * 1024


def page_for(browser: Browser, query: str = "", **headers: str) -> str:
    return browser.get(PAGE + query, headers=headers).content.decode()


def test_samples_name_the_readers_newest_objects(alice: User, bob: User) -> None:
    bots = [Bot.objects.create(owner=alice, name=name, platform="website") for name in ("Older", "Newest")]
    contact = contact_of(alice)
    api = OutboundApi.objects.make(alice, "Weather", Recipe("GET", "https://api.example/"))
    others = [Bot.objects.create(owner=bob, name="Bob's", platform="sms"), contact_of(bob)]

    page = page_for(logged_in(alice))

    assert f"/bots/{bots[1].pk}" in page
    assert f"/inbox/users/{contact.pk}" in page
    assert f"/inbox/users/import?botId={bots[1].pk}" in page
    assert f"/third-party-apis/{api.pk}/run" in page
    assert f"&quot;contactId&quot;: &quot;{contact.pk}&quot;" in page
    assert re.search(rf"&quot;ids&quot;: \[\s+&quot;{contact.pk}&quot;", page)
    assert not any(other.pk in page for other in [bots[0], *others])
    assert token_text(alice) not in page


@pytest.mark.parametrize("is_logged_in", [False, True])
def test_without_objects_samples_name_the_example(alice: User, is_logged_in: bool) -> None:
    page = page_for(logged_in(alice) if is_logged_in else Browser())

    assert f"/inbox/users/{ID_EXAMPLE}" in page
    assert "The samples name your own" not in page
    assert ("Run with my token" in page) is is_logged_in


@pytest.mark.parametrize("language", Language)
def test_a_language_is_chosen_by_a_link_and_remembered(language: Language) -> None:
    browser = Browser()

    chosen = page_for(browser, f"?language={language}")

    assert f"Request in {language.label}" in chosen
    assert browser.cookies[COOKIE].value == language
    assert f"Request in {language.label}" in page_for(browser)


@pytest.mark.parametrize("asked", ["", "cobol", "Python", "../bash", "<b>", "é", "bash\0", "bash bash"])
def test_another_word_is_no_language(asked: str) -> None:
    browser = Browser()

    response = browser.get(PAGE, {"language": asked})

    assert "Request in Bash" in response.content.decode()
    assert COOKIE not in response.cookies


def test_windows_reads_powershell_first() -> None:
    assert "Request in PowerShell" in page_for(Browser(), **{"User-Agent": "Mozilla/5.0 (Windows NT 10.0)"})


def test_the_page_with_all_that_it_loads_is_within_60_kb(alice: User) -> None:
    page = page_for(logged_in(alice), "?language=python")

    sizes = [len(gzip.compress(text)) for text in [page.encode(), *loaded(LINKED.findall(page))]]
    assert sum(sizes) < MOST, sizes


def test_every_operation_but_the_end_of_the_token_is_run_with_it(alice: User) -> None:
    page = page_for(logged_in(alice))

    offered = re.findall(r'name="operation" value="(\w+)"', page)

    listed = [operation for described in reference.groups().values() for operation in described]
    assert offered == [operation.id for operation in listed if operation.needs_token and operation.id != "revoke_token"]
    assert len(offered) == len(listed) - 2


def test_running_takes_the_token_and_is_recorded(alice: User) -> None:
    answer = logged_in(alice).post(RUN, {"operation": "read_bot"}, headers=AS_SCRIPT)

    assert json.loads(answer.content) == {"token": token_text(alice)}
    assert token_events().filter(kind="token-tried").count() == 1


def test_running_without_the_script_leads_back_and_gives_nothing(alice: User) -> None:
    answer = logged_in(alice).post(RUN, {"operation": "read_bot"})

    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    assert not token_events().filter(kind="token-tried").exists()


@pytest.mark.parametrize("asked", ["read_bot", "", "x" * 300, "//evil.example", "a\r\nb: c", "?next=//evil.example"])
def test_an_old_log_in_is_asked_who_it_is_and_comes_back_to_the_operation(alice: User, asked: str) -> None:
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=86_400)

    answer = browser.post(RUN, {"operation": asked}, headers=AS_SCRIPT)

    back = f"{PAGE}?{urlencode({'confirmed': asked[:60]})}" if asked else PAGE
    assert answer["HX-Redirect"] == f"/account/reauthenticate/?{urlencode({'next': back})}"
    assert b"bpat_" not in answer.content


def test_back_from_the_reauthentication_the_operation_is_open(alice: User) -> None:
    page = page_for(logged_in(alice), "?confirmed=read_bot")

    [operation] = re.findall(
        r'<div class="operation" id="read_bot">\s*<details open>.*?Confirmed\. Send again\.', page, re.DOTALL
    )
    assert operation.count("<details") == 2
    assert page.count("Confirmed. Send again.") == 1
