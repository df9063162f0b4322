"""Every form with an address responds alike for all addresses. The tests find the forms on all pages."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.cache import cache as shared_cache
from django.db import connection, transaction
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.client import ClientHandler
from django.test.utils import CaptureQueriesContext
from post_office.models import Email

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.accounts.mail.mails import link_in
from tests.cast import PASSWORD, logged_in
from tests.pages import PRIVATE_PAGES, visit_all
from tests.test_project import OPEN_PAGES

pytestmark = [pytest.mark.no_cover, pytest.mark.matrix, pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]

ALICE = "alice@example.com"
# The forms of today's pages. The walk finds a new form by itself; add it here by hand.
FORMS = {
    ("/account/login/", "login"),
    ("/account/signup/", "email"),
    ("/account/password/reset/", "email"),
    ("/account/confirm-email/again/", "email"),
    ("/account/email/", "email"),
    ("/account/delete/", "email"),
}
ADDRESSES = {
    "unknown": "nobody@example.com",
    "known": "bob@example.org",
    "known in other case": "Bob@Example.ORG",
    "unconfirmed": "carol@example.com",
    "deactivated": "dave@example.com",
    "being deleted": "frank@example.com",
    "asked for by somebody": "erin@example.com",
}
# The time of a response, its name, and the length of a body that repeats the address.
TIMELY = {"Date", "Expires", "X-Request-ID", "Content-Length"}
NEW_PASSWORD, WRONG = "another good passphrase", "guessed wrong"
AS_SCRIPT = {"X-Requested-With": "XMLHttpRequest"}
# Values of the other fields. The second has the password of the unconfirmed sign-up.
OTHERS = [
    {"password": WRONG, "password1": WRONG},
    {"password": NEW_PASSWORD, "password1": NEW_PASSWORD},
    {"password": "x" * 1025, "password1": "x" * 1025},
]


@dataclass
class Form:
    page: str
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    address: str = ""


class Forms(HTMLParser):
    """Finds the forms of a page, and which of their fields takes an address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.found = page, list[Form]()
        self.is_inside = False

    def handle_starttag(self, tag: str, pairs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in pairs}
        if tag == "form":
            self.is_inside = True
            method = attributes.get("method", "get").lower()
            self.found.append(Form(self.page, attributes.get("action") or self.page, method))
        elif self.is_inside and (name := attributes.get("name")):
            self.found[-1].fields[name] = attributes.get("value", "")
            is_typed = attributes.get("type") not in ("hidden", "submit") and "hidden" not in attributes
            if is_typed and takes_address(tag, attributes):
                self.found[-1].address = name

    def handle_endtag(self, tag: str) -> None:
        self.is_inside = self.is_inside and tag != "form"


def takes_address(tag: str, attributes: dict[str, str]) -> bool:
    hints = (attributes.get("type"), attributes.get("autocomplete"))
    return tag == "input" and ("email" in hints or "username" in hints or "email" in attributes["name"])


@cache
def forms_with_addresses() -> list[tuple[Form, bool]]:
    """Open every page, logged out and logged in, and return its forms.

    The pages below /admin/ are left out: who gets in there sees every account.
    """
    found: dict[tuple[str, str], tuple[Form, bool]] = {}
    for is_logged_in, pages in enumerate([open_pages(), visit_all(logged_in(User.objects.get(email=ALICE)))]):
        for path, response in pages.items():
            if response.status_code == 200 and "text/html" in response["Content-Type"]:
                page = Forms(path)
                page.feed(response.content.decode())
                for form in page.found:
                    found.setdefault((form.action, form.address), (form, bool(is_logged_in)))
    return [(form, is_logged_in) for form, is_logged_in in found.values() if form.address]


def open_pages() -> dict[str, Any]:
    """Return the responses of the pages that need no log-in, also of those to which mailed links lead, by path."""
    paths = [path for path in OPEN_PAGES if "<" not in path and not path.startswith(("/admin/", "/api/"))]
    links = [link_in(mail) for mail in Email.objects.all() if "http" in mail.message]
    return {path: Browser().get(path, follow=path in links) for path in [*paths, *links]}


@pytest.fixture
def people(alice: User, bob: User) -> None:
    User.objects.create_user("dave@example.com", PASSWORD, is_active=False)
    frank = User.objects.create_user("frank@example.com", PASSWORD)
    logged_in(frank).post("/account/delete/", {"email": frank.email})
    Browser().post("/account/signup/", {"email": "carol@example.com", "password1": NEW_PASSWORD})
    Browser().post("/account/password/reset/", {"email": bob.email})
    logged_in(bob).post("/account/email/", {"email": "erin@example.com", "action_add": ""})
    alice.authenticator_set.create(type="webauthn", data={"name": "Laptop"})
    bot = Bot.objects.create(owner=alice, name="Reception", platform="website")
    Contact.objects.create(owner=alice, bot=bot, name="Asha")
    OutboundApi.objects.make(alice, "Orders", Recipe("GET", "https://api.example.com/"))
    shared_cache.clear()


