"""Every action that needs a recent reauthentication, by htmx, fetch and plain form: its response, and the way back.

After the reauthentication the person is on the page of the action, where nothing was done, stored or disclosed
meanwhile. Revoking needs no reauthentication. A change of password asks for the current one in its own form.
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
class Action:
    """Where it is posted, the page to come back to, and the response after a recent reauthentication."""

    path: str
    back: str
    done: Answer | dict[str, Answer]
    data: dict[str, str] = field(default_factory=dict)
    # Whether a stale reauthentication is refused, in each way.
    is_asked: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(WAYS, True))

    def answer(self, way: str) -> Answer:
        return self.done[way] if isinstance(self.done, dict) else self.done


SHOWN = (200, "")
NEVER = dict.fromkeys(WAYS, False)
ACTIONS = {
    "show": Action(f"{TOKEN}show/", f"{TOKEN}?confirmed=show", SHOWN),
    "copy": Action(f"{TOKEN}copy/", f"{TOKEN}?confirmed=copy", SHOWN),
    # Only the page's own script uses it.
    "try it": Action(
        f"{TOKEN}try/",
        f"{TOKEN}?confirmed=try",
        {"htmx": (302, TOKEN), "fetch": SHOWN, "plain": (302, TOKEN)},
        is_asked={"htmx": False, "fetch": True, "plain": False},
    ),
    "revoke": Action(
        f"{TOKEN}revoke/",
        TOKEN,
        {"htmx": SHOWN, "fetch": SHOWN, "plain": (302, f"{TOKEN}?replaced=1")},
        data={"generation": "1"},
        is_asked=NEVER,
    ),
    "change password": Action(
        PASSWORD_PAGE,
        PASSWORD_PAGE,
        {"htmx": (302, "/account/"), "fetch": SHOWN, "plain": (302, "/account/")},
        data={"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        is_asked=NEVER,
    ),
    "change email": Action(
        EMAIL_PAGE,
        EMAIL_PAGE,
        {"htmx": (302, EMAIL_PAGE), "fetch": SHOWN, "plain": (302, EMAIL_PAGE)},
        data={"email": "alice@wonderland.example", "action_add": ""},
    ),
    "add factor": Action(APP_PAGE, APP_PAGE, (302, CODES), data={"code": "CODE"}),
    "remove factor": Action(REMOVE_PAGE, REMOVE_PAGE, (302, SECURITY)),
    "show codes": Action(f"{CODES}show/", CODES, SHOWN),
    "make codes": Action(f"{CODES}new/", CODES, (302, CODES)),
    "delete account": Action(DELETE_PAGE, DELETE_PAGE, (302, "/account/login/"), data={"email": "alice@example.com"}),
}
SHOWN_ON_RETURN = {
    "show": "Confirmed. Show again.",
    "copy": "Confirmed. Copy again.",
    "try it": "Confirmed. Try again.",
}
WITH_APP = ("remove factor", "show codes", "make codes")

# Their responses to scripts differ: with the token, only to fetch, and without a reauthentication.
SAMPLE = ("show", "try it", "revoke")
every_way = pytest.mark.parametrize("way", WAYS)


def every_action_in_every_way(*names: str) -> pytest.MarkDecorator:
    """Each action as a plain form, and a sample in the other ways; `make test-all` runs all."""
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
    """Alice with her browser, and how she does an action in one of the ways."""

    user: User
    browser: Browser
    app: str = ""

    def prove(self, seconds_ago: int) -> None:
        reauthenticate(self.browser, self.user, seconds_ago=seconds_ago)

    def do(self, name: str, way: str) -> Any:
        data = {key: code_of(self.app) if value == "CODE" else value for key, value in ACTIONS[name].data.items()}
        return self.browser.post(ACTIONS[name].path, data, headers=WAYS[way])


@pytest.fixture
def stand_before(alice: User, settings: Settings) -> Callable[[str], Person]:
    """Log Alice in, and prepare what the action needs."""
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
    """What an action might have changed."""
    kinds = list(SecurityEvent.objects.values_list("kind", flat=True))
    tables = ("developers_apitoken", "mfa_authenticator", "account_emailaddress", "accounts_user")
    return dict(person.browser.session), kinds, dump(*tables)


def asked(back: str, way: str) -> tuple[int, str, str]:
    """The status, and the address of the reauthentication: as a redirect, and in the header for htmx and scripts."""
    address = f"/account/reauthenticate/?{urlencode({'next': back})}"
    return (302, address, "") if way == "plain" else (403, "", address)


def is_asked(response: Any) -> tuple[int, str, str]:
    return response.status_code, response.get("Location", ""), response.get("HX-Redirect", "")


@every_action_in_every_way(*ACTIONS)
def test_after_a_recent_reauthentication_it_is_done(stand_before: Callable[[str], Person], name: str, way: str) -> None:
    person = stand_before(name)
    person.prove(FRESH)
    before = state(person)

    response = person.do(name, way)

    assert (response.status_code, response.get("Location", "")) == ACTIONS[name].answer(way)
    assert (state(person) == before) == (name == "try it" and way != "fetch")


@every_action_in_every_way(*ACTIONS)
def test_without_a_recent_reauthentication_one_is_asked_for_and_nothing_is_done_or_kept(
    stand_before: Callable[[str], Person], name: str, way: str
) -> None:
    person = stand_before(name)
    person.prove(STALE)
    before = state(person)

    response = person.do(name, way)

    if ACTIONS[name].is_asked[way]:
        assert is_asked(response) == asked(ACTIONS[name].back, way)
        assert "no-store" in response["Cache-Control"]
        assert state(person) == before
    else:
        assert (response.status_code, response.get("Location", "")) == ACTIONS[name].answer(way)
    if way == "fetch" and ACTIONS[name].is_asked[way]:
        assert response.json() == {"redirect": asked(ACTIONS[name].back, way)[2]}


@every_action_in_every_way(*(name for name, action in ACTIONS.items() if action.is_asked["fetch"]))
def test_after_the_reauthentication_the_person_is_back_on_the_page_and_can_do_it(
    stand_before: Callable[[str], Person], name: str, way: str
) -> None:
    person = stand_before(name)
    person.prove(STALE)
    if not ACTIONS[name].is_asked[way]:
        way = "fetch"
    where = person.do(name, way)

    confirmed = person.browser.post(where.get("Location") or where["HX-Redirect"], {"password": PASSWORD})
    page = person.browser.get(confirmed["Location"])

    assert (confirmed.status_code, confirmed["Location"], page.status_code) == (302, ACTIONS[name].back, 200)
    if name == "add factor":
        person.app = key_on(page)  # a page that was left begins with a new one
    shown = SHOWN_ON_RETURN.get(name)
    assert shown is None or (page.content.decode().count(shown), page.content.decode().count("autofocus")) == (1, 1)
    done = person.do(name, way)
    assert (done.status_code, done.get("Location", "")) == ACTIONS[name].answer(way)


@pytest.mark.parametrize("name", SHOWN_ON_RETURN)
def test_an_address_alone_confirms_nobody(stand_before: Callable[[str], Person], name: str) -> None:
    person = stand_before(name)
    person.prove(STALE)

    page = person.browser.get(ACTIONS[name].back).content.decode()

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
def test_the_page_of_such_an_action_asks_too(stand_before: Callable[[str], Person], page: str) -> None:
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

    person.browser.post(PASSWORD_PAGE, ACTIONS["change password"].data | {"oldpassword": "guessed wrong"})

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
