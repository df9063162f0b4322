"""The question before a revoke, and the list of who has moved after it, without a browser."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Session, User
from developers.issuance import revoke
from developers.models import ApiToken, ProgramLabel, RevokedToken
from tests.cast import LAPTOP, logged_in, token_events
from tests.developers.uses import add_use
from tests.developers.views.token_page import HTMX, PAGE, text, use

pytestmark = pytest.mark.matrix
MOVED, DISMISS = f"{PAGE}moved/", f"{PAGE}moved/dismiss/"
HOSTILE = "<b>curl</b> https://evil.example"


def replaced(owner: User, *programs: str) -> None:
    """Have programs use the first token, then revoke it."""
    for program in programs:
        add_use(owner, program, ago=timedelta(hours=1))
    revoke(owner, 1, LAPTOP, even_if_used=True)


def test_the_question_names_the_programs_that_will_be_refused(alice: User) -> None:
    use(alice)
    for place, program in enumerate(["n8n", "curl", HOSTILE, "httpx", "requests", "Zapier", "Make"]):
        add_use(alice, program, ago=timedelta(seconds=place))

    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1}, headers=HTMX)

    page = response.content.decode()
    assert "7 programs will be refused at once. A new token takes the old one's place. n8n last called " in text(
        response
    )
    assert "requests last called" in text(response)
    assert "Zapier" not in page
    assert "and 2 others Keep this token" in text(response)
    assert '<p id="consequence">' in page
    assert '<button class="button button--danger" aria-describedby="consequence">' in page
    assert HOSTILE not in page
    assert '<a href="https://evil' not in page
    assert ApiToken.objects.get(user=alice).generation == 1


def test_the_question_about_one_program_is_in_the_singular_on_a_page_too(alice: User) -> None:
    use(alice)
    add_use(alice, "n8n")

    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1})

    assert "One program will be refused at once." in text(response)


def test_the_response_to_a_revoke_lists_who_has_to_move(alice: User) -> None:
    use(alice)
    add_use(alice, "n8n")

    response = logged_in(alice).post(f"{PAGE}revoke/", {"generation": 1, "even_if_used": "on"}, headers=HTMX)

    assert "0 of 1 have moved. n8n 192.0.2.1 not seen since" in text(response)


def test_the_page_shows_the_state_of_each(alice: User) -> None:
    replaced(alice, "n8n", HOSTILE, "silent")
    ProgramLabel.objects.create(user=alice, program="silent", label="<i>Nightly</i>")
    add_use(alice, "n8n", generation=2)
    add_use(alice, HOSTILE, refused=1234)

    response = logged_in(alice).get(PAGE)

    clock = timezone.now().strftime("%H:%M")[:3]
    assert "1 of 3 have moved." in text(response)
    assert f"{HOSTILE} 192.0.2.1 still sends the old token (1,234 refused, last {clock}" in text(response)
    assert "<i>Nightly</i> silent 192.0.2.1 not seen since n8n 192.0.2.1 works with the new one since" in text(response)
    assert HOSTILE not in response.content.decode()
    assert "<i>" not in response.content.decode()
    assert "Still in use somewhere" not in text(response)


def test_the_list_is_gone_once_all_have_moved(alice: User) -> None:
    replaced(alice, "n8n")
    add_use(alice, "n8n", generation=2)

    assert "have moved" not in text(logged_in(alice).get(PAGE))


def test_more_than_ten_are_folded(alice: User) -> None:
    replaced(alice, *(f"program {place}" for place in range(12)))

    response = logged_in(alice).get(PAGE)

    assert "0 of 12 have moved." in text(response)
    assert "And 2 others program" in text(response)


def test_the_open_page_gets_a_changed_list_only(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    replaced(alice, "n8n")
    browser = logged_in(alice)
    seen = browser.get(PAGE).context["replacement"].version
    with django_assert_num_queries(5):
        same = browser.get(MOVED, {"seen": seen}, headers=HTMX)
    add_use(alice, "n8n", generation=2)

    changed = browser.get(MOVED, {"seen": seen}, headers=HTMX)

    assert (same.status_code, same.content) == (204, b"")
    assert (changed.status_code, "no-store" in changed["Cache-Control"]) == (200, True)
    assert changed.content.decode().strip().startswith('<ul id="movers" class="movers" role="list">')
    assert '<p id="movers-count" data-hx-swap-oob="innerHTML">' in changed.content.decode()
    assert "It has moved." in text(changed)


def test_asking_for_the_list_is_no_activity_and_prolongs_no_session(alice: User) -> None:
    replaced(alice, "n8n")
    browser = logged_in(alice)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Session.objects.update(last_seen_at=an_hour_ago)
    before, events = Session.objects.values().get(), token_events().count()

    response = browser.get(MOVED, headers=HTMX)

    assert (response.status_code, response.cookies) == (200, {})
    assert (Session.objects.values().get(), token_events().count()) == (before, events)
    browser.get(PAGE)
    assert Session.objects.get().last_seen_at > an_hour_ago


def test_without_a_script_the_address_of_the_list_leads_to_the_page(alice: User) -> None:
    response = logged_in(alice).get(MOVED)

    assert (response.status_code, response["Location"]) == (302, PAGE)


def test_nobody_gets_the_list_of_somebody_else(alice: User, bob: User) -> None:
    replaced(alice, "n8n")

    assert logged_in(bob).get(MOVED, headers=HTMX).status_code == 204


@pytest.mark.parametrize("headers", [HTMX, {}])
def test_the_list_can_be_dismissed(alice: User, bob: User, headers: dict[str, str]) -> None:
    for owner in (alice, bob):
        replaced(owner, "n8n")
    browser = logged_in(alice)
    page = browser.get(PAGE).content.decode()

    response = browser.post(DISMISS, {"generation": 1}, headers=headers, follow=True)

    assert '<input type="hidden" name="generation" value="1">' in page
    assert "have moved" not in text(response)
    assert "have moved" in text(logged_in(bob).get(PAGE))


@pytest.mark.parametrize("generation", ["", "x", "0", "9" * 30])
def test_a_made_up_generation_dismisses_nothing(alice: User, generation: str) -> None:
    replaced(alice, "n8n")

    logged_in(alice).post(DISMISS, {"generation": generation})

    assert RevokedToken.objects.get().list_dismissed_at is None