@contextmanager
def undone() -> Iterator[None]:
    """Undo all changes of the block, in the database and in the cache."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def post(form: Form, is_logged_in: bool, address: str, others: dict[str, str], **headers: str) -> Any:
    browser = logged_in(User.objects.get(email=ALICE)) if is_logged_in else Browser()
    send = getattr(browser, form.method)
    return send(form.action, form.fields | others | {form.address: address}, headers=headers)


def seen(response: Any, address: str) -> dict[str, Any]:
    """Return a response without the typed address and without what is new in every response."""
    headers = {name: value for name, value in response.headers.items() if name not in TIMELY}
    body = re.sub(re.escape(address), "ADDRESS", response.content.decode(), flags=re.IGNORECASE)
    # The id of the own row, which differs after each attempt on PostgreSQL.
    body = re.sub(r'"id": \d+', '"id": 0', body)
    body = re.sub(r'(value=\\?")[A-Za-z0-9]{64}', r"\1CSRF", body)
    cookies = {
        name: {kind: value for kind, value in cookie.items() if kind != "expires"}
        for name, cookie in response.cookies.items()
    }
    return {"status": response.status_code, "headers": headers, "body": body, "cookies": cookies}


def test_pages_of_mailed_links_and_of_single_objects_are_opened(people: None) -> None:
    mailed = [page.status_code for path, page in open_pages().items() if path not in OPEN_PAGES]
    single = [path for path in visit_all(logged_in(User.objects.get(email=ALICE))) if path not in PRIVATE_PAGES]

    assert mailed == [200] * 3
    assert {re.sub(r"[0-9a-f]{24}|\d+", "ID", path) for path in single} >= {
        *("/account/security/passkeys/ID/", "/bots/ID/", "/inbox/ID/", "/developers/third-party-apps-api/ID/"),
    }


def test_the_forms_that_take_an_address_are_found(people: None) -> None:
    assert {(form.action, form.address) for form, _ in forms_with_addresses()} == FORMS


@pytest.mark.parametrize("headers", [{}, pytest.param(AS_SCRIPT, marks=pytest.mark.release)], ids=["page", "script"])
@pytest.mark.parametrize(
    ("others", "kinds"),
    [
        (OTHERS[0], ["unknown", "known", "unconfirmed"]),
        (OTHERS[1], [*ADDRESSES]),
        *(pytest.param(others, [*ADDRESSES], marks=pytest.mark.release) for others in (OTHERS[0], OTHERS[2])),
    ],
    ids=["wrong password, some addresses", "password of the sign-up", "wrong password", "too long"],
)
def test_every_form_answers_alike_whosever_the_address_is(
    people: None, others: dict[str, str], kinds: list[str], headers: dict[str, str]
) -> None:
    for form, is_logged_in in forms_with_addresses():
        answers = {}
        for kind in kinds:
            with undone():
                answers[kind] = seen(post(form, is_logged_in, ADDRESSES[kind], others, **headers), ADDRESSES[kind])

        assert answers == dict.fromkeys(kinds, answers["unknown"]), f"{form.action} reveals who has an account"


@pytest.mark.release
def test_every_form_answers_alike_however_often_it_is_sent(people: None) -> None:
    for form, is_logged_in in forms_with_addresses():
        answers: dict[str, list[Any]] = {}
        for kind, address in ADDRESSES.items():
            with undone():
                tries = [post(form, is_logged_in, address, OTHERS[1]) for _time in range(6)]
            answers[kind] = [(answer.status_code, answer.get("Retry-After") is None) for answer in tries]

        assert answers == dict.fromkeys(ADDRESSES, answers["unknown"]), f"{form.action} reveals who has an account"


def test_no_form_before_log_in_asks_or_writes_more_for_one_address_than_for_another(people: None) -> None:
    """Before the response is sent. Work that depends on the address is done later, when nobody can measure it."""
    handler = ClientHandler(enforce_csrf_checks=False)
    handler.load_middleware()
    for form, is_logged_in in forms_with_addresses():
        if is_logged_in:
            continue
        statements = {}
        for kind, address in ADDRESSES.items():
            request = RequestFactory().post(form.action, OTHERS[1] | {form.address: address})
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # as Django's own test client does
            with undone(), CaptureQueriesContext(connection) as queries:
                response = handler.get_response(request)
            statements[kind] = [shape(query["sql"]) for query in queries]
            # It marks the end of the response for the client, before the server closes the connection.
            assert response.has_header("Content-Length")
            assert not any("post_office_email" in statement for statement in statements[kind])

        assert statements == dict.fromkeys(ADDRESSES, statements["unknown"]), form.action


def shape(sql: str) -> str:
    """Return a statement without its values."""
    return re.sub(r"'[^']*'|\b\d+(\.\d+)?\b|s\d+_x\d+", "?", sql)
