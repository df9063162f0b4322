"""Weaknesses of other products with pages for tokens: one test each that ours has none of them."""

import logging
from io import StringIO
from typing import Any

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from developers import issuance, tokens
from developers.models import ApiToken, RevokedToken
from developers.redaction import MaskingFormatter, WithoutSecrets
from tests.accounts.mail.mails import link_in, newest
from tests.cast import LAPTOP, PASSWORD, logged_in, reauthenticate, token_events, token_text
from tests.leaks import find

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix]

PAGE = "/developers/api-access-token/"
NEW_PASSWORD = "another good passphrase"
NEW = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
WAYS = [{}, {"HX-Request": "true"}, {"Accept": "application/json"}]

every_way = pytest.mark.parametrize("headers", WAYS, ids=["plain", "htmx", "fetch"])


def api(token: str, path: str = "/api/v7/token", **headers: str) -> Any:
    return Browser().get(path, headers={"Authorization": f"Bearer {token}"} | headers)


def change(browser: Browser, **data: str) -> Any:
    return browser.post("/account/password/change/", {"oldpassword": PASSWORD} | NEW | data)


def reset(alice: User, **data: str) -> Any:
    browser = Browser()
    browser.post("/account/password/reset/", {"email": alice.email})
    return browser.post(browser.get(link_in(newest()))["Location"], NEW | data)


@every_way
def test_cve_2021_3967_regenerating_gets_nobody_past_the_password(alice: User, headers: dict[str, str]) -> None:
    """Zulip asked for the password before it showed a key, but showed a new key without it."""
    browser = logged_in(alice)
    reauthenticate(browser, alice, seconds_ago=7200)

    answers = [browser.post(f"{PAGE}revoke/", {"generation": 1}, headers=headers, follow=True)]
    answers += [browser.post(f"{PAGE}{act}/", headers=headers, follow=True) for act in ("show", "copy", "try")]
    answers += [browser.get(PAGE, headers=headers)]

    token = token_text(alice)
    assert RevokedToken.objects.count() == 1
    assert [token in answer.content.decode() for answer in answers] == [False] * 5


@pytest.mark.parametrize("way", ["change", "reset"])
def test_cve_2026_41519_a_token_does_not_outlive_the_password_unless_its_owner_says_so(
    alice: User, settings: Settings, way: str
) -> None:
    """Tokens stayed good after a change of password, so a thief of the password kept the token."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"
    browser, old = logged_in(alice), token_text(alice)
    form = browser.get("/account/password/change/").content.decode()

    response = change(browser, revoke_token="on") if way == "change" else reset(alice, revoke_token="on")

    assert (form.count('name="revoke_token"'), form.count(" checked")) == (1, 1)
    assert response.status_code == 302
    assert [api(token).status_code for token in (old, token_text(alice))] == [401, 200]


@pytest.mark.parametrize("parameter", ["apiKey", "access_token", "token", "authorization", "key"])
def test_a_token_in_an_address_opens_nothing(alice: User, parameter: str) -> None:
    """Addresses end up in histories, Referer headers and the logs of every proxy on the way."""
    token = token_text(alice)

    answers = [Browser().get(f"{path}?{parameter}={token}") for path in ("/api/v7/token", "/api/v7/bots", "/bots/")]

    assert [answer.status_code for answer in answers] == [401, 401, 302]
    assert ApiToken.objects.get(user=alice).last_used_at is None


@pytest.mark.django_db
def test_a_token_in_an_address_or_a_header_is_in_no_log() -> None:
    """Servers wrote the failed request into their log as it came, and everybody who may read logs had the token."""
    log, secret = StringIO(), tokens.generate()
    handler = logging.StreamHandler(log)
    handler.addFilter(WithoutSecrets())
    handler.setFormatter(MaskingFormatter())
    logging.getLogger().addHandler(handler)

    Browser().get(f"/bots/?apiKey={secret.open()}", headers={"Host": f"{secret.open()}.example"})
    logging.getLogger("django.request").error("Internal Server Error: /api/v7/%s", secret.open())

    logging.getLogger().removeHandler(handler)
    assert secret.open() not in log.getvalue()
    assert log.getvalue().count(str(secret)) >= 1


@every_way
def test_nobody_makes_sees_or_revokes_the_token_of_another(alice: User, bob: User, headers: dict[str, str]) -> None:
    """A user's number in the form was believed, so anybody could have a token made for anybody."""
    theirs, browser = token_text(bob), logged_in(alice)
    forged = {"user": bob.pk, "user_id": bob.pk, "owner": bob.pk, "email": bob.email, "generation": 1}

    answers = [browser.post(f"{PAGE}{act}/", forged, headers=headers) for act in ("show", "copy", "try", "revoke")]

    assert token_text(bob) == theirs
    assert [theirs in answer.content.decode() for answer in answers] == [False] * 4
    assert list(token_events().filter(user=bob).values_list("kind", flat=True)) == ["token-issued"]


