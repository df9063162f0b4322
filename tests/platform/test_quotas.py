"""How much an account may hold: a request that exceeds a quota is refused, and no other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from accounts.quotas import QuotaExceeded
from botpenguin.platform.models import Bot, Segment
from developers.models import RevokedToken
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import PASSWORD, logged_in, reauthenticate, token_text
from tests.platform.calls import Caller, caller, contact_of
from tests.platform.elements import words
from tests.platform.test_bots_pages import NEW, PAGE
from tests.test_races import at_once

NEW_PASSWORD = "another good passphrase"
SHOP = {"name": "Shop", "platform": "sms"}
FULL = "You have 2 of 2 bots. Delete some to make room."


@pytest.fixture
def two_bots(alice: User, bob: User, settings: Settings) -> list[Bot]:
    """As many as the quota allows. Bob's count only for Bob."""
    settings.QUOTA_BOTS = 2
    Bot.objects.create(owner=bob, name="Night desk", platform="telegram")
    return [Bot.objects.create(owner=alice, name=f"Bot {number}", platform="sms") for number in range(2)]


def test_one_bot_too_many_is_refused_by_the_api_and_one_that_goes_makes_room(
    as_alice: Caller, as_bob: Caller, two_bots: list[Bot]
) -> None:
    refused = as_alice.refusal("POST", "/bots", SHOP)
    as_alice.data("DELETE", f"/bots/{two_bots[0].pk}")

    assert refused == (409, [f"{FULL} Nothing was changed."])
    assert as_alice.data("POST", "/bots", SHOP)["name"] == "Shop"
    assert as_bob.data("POST", "/bots", SHOP)["name"] == "Shop"


def test_the_pages_say_that_there_is_no_room_for_a_bot(alice: User, two_bots: list[Bot]) -> None:
    browser = logged_in(alice)

    refused = browser.post(NEW, SHOP)

    assert FULL in words(browser.get(PAGE))
    assert FULL in words(refused)
    assert 'value="Shop"' in refused.content.decode()
    assert alice.bots.count() == 2


def test_a_page_says_how_much_is_used_only_where_that_is_much(alice: User, settings: Settings) -> None:
    Bot.objects.bulk_create(Bot(owner=alice, **SHOP) for _ in range(4))
    browser, shown = logged_in(alice), []

    for settings.QUOTA_BOTS in (6, 5, 3):
        shown.append("You have" in words(browser.get(PAGE)))

    assert shown == [False, True, True]


@pytest.mark.django_db(transaction=True)
def test_one_of_two_requests_gets_the_last_place(alice: User, settings: Settings) -> None:
    settings.QUOTA_BOTS = 3
    Bot.objects.bulk_create(Bot(owner=alice, **SHOP) for _ in range(2))

    def make() -> bool:
        try:
            return bool(Bot.objects.make(alice.pk, **SHOP))
        except QuotaExceeded:
            return False

    assert sorted(at_once(2, make)) == [False, True]
    assert alice.bots.count() == 3


def test_one_segment_too_many_is_refused(alice: User, settings: Settings) -> None:
    settings.QUOTA_SEGMENTS = 1
    browser = logged_in(alice)
    new = {"name": "Warm", "tags": "lead"}
    browser.post("/inbox/segments/add/", new)

    refused = browser.post("/inbox/segments/add/", {"name": "Cold", "tags": "lead"})
    same = browser.post("/inbox/segments/add/", new)

    sentence = "You have 1 of 1 segment. Delete some to make room."
    assert words(refused).count(sentence) == words(browser.get("/inbox/")).count(sentence) == 1
    assert "There is a segment of this name already." in words(same)
    assert list(Segment.objects.values_list("name", flat=True)) == ["Warm"]


def test_the_contract_documents_what_a_full_account_is_answered(client: Browser) -> None:
    document = client.get("/api/v7/openapi.json").json()

    assert "the account has reached a quota" in document["components"]["responses"]["CONFLICT"]["description"]
    assert document["paths"]["/bots"]["post"]["responses"]["409"] == {"$ref": "#/components/responses/CONFLICT"}


def log_in(browser: Browser) -> Any:
    return browser.post("/account/login/", {"login": "alice@example.com", "password": PASSWORD})


def log_out_and_in(browser: Browser, alice: User) -> Any:
    browser.post("/account/logout/")
    return log_in(browser)


