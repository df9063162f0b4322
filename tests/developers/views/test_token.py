"""The token page and its actions, without a browser."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import security_log
from accounts.models import User
from accounts.security_log import Kind
from developers.issuance import revoke
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE, logged_in, token_events, token_text
from tests.developers.views.token_page import HTMX, JSON, PAGE, TOKEN, text, use

pytestmark = pytest.mark.matrix


def test_the_first_visit_makes_a_token(db: None) -> None:
    newcomer = User.objects.create_user("carol@example.com", "a password of hers")

    response = logged_in(newcomer).get(PAGE)

    assert ApiToken.objects.get().mask in response.content.decode()
    assert list(token_events().values_list("user", "kind")) == [(newcomer.pk, "token-issued")]


def test_the_page_holds_the_mask_and_no_token(alice: User, bob: User) -> None:
    response = logged_in(alice).get(PAGE)

    assert TOKEN.findall(response.content.decode()) == []
    assert f">{alice.api_token.mask}</textarea>" in response.content.decode()
    assert "bob@example.org" not in response.content.decode()
    assert bob.api_token.hint not in text(response)


def test_browsers_neither_fill_in_nor_offer_to_save_the_token(alice: User) -> None:
    page = logged_in(alice).get(PAGE).content.decode()

    assert re.findall(r'<textarea id="token"[^>]* readonly [^>]* autocomplete="(\w+)"', page) == ["off"]
    assert 'type="password"' not in page


def test_the_page_is_kept_by_no_cache(alice: User) -> None:
    response = logged_in(alice).get(PAGE)

    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"


def test_the_page_takes_six_queries(alice: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    browser = logged_in(alice)
    for generation in range(1, 4):
        revoke(alice, generation, LAPTOP, even_if_used=True)

    with django_assert_num_queries(6):
        browser.get(f"{PAGE}?replaced=3")


def test_the_snippet_names_the_public_address_whatever_the_host(alice: User) -> None:
    response = logged_in(alice).get(PAGE, headers={"Host": "127.0.0.1"})

    assert 'curl https://app.example.com/api/v7/token \\ -H "Authorization: Bearer $BOTPENGUIN_TOKEN"' in text(
        response
    ).replace("&quot;", '"')


def test_a_used_token_says_when_from_where_and_by_what(alice: User) -> None:
    use(alice)

    response = logged_in(alice).get(PAGE)

    assert "Last used 3 minutes ago from 203.0.113.9 by python-requests 2.32" in text(response).replace("\xa0", " ")


def test_activity_lists_the_latest_ten_newest_first(alice: User) -> None:
    for generation in range(1, 7):
        revoke(alice, generation, PHONE, even_if_used=True)

    rows = logged_in(alice).get(PAGE).context["events"]

    expected = token_events().filter(user=alice)[:10]
    assert [(event.at, event.hint) for _, event in rows] == [(event.at, event.hint) for event in expected]
    assert [word for word, _ in rows] == ["Issued", "Revoked"] * 5


def test_activity_is_that_of_people_however_many_calls_of_programs_were_refused(alice: User) -> None:
    revoke(alice, 1, LAPTOP, even_if_used=True)
    for _ in range(11):
        security_log.add(
            Kind.TOKEN_REFUSED, alice.pk, PHONE, hint="abcd", generation=1, at=timezone.now() + timedelta(minutes=1)
        )

    rows = logged_in(alice).get(PAGE).context["events"]

    assert [(word, event.ip) for word, event in rows] == [
        *(("Issued", LAPTOP.ip), ("Revoked", LAPTOP.ip), ("Issued", LAPTOP.ip))
    ]


@pytest.mark.parametrize("action", ["show", "copy", "try", "revoke"])
def test_an_action_takes_only_post_and_a_get_changes_nothing(alice: User, action: str) -> None:
    response = logged_in(alice).get(f"{PAGE}{action}/")

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "open this page directly" in text(response)
    assert list(token_events().values_list("kind", flat=True)) == ["token-issued"]


@pytest.mark.parametrize("action", ["show", "copy", "try", "revoke"])
def test_a_forged_form_meets_our_page_with_a_way_back(alice: User, action: str) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies = logged_in(alice).cookies

    response = browser.post(f"{PAGE}{action}/", {"generation": 1, "csrfmiddlewaretoken": "forged"})

    assert response.status_code == 403
    assert "This form is out of date" in text(response)
    assert f'href="{PAGE}"' in response.content.decode()
    assert list(token_events().values_list("kind", flat=True)) == ["token-issued"]


def test_show_by_htmx_draws_the_box_and_updates_the_live_region(alice: User) -> None:
    response = logged_in(alice).post(f"{PAGE}show/", headers=HTMX)

    assert response.content.decode().strip().startswith('<div id="token-box" class="token-box" data-shown>')
    assert '<p id="token-status" data-hx-swap-oob="innerHTML">' in response.content.decode()
    assert f">{token_text(alice)}</textarea>" in response.content.decode()


@pytest.mark.parametrize("action", ["show", "copy"])
def test_a_plain_form_promises_no_hiding_that_only_a_script_could_do(alice: User, action: str) -> None:
    response = logged_in(alice).post(f"{PAGE}{action}/")

    assert "Shown until you leave this page." in text(response)
    assert "Hides again" not in text(response)
    assert "The token is selected" not in text(response)


@pytest.mark.parametrize(("headers", "kind"), [(JSON, "token-copied"), (HTMX, "token-shown"), ({}, "token-shown")])
def test_a_token_that_is_drawn_to_be_copied_by_hand_is_recorded_as_shown(
    alice: User, headers: dict[str, str], kind: str
) -> None:
    logged_in(alice).post(f"{PAGE}copy/", headers=headers)

    assert list(token_events().values_list("kind", flat=True)) == [kind, "token-issued"]


@pytest.mark.parametrize("action", ["show", "copy"])
def test_a_token_that_cannot_be_read_is_refused_with_a_sentence(alice: User, action: str) -> None:
    browser = logged_in(alice)
    ApiToken.objects.update(ciphertext="damaged")

    by_htmx, by_script, by_form = (browser.post(f"{PAGE}{action}/", headers=headers) for headers in (HTMX, JSON, {}))

    assert [response.status_code for response in (by_htmx, by_script, by_form)] == [409, 409, 409]
    assert (by_htmx["HX-Retarget"], "This token can no longer be shown" in text(by_htmx)) == ("#panel", True)
    assert by_script.json() == {"message": "This token can no longer be read. Revoke it to get a new one."}
    assert "This token can no longer be shown" in text(by_form)


def test_swapped_ciphertexts_show_neither_token(alice: User, bob: User) -> None:
    mine, other = alice.api_token, bob.api_token
    ApiToken.objects.filter(user=alice).update(ciphertext=other.ciphertext)
    ApiToken.objects.filter(user=bob).update(ciphertext=mine.ciphertext)

    responses = [logged_in(person).post(f"{PAGE}show/") for person in (alice, bob)]

    assert [TOKEN.findall(response.content.decode()) for response in responses] == [[], []]


def test_a_revoked_token_that_is_still_tried_is_shown(alice: User) -> None:
    revoke(alice, 1, LAPTOP, even_if_used=True)
    RevokedToken.objects.update(
        refused_count=12, last_refused_at=timezone.now(), last_refused_ip="198.51.100.24", last_refused_client="n8n"
    )

    response = logged_in(alice).get(PAGE)

    assert re.search(
        r"Still in use somewhere The token ending \w{4} , revoked today at \d\d:\d\d, was refused at least 12 times\. "
        r"The last call came today at \d\d:\d\d from 198\.51\.100\.24 by n8n \. Put the new token there\.",
        text(response),
    )


@pytest.mark.no_cover
@pytest.mark.parametrize("still_tried", [2, 20])
def test_several_revoked_tokens_that_are_still_tried_are_one_line_that_unfolds(alice: User, still_tried: int) -> None:
    for generation in range(1, still_tried + 1):
        revoke(alice, generation, LAPTOP, even_if_used=True)
        now = timezone.now()
        RevokedToken.objects.filter(generation=generation).update(refused_count=1, last_refused_at=now)
    hints = list(RevokedToken.objects.order_by("-generation").values_list("hint", flat=True))

    page = logged_in(alice).get(PAGE)

    shown = text(page).partition("Still in use somewhere")[2].partition("Try it")[0]
    assert shown.startswith(f" {still_tried} revoked tokens were refused within the last week ")
    assert re.findall(r"The token ending (\w{4}) ,", shown) == hints
    assert page.content.decode().count('<details class="still-in-use__others">') == 1


def test_a_refusal_of_long_ago_is_not_shown(alice: User) -> None:
    revoke(alice, 1, LAPTOP, even_if_used=True)
    RevokedToken.objects.update(refused_count=12, last_refused_at=timezone.now() - timedelta(days=8))

    response = logged_in(alice).get(PAGE)

    assert "Still in use somewhere" not in text(response)


def test_logging_out_has_the_browser_forget_the_pages(alice: User) -> None:
    response = logged_in(alice).post("/account/logout/")

    assert (response.status_code, response["Clear-Site-Data"]) == (302, '"cache"')