def test_no_superuser_reads_or_makes_a_token_for_another_by_the_admin(alice: User, bob: User) -> None:
    """Admin forms let staff write or read tokens of people whose data they then saw as those people."""
    User.objects.filter(pk=alice.pk).update(is_staff=True, is_superuser=True)
    browser, theirs = logged_in(alice), ApiToken.objects.get(user=bob)
    own = f"/admin/developers/apitoken/{bob.pk}"

    pages = [browser.get("/admin/developers/apitoken/"), browser.get(f"{own}/change/")]
    refused = [
        browser.post("/admin/developers/apitoken/add/", {"user": bob.pk}),
        browser.post(f"{own}/change/", {"hint": "0000"}),
        browser.post(f"{own}/delete/", {"post": "yes"}),
    ]

    shown = "".join(page.content.decode() for page in pages)
    secrets = {"token": token_text(bob), "ciphertext": theirs.ciphertext, "digest": bytes(theirs.digest).hex()}
    assert [page.status_code for page in pages] == [200, 200]
    assert find([shown], secrets) == []
    assert [answer.status_code for answer in refused] == [403, 403, 403]


@pytest.mark.parametrize("path", ["/bots/", "/inbox/", PAGE, "/account/", "/account/security/", "/admin/"])
def test_a_token_opens_no_browser_session(alice: User, path: str) -> None:
    """A leaked token for the API logged into the dashboard too, where passwords and factors are changed."""
    token = token_text(alice)

    page, call = api(token, path), api(token)

    assert (page.status_code, page["Location"].startswith("/account/login/")) == (302, True)
    assert (call.status_code, call.cookies) == (200, {})


def test_a_session_opens_no_api(alice: User) -> None:
    """Where cookies counted as tokens, any site could have a visitor's browser call the API."""
    browser = logged_in(alice)

    answers = [browser.get("/api/v7/token"), browser.post("/api/v7/token/revoke"), browser.get("/api/v7/bots")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert ApiToken.objects.get(user=alice).generation == 1


@every_way
def test_no_cache_keeps_a_page_behind_log_in(alice: User, headers: dict[str, str]) -> None:
    """A token page that a browser or proxy had kept was there for the next person at the same machine."""
    browser = logged_in(alice)

    answers = [browser.get(PAGE, headers=headers), browser.post(f"{PAGE}show/", headers=headers)]
    answers += [browser.get("/account/"), browser.get("/account/security/log/download/"), api(token_text(alice))]
    goodbye = browser.post("/account/logout/")

    assert ["no-store" in answer["Cache-Control"] for answer in answers] == [True] * 5
    assert goodbye["Clear-Site-Data"] == '"cache"'


def test_a_copied_cookie_of_an_ended_session_opens_nothing(alice: User) -> None:
    """Logging out only took the cookie from the browser, so a copy of it stayed logged in."""
    browser, thief = logged_in(alice), Browser()
    thief.cookies["sessionid"] = browser.cookies["sessionid"].value
    before = thief.get("/bots/").status_code

    browser.post("/account/logout/")

    after = [thief.get("/bots/"), thief.post(f"{PAGE}show/"), thief.post(f"{PAGE}revoke/", {"generation": 1})]
    assert (before, [answer.status_code for answer in after]) == (200, [302, 302, 302])
    assert {answer["Location"].partition("?")[0] for answer in after} == {"/account/login/"}
    assert ApiToken.objects.get(user=alice).generation == 1


def test_a_revoked_token_is_refused_by_the_very_next_request(alice: User) -> None:
    """Where checks were cached, a revoked token went on working for as long as the cache did."""
    old = token_text(alice)
    first = api(old).status_code

    issuance.revoke(alice, 1, LAPTOP, even_if_used=True)

    assert (first, api(old).status_code, api(token_text(alice)).status_code) == (200, 401, 200)