def revoke_by_page(browser: Browser, alice: User) -> Any:
    return browser.post("/developers/api-access-token/revoke/", {"generation": 1, "even_if_used": "on"})


def revoke_by_api(browser: Browser, alice: User) -> Any:
    return caller(alice).send("POST", "/token/revoke")


def change_password(browser: Browser, alice: User) -> Any:
    reauthenticate(browser, alice)
    new = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "revoke_token": "on"}
    return browser.post("/account/password/change/", new)


def end_other_sessions(browser: Browser, alice: User) -> Any:
    reauthenticate(browser, alice)
    return browser.post("/account/sessions/end-others/")


def show_token(browser: Browser, alice: User) -> Any:
    reauthenticate(browser, alice)
    return browser.post("/developers/api-access-token/show/")


def delete_account(browser: Browser, alice: User) -> Any:
    reauthenticate(browser, alice)
    return browser.post("/account/delete/", {"email": alice.email})


def rename_bot(browser: Browser, alice: User) -> Any:
    return browser.post(f"/bots/{alice.bots.get().pk}/", {"name": "Night desk"})


def delete_bot(browser: Browser, alice: User) -> Any:
    return browser.post(f"/bots/{alice.bots.get().pk}/delete/", {"is_sure": "on"})


def remove_segment(browser: Browser, alice: User) -> Any:
    return browser.post(f"/inbox/segments/{alice.segments.get().pk}/remove/")


def shorten_api(browser: Browser, alice: User) -> Any:
    call = {"name": "Orders", "method": "GET", "url": "https://api.example.com"}
    return browser.post(f"/developers/third-party-apps-api/{alice.outbound_apis.get().pk}/", call)


def delete_api(browser: Browser, alice: User) -> Any:
    path = f"/developers/third-party-apps-api/{alice.outbound_apis.get().pk}/delete/"
    return browser.post(path, {"is_sure": "on"})


def remove_attribute(browser: Browser, alice: User) -> Any:
    path = f"/developers/third-party-apps-api/attributes/{alice.custom_attributes.get().pk}/remove/"
    return browser.post(path)


def shorten_contact(browser: Browser, alice: User) -> Any:
    return caller(alice).send("PUT", f"/inbox/users/{alice.contacts.get().pk}", {"profile": {"notes": []}})


ALWAYS = [
    *(log_out_and_in, revoke_by_page, revoke_by_api, change_password, end_other_sessions, show_token, delete_account),
    *(rename_bot, delete_bot, remove_segment, shorten_api, delete_api, remove_attribute, shorten_contact),
]


@pytest.fixture
def overfull(alice: User, settings: Settings) -> User:
    """An account with one object of each kind, where every quota is 0."""
    Bot.objects.create(owner=alice, **SHOP)
    Segment.objects.create(owner=alice, name="Warm", tags=["lead"])
    contact_of(alice, notes=["Asked for a call back."])
    CustomAttribute.objects.named(alice, "total")
    OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com", body="x" * 1000))
    quotas = [name for name in dir(django_settings) if name.startswith("QUOTA_")]
    assert "QUOTA_BOTS" in quotas
    for name in quotas:
        setattr(settings, name, 0)
    return alice


@pytest.mark.no_cover
@pytest.mark.parametrize("action", ALWAYS, ids=lambda action: action.__name__)
def test_no_quota_refuses_what_shrinks_an_account_or_makes_it_safe(
    overfull: User, action: Callable[[Browser, User], Any]
) -> None:
    answer = action(logged_in(overfull), overfull)

    assert answer.status_code in (200, 204, 302)
    assert "to make room" not in answer.content.decode()


def test_an_account_that_may_hold_nothing_revokes_and_has_a_new_token(overfull: User) -> None:
    browser, before = logged_in(overfull), token_text(overfull)

    revoke_by_page(browser, overfull)
    revoke_by_api(browser, overfull)

    assert RevokedToken.objects.count() == 2
    assert caller(overfull).data("GET", "/token")
    assert Caller(before).send("GET", "/token").status_code == 401


def test_an_account_that_may_hold_nothing_is_given_its_first_token(db: None, overfull: User) -> None:
    carol = User.objects.create_user("carol@example.net", PASSWORD)

    answer = logged_in(carol).get("/developers/api-access-token/")

    assert answer.status_code == 200
    assert caller(carol).data("GET", "/token")
