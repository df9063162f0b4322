"""(fresh, stale) × (every act that wants a proof of identity) × (htmx, fetch, plain form): what is asked, the way back.

One who proves who they are comes back to the page of the act, where nothing was done, kept or
replayed. Revoking the token is never held up and discloses nothing; a change of password asks
for the current one in its own form, and that is the proof.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.events import SecurityEvent
from accounts.models import User
from developers.models import ApiToken
from tests.accounts.views.second_step import code_of, dump, key_on
from tests.cast import PASSWORD, logged_in, reauthenticate, token_text

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix]

FRESH, STALE = 3540, 3660
WAYS = {"htmx": {"HX-Request": "true"}, "fetch": {"Accept": "application/json"}, "plain": {}}
NEW_PASSWORD = "another good passphrase"
TOKEN, SECURITY, CODES = "/developers/api-access-token/", "/account/security/", "/account/security/recovery-codes/"
PASSWORD_PAGE, EMAIL_PAGE, DELETE_PAGE = "/account/password/change/", "/account/email/", "/account/delete/"
APP_PAGE, REMOVE_PAGE = f"{SECURITY}authenticator/", f"{SECURITY}authenticator/remove/"

Answer = tuple[int, str]


@dataclass(frozen=True)
class Act:
    """What is posted where, the page that one comes back to, and what is answered to one whose proof is fresh."""

    path: str
    back: str
    done: Answer | dict[str, Answer]
    data: dict[str, str] = field(default_factory=dict)
    # Asked for no proof, or at the wrong door, however stale.
    is_asked: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(WAYS, True))

    def answer(self, way: str) -> Answer:
        return self.done[way] if isinstance(self.done, dict) else self.done


SHOWN = (200, "")
NEVER = dict.fromkeys(WAYS, False)
ACTS = {
    "show": Act(f"{TOKEN}show/", f"{TOKEN}?confirmed=show", SHOWN),
    "copy": Act(f"{TOKEN}copy/", f"{TOKEN}?confirmed=copy", SHOWN),
    # Of use to the page's own script alone.
    "try it": Act(
        f"{TOKEN}try/",
        f"{TOKEN}?confirmed=try",
        {"htmx": (302, TOKEN), "fetch": SHOWN, "plain": (302, TOKEN)},
        is_asked={"htmx": False, "fetch": True, "plain": False},
    ),
    "revoke": Act(
        f"{TOKEN}revoke/",
        TOKEN,
        {"htmx": SHOWN, "fetch": SHOWN, "plain": (302, f"{TOKEN}?replaced=1")},
        data={"generation": "1"},
        is_asked=NEVER,
    ),
    "change password": Act(
        PASSWORD_PAGE,
        PASSWORD_PAGE,
        {"htmx": (302, "/account/"), "fetch": SHOWN, "plain": (302, "/account/")},
        data={"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        is_asked=NEVER,
    ),
    "change email": Act(
        EMAIL_PAGE,
        EMAIL_PAGE,
        {"htmx": (302, EMAIL_PAGE), "fetch": SHOWN, "plain": (302, EMAIL_PAGE)},
        data={"email": "alice@wonderland.example", "action_add": ""},
    ),
    "add factor": Act(APP_PAGE, APP_PAGE, (302, CODES), data={"code": "CODE"}),
    "remove factor": Act(REMOVE_PAGE, REMOVE_PAGE, (302, SECURITY)),
    "show codes": Act(f"{CODES}show/", CODES, SHOWN),
    "make codes": Act(f"{CODES}new/", CODES, (302, CODES)),
    "delete account": Act(DELETE_PAGE, DELETE_PAGE, (302, "/account/login/"), data={"email": "alice@example.com"}),
}
SHOWN_ON_RETURN = {
    "show": "Confirmed. Show again.",
    "copy": "Confirmed. Copy again.",
    "try it": "Confirmed. Try again.",
}
WITH_APP = ("remove factor", "show codes", "make codes")

# Acts that answer scripts as no other does: with the token, with nothing but to a script, and to whoever is logged in.
SAMPLE = ("show", "try it", "revoke")
every_way = pytest.mark.parametrize("way", WAYS)


def every_act_in_every_way(*names: str) -> pytest.MarkDecorator:
    """Each act as a plain form, and a sample of them in the other ways; `make test-all` has all of them."""
    return pytest.mark.parametrize(
        ("name", "way"),
        [
            pytest.param(name, way, marks=[] if way == "plain" or name in SAMPLE else pytest.mark.release)
            for name in names
            for way in WAYS
        ],
    )


@dataclass
class Person:
    """Alice before a browser, and how she does an act in one of the ways."""

    user: User
    browser: Browser
    app: str = ""

    def prove(self, seconds_ago: int) -> None:
        reauthenticate(self.browser, self.user, seconds_ago=seconds_ago)

    def do(self, name: str, way: str) -> Any:
        data = {key: code_of(self.app) if value == "CODE" else value for key, value in ACTS[name].data.items()}
        return self.browser.post(ACTS[name].path, data, headers=WAYS[way])


@pytest.fixture
def stand_before(alice: User, settings: Settings) -> Callable[[str], Person]:
    """Have Alice, lately signed in, stand where the act is within reach."""
    settings.EMAIL_BACKEND = "post_office.EmailBackend"

    def prepare(name: str) -> Person:
        person = Person(alice, logged_in(alice))
        if name == "add factor":
            person.app = key_on(person.browser.get(APP_PAGE))
        if name in WITH_APP:
            TOTP.activate(alice, pyotp.random_base32())
            RecoveryCodes.activate(alice)
        return person

    return prepare


def state(person: Person) -> Any:
    """What an act might have changed."""
    kinds = list(SecurityEvent.objects.values_list("kind", flat=True))
    tables = ("developers_apitoken", "mfa_authenticator", "account_emailaddress", "accounts_user")
    return dict(person.browser.session), kinds, dump(*tables)


def asked(back: str, way: str) -> tuple[int, str, str]:
    """The status, and the address where the proof is given: as a redirect, and as htmx and scripts are told."""
    address = f"/account/reauthenticate/?{urlencode({'next': back})}"
    return (302, address, "") if way == "plain" else (403, "", address)


def is_asked(response: Any) -> tuple[int, str, str]:
    return response.status_code, response.get("Location", ""), response.get("HX-Redirect", "")


@every_act_in_every_way(*ACTS)
def test_after_a_recent_reauthentication_it_is_done(stand_before: Callable[[str], Person], name: str, way: str) -> None:
    person = stand_before(name)
    person.prove(FRESH)
    before = state(person)

    response = person.do(name, way)

    assert (response.status_code, response.get("Location", "")) == ACTS[name].answer(way)
    assert (state(person) == before) == (name == "try it" and way != "fetch")


@every_act_in_every_way(*ACTS)
def test_without_a_recent_reauthentication_one_is_asked_for_and_nothing_is_done_or_kept(
    stand_before: Callable[[str], Person], name: str, way: str
) -> None:
    person = stand_before(name)
    person.prove(STALE)
    before = state(person)

    response = person.do(name, way)

    if ACTS[name].is_asked[way]:
        assert is_asked(response) == asked(ACTS[name].back, way)
        assert "no-store" in response["Cache-Control"]
        assert state(person) == before
    else:
        assert (response.status_code, response.get("Location", "")) == ACTS[name].answer(way)
    if way == "fetch" and ACTS[name].is_asked[way]:
        assert response.json() == {"redirect": asked(ACTS[name].back, way)[2]}


@every_act_in_every_way(*(name for name, act in ACTS.items() if act.is_asked["fetch"]))
def test_one_who_proves_who_they_are_comes_back_to_the_page_and_can_do_it(
    stand_before: Callable[[str], Person], name: str, way: str
) -> None:
    person = stand_before(name)
    person.prove(STALE)
    if not ACTS[name].is_asked[way]:
        way = "fetch"
    where = person.do(name, way)

    confirmed = person.browser.post(where.get("Location") or where["HX-Redirect"], {"password": PASSWORD})
    page = person.browser.get(confirmed["Location"])

    assert (confirmed.status_code, confirmed["Location"], page.status_code) == (302, ACTS[name].back, 200)
    if name == "add factor":
        person.app = key_on(page)  # a page that was left begins with a new one
    shown = SHOWN_ON_RETURN.get(name)
    assert shown is None or (page.content.decode().count(shown), page.content.decode().count("autofocus")) == (1, 1)
    done = person.do(name, way)
    assert (done.status_code, done.get("Location", "")) == ACTS[name].answer(way)


@pytest.mark.parametrize("name", SHOWN_ON_RETURN)
def test_an_address_alone_confirms_nobody(stand_before: Callable[[str], Person], name: str) -> None:
    person = stand_before(name)
    person.prove(STALE)

    page = person.browser.get(ACTS[name].back).content.decode()

    assert (page.count("Confirmed."), page.count("autofocus")) == (0, 0)


@every_way
@pytest.mark.parametrize("name", ["show", "copy", "try it"])
def test_only_what_was_asked_for_holds_the_token(
    alice: User, stand_before: Callable[[str], Person], name: str, way: str
) -> None:
    person, token = stand_before(name), token_text(alice)

    fresh = person.do(name, way)
    person.prove(STALE)
    stale = person.do(name, way)

    expected = 0 if name == "try it" and way != "fetch" else 1
    assert [answer.content.decode().count(token) for answer in (fresh, stale)] == [expected, 0]
    assert "no-store" in fresh["Cache-Control"]


@every_way
@pytest.mark.parametrize("seconds_ago", [FRESH, STALE, 24 * 3600])
def test_revoking_is_never_held_up_and_discloses_nothing(
    alice: User, stand_before: Callable[[str], Person], way: str, seconds_ago: int
) -> None:
    person, old = stand_before("revoke"), token_text(alice)
    person.prove(seconds_ago)

    response = person.do("revoke", way)

    assert ApiToken.objects.get().generation == 2
    assert [token for token in (old, token_text(alice)) if token in response.content.decode()] == []


@pytest.mark.parametrize("page", [EMAIL_PAGE, DELETE_PAGE, APP_PAGE, REMOVE_PAGE, CODES, f"{SECURITY}passkeys/add/"])
def test_the_page_of_such_an_act_asks_too(stand_before: Callable[[str], Person], page: str) -> None:
    person = stand_before("remove factor")
    if page == APP_PAGE:
        Authenticator.objects.all().delete()
    person.prove(STALE)

    stale = person.browser.get(page)
    person.prove(FRESH)

    assert is_asked(stale) == asked(page, "plain")
    assert person.browser.get(page).status_code == 200


def test_the_current_password_must_be_right_however_recent_the_reauthentication(
    alice: User, stand_before: Callable[[str], Person]
) -> None:
    person = stand_before("change password")

    person.browser.post(PASSWORD_PAGE, ACTS["change password"].data | {"oldpassword": "guessed wrong"})

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
