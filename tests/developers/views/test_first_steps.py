"""Get started: which steps are done, and the choice of a language, without a browser."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.events import SecurityEvent
from accounts.models import Session, User
from accounts.security_log import Kind
from developers import usage
from developers.issuance import reveal, revoke
from developers.models import ApiToken, RevokedToken
from developers.programs import BROWSER, OTHERS, UNNAMED
from developers.snippets import COOKIE
from tests.cast import LAPTOP, PHONE, logged_in, token_events
from tests.developers.uses import add_use
from tests.developers.views.token_page import HTMX, PAGE, text

pytestmark = pytest.mark.matrix

STEPS, LANGUAGE = f"{PAGE}steps/", f"{PAGE}language/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def states(response: Any) -> list[str]:
    """Return what is said of each step, without its title."""
    heads = re.findall(r'<div id="step-\d".*?</div>', response.content.decode(), re.DOTALL)
    words = [
        " ".join(re.sub(r"<svg.*?</svg>|<h3.*?</h3>|<[^>]+>", " ", head, flags=re.DOTALL).split()) for head in heads
    ]
    return [re.sub(r"^\d |\d\d:\d\d", lambda found: "" if found[0].endswith(" ") else "HH:MM", each) for each in words]


def fill_in(owner: User, generation: int | str = 1, **query: str) -> Any:
    return logged_in(owner).get(STEPS, {"generation": str(generation)} | query, headers=HTMX)


def call(owner: User, agent: str = "httpx/0.28") -> None:
    """Record the use of a token that is not listed by program yet."""
    ApiToken.objects.filter(user=owner).update(last_used_at=timezone.now(), last_used_client=agent)


def is_shown(owner: User) -> bool:
    page = text(logged_in(owner).get(PAGE))
    assert ("Get started" in page) is ("Put your token into BOTPENGUIN_TOKEN first." not in page)
    return "Copy the token" in page


def test_a_new_token_has_four_steps_to_go(alice: User) -> None:
    page = logged_in(alice).get(PAGE)

    assert states(page) == ["Not done yet"] * 4
    assert "0 of 4 steps done" in text(page)
    assert page.content.decode().count('aria-current="step"') == 1
    assert '<div id="step-1" class="step__head" aria-current="step">' in page.content.decode()


@pytest.mark.parametrize(
    ("kind", "state"),
    [(Kind.TOKEN_COPIED, "Done: copied at HH:MM"), (Kind.TOKEN_SHOWN, "Done: shown at HH:MM")],
)
def test_a_token_that_was_copied_or_shown_ticks_the_first_step(alice: User, bob: User, kind: Kind, state: str) -> None:
    reveal(alice, kind, LAPTOP)

    both = [logged_in(alice).get(PAGE), fill_in(alice)]

    assert [states(page) for page in both] == [[state, *["Not done yet"] * 3]] * 2
    assert states(fill_in(bob)) == ["Not done yet"] * 4


@pytest.mark.parametrize("kind", [Kind.TOKEN_TRIED, Kind.TOKEN_ISSUED, Kind.TOKEN_REVOKED])
def test_what_is_no_copy_ticks_nothing(alice: User, kind: Kind) -> None:
    SecurityEvent.objects.create(user=alice, kind=kind, hint="abcd", generation=1)

    assert states(fill_in(alice)) == ["Not done yet"] * 4


def test_a_copy_of_a_token_of_before_ticks_nothing(alice: User) -> None:
    reveal(alice, Kind.TOKEN_COPIED, LAPTOP)
    revoke(alice, 1, LAPTOP, even_if_used=False)

    assert states(logged_in(alice).get(PAGE)) == states(fill_in(alice, 2)) == ["Not done yet"] * 4


def test_a_copied_command_ticks_the_second_step_on_the_open_page_alone(alice: User) -> None:
    on_the_page, reloaded = fill_in(alice, copied="on"), logged_in(alice).get(PAGE)

    assert states(on_the_page)[1] == "Done: command copied"
    assert states(reloaded)[1] == "Not done yet"


@pytest.mark.parametrize(
    ("agent", "variable"),
    [
        ("httpx/0.28", "Done: a program has it"),
        ("", "Done: a program has it"),
        (FIREFOX, "Not done yet"),
    ],
)
def test_a_call_that_is_not_listed_yet_ticks_the_third_step(alice: User, agent: str, variable: str) -> None:
    call(alice, agent)

    both = [logged_in(alice).get(PAGE), fill_in(alice)]

    assert [states(page) for page in both] == [
        ["Not done yet", variable, "Done: accepted at HH:MM", "Not done yet"]
    ] * 2
    assert all("A call appears here within a minute." in text(page) for page in both)
    assert "Last used Just now" in text(both[1]).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("program", "name", "variable"),
    [
        ("python-httpx", "python-httpx", "Done: a program has it"),
        (UNNAMED, "Unnamed program", "Done: a program has it"),
        (OTHERS, "Other programs", "Done: a program has it"),
        (BROWSER, "Web browser", "Not done yet"),
        ("<b>curl</b>", "<b>curl</b>", "Done: a program has it"),
    ],
)
def test_a_listed_use_ticks_the_last_step(alice: User, program: str, name: str, variable: str) -> None:
    call(alice, "")
    add_use(alice, program)

    page = fill_in(alice)

    assert states(page)[1:3] == [variable, "Done: accepted at HH:MM"]
    assert re.search(rf"See the use here Done: {re.escape(name)} from 192\.0\.2\.1 at \d\d:\d\d", text(page))
    assert "<b>" not in page.content.decode()
    assert '<section id="used-by"' in page.content.decode()


def test_the_program_is_named_before_the_browser_that_tried_the_token(alice: User) -> None:
    add_use(alice, BROWSER, ago=timedelta(minutes=2))
    add_use(alice, "n8n", ago=timedelta(minutes=1))
    add_use(alice, "curl")

    assert "Done: n8n from 192.0.2.1" in text(fill_in(alice))


@pytest.mark.parametrize("row", [{"refused": 3}, {"generation": 2}])
def test_a_refused_call_and_one_with_another_token_tick_nothing(alice: User, row: dict[str, Any]) -> None:
    add_use(alice, "n8n", **row)

    assert states(fill_in(alice)) == ["Not done yet"] * 4


def test_uses_of_somebody_else_tick_nothing(alice: User, bob: User) -> None:
    call(bob)
    add_use(bob, "n8n")
    reveal(bob, Kind.TOKEN_COPIED, PHONE)

    assert states(fill_in(alice)) == states(logged_in(alice).get(PAGE)) == ["Not done yet"] * 4


def test_a_page_whose_steps_are_all_done_asks_no_more(alice: User) -> None:
    reveal(alice, Kind.TOKEN_COPIED, LAPTOP)
    unfinished = fill_in(alice).content.decode()
    call(alice)
    add_use(alice, "n8n")

    finished = fill_in(alice)

    assert ("data-hx-get" in unfinished, "data-hx-get" in finished.content.decode()) == (True, False)
    assert "All four steps are done." in text(finished)
    assert "aria-current" not in finished.content.decode()


def test_the_open_page_gets_changed_steps_only(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = logged_in(alice)
    [seen] = re.findall(r'name="seen" value="(\w+)"', browser.get(PAGE).content.decode())
    with django_assert_num_queries(5):
        same = browser.get(STEPS, {"generation": 1, "seen": seen}, headers=HTMX)
    call(alice)

    changed = browser.get(STEPS, {"generation": 1, "seen": seen}, headers=HTMX)
    [seen] = re.findall(r'name="seen" value="(\w+)"', changed.content.decode())
    ApiToken.objects.update(last_used_at=timezone.now() + timedelta(minutes=1))
    again = browser.get(STEPS, {"generation": 1, "seen": seen}, headers=HTMX)

    assert (same.status_code, same.content) == (204, b"")
    assert (changed.status_code, "no-store" in changed["Cache-Control"]) == (200, True)
    assert again.status_code == 204


@pytest.mark.parametrize("generation", ["2", "", "x", "01", "1" * 400, "-1", "1\0"])
def test_a_page_that_shows_another_token_gets_nothing(alice: User, generation: str) -> None:
    reveal(alice, Kind.TOKEN_COPIED, LAPTOP)

    assert fill_in(alice, generation).status_code == 204


def test_asking_for_the_steps_is_no_activity_and_prolongs_no_session(alice: User) -> None:
    browser = logged_in(alice)
    Session.objects.update(last_seen_at=timezone.now() - timedelta(hours=1))
    before, events = Session.objects.values().get(), token_events().count()

    response = browser.get(STEPS, {"generation": 1}, headers=HTMX)

    assert (response.status_code, response.cookies) == (200, {})
    assert (Session.objects.values().get(), token_events().count()) == (before, events)


def test_without_a_script_the_address_of_the_steps_leads_to_the_page(alice: User) -> None:
    response = logged_in(alice).get(STEPS)

    assert (response.status_code, response["Location"]) == (302, PAGE)


def test_the_page_of_a_new_token_takes_five_queries(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)

    with django_assert_num_queries(5):
        browser.get(PAGE)


def test_the_steps_are_shown_until_a_use_is_listed(alice: User, bob: User) -> None:
    add_use(bob, "n8n")
    shown = [is_shown(alice)]
    call(alice)
    shown.append(is_shown(alice))
    add_use(alice, "n8n")
    shown.append(is_shown(alice))

    assert shown == [True, True, False]


def test_a_use_that_is_listed_no_more_is_no_first_one(alice: User) -> None:
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=3))

    assert not is_shown(alice)


@pytest.mark.parametrize("is_used", [True, False])
def test_after_a_revoke_the_steps_return_only_to_those_who_used_no_token(alice: User, is_used: bool) -> None:
    if is_used:
        call(alice)
    revoke(alice, 1, LAPTOP, even_if_used=True)

    assert is_shown(alice) is not is_used


def test_a_token_of_before_that_was_only_refused_was_in_use_too(alice: User) -> None:
    revoke(alice, 1, LAPTOP, even_if_used=True)
    usage.record_refusals(RevokedToken.objects.get().pk, 1, PHONE)

    assert not is_shown(alice)


@pytest.mark.parametrize("language", ["bash", "powershell", "python", "javascript"])
def test_the_chosen_language_is_remembered_for_a_year(alice: User, language: str) -> None:
    browser = logged_in(alice)

    response = browser.post(LANGUAGE, {"language": language})

    assert (response.status_code, response["Location"]) == (302, f"{PAGE}#commands")
    cookie = response.cookies[COOKIE]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == (language, 365 * 24 * 3600, "/")
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    page = browser.get(PAGE).content.decode()
    assert re.findall(r'value="(\w+)" aria-pressed="true"', page) == [language]


@pytest.mark.parametrize("form", [{}, {"language": ""}, {"language": "perl"}, {"language": "bash\0"}])
def test_a_language_that_there_is_not_changes_nothing(alice: User, form: dict[str, str]) -> None:
    response = logged_in(alice).post(LANGUAGE, form)

    assert (response.status_code, response.cookies) == (302, {})


def test_the_choice_stays_on_the_page_of_a_used_token(alice: User) -> None:
    add_use(alice, "n8n")
    browser = logged_in(alice)
    browser.post(LANGUAGE, {"language": "powershell"})

    page = text(browser.get(PAGE))

    assert "Invoke-RestMethod https://app.example.com/api/v7/token -Headers @{" in page
    assert "curl https://" not in page


def test_the_page_of_a_new_token_draws_the_commands_once(alice: User) -> None:
    page = text(logged_in(alice).get(PAGE))

    assert page.count("curl https://app.example.com/api/v7/token") == 1
    assert page.count("Try it") == page.count("Try it now") == 1
