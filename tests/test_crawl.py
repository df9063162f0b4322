"""A whole life of an account on a real server, then a search for its secrets in what the server sent and stored."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pyotp
import pytest

from developers import tokens
from tests.accounts.mfa.security_key import SecurityKey
from tests.accounts.views.passkeys import ADD, options_on
from tests.leaks import find
from tests.server import SQLITE, Server, poll
from tests.test_project import routes
from tests.visitor import Visitor

EMAIL, NEW_EMAIL = "carol@example.com", "carol@example.org"
# One life for all of them.
pytestmark = [pytest.mark.matrix, pytest.mark.server, pytest.mark.xdist_group("crawl")]

PASSWORDS = {"first password": "a walrus sings at dawn", "second password": "two owls count to seven"}
PAGE, SETUP = "/developers/api-access-token/", "/account/security/authenticator/"
AS_SCRIPT = {"Accept": "application/json"}
# The life below causes at least so many mails.
MAILS = 8
SHOWN = ["first token", "second token", "third token", "fourth token", "key of the app", "code 0"]
# Statuses for a logged-in person with nothing to do at an address: a redirect, a question or a refusal.
NOT_THERE = {302, 400, 403, 404, 405}


@dataclass
class Life:
    """Carol's secrets, the responses that must contain none of them, and those that contain one."""

    server: Server
    secrets: dict[str, str] = field(default_factory=dict)
    # In the database, where they belong, and nowhere else.
    sealed: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    disclosed: dict[str, str] = field(default_factory=dict)
    visited: dict[str, int] = field(default_factory=dict)
    log: str = ""

    def note_sealed(self) -> None:
        """Keep what the tables hold of tokens and factors, in each encoding that a leak might have."""
        for name, digest, ciphertext in self.rows("SELECT hint, digest, ciphertext FROM developers_apitoken"):
            self.sealed |= {f"ciphertext of {name}": ciphertext} | spellings(f"digest of {name}", digest)
        for name, digest in self.rows("SELECT hint, digest FROM developers_revokedtoken"):
            self.sealed |= spellings(f"digest of {name}", digest)
        for kind, data in self.rows("SELECT type, CAST(data AS text) FROM mfa_authenticator WHERE type != 'webauthn'"):
            self.sealed |= {
                f"sealed {kind} {at}": sealed for at, sealed in enumerate(re.findall(r"gAAAA[\w=-]+", data))
            }
        for email, password in self.rows("SELECT email, password FROM accounts_user"):
            self.sealed |= {f"hash of the password of {email}": password.rpartition("$")[2]}

    def rows(self, query: str) -> list[Any]:
        return self.server.rows(query)


def spellings(name: str, content: bytes) -> dict[str, str]:
    return {f"{name} in hex": content.hex(), f"{name} in base64": base64.b64encode(content).decode()}


def state(server: Server) -> dict[str, bytes]:
    """Every file that the server keeps, but for static files and its settings, and every table of PostgreSQL."""
    files = [path for path in (server.folder / "var").rglob("*") if path.is_file() and "static" not in path.parts]
    return {path.name: path.read_bytes() for path in files} | tables_of_postgresql(server)


def tables_of_postgresql(server: Server) -> dict[str, bytes]:
    if server.database_url.startswith(SQLITE):
        return {}
    names = [name for (name,) in server.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert "accounts_user" in names
    return {name: b"\0".join(map(in_bytes, chain(*server.rows(f'SELECT * FROM "{name}"')))) for name in names}  # noqa: S608 - names of our own tables


def in_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def link_in_mail(server: Server, address: str, part: str) -> str:
    """Wait for a mail to the address with a link of this kind, and return the link's path."""

    def found() -> str | None:
        mails = [mail for mail in server.sent_mail if f"To: {address}" in mail]
        links = re.findall(rf"{part}[\w:=\n-]+/", "\n".join(mails).replace("=\n", ""))
        return links[-1] if links else None

    return poll(found, 60)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    with Server(tmp_path_factory.mktemp("life"), WORKERS="1") as server:
        life = Life(server)
        with server.client() as client:
            live(life, Visitor(client))
        with server.client() as client:
            crawl_admin(life, Visitor(client))
        # A file holds what was sent at one go.
        poll(lambda: "".join(server.sent_mail).count("\nSubject: ") >= MAILS, 60)
        life.log = server.output
        yield life


def live(life: Life, carol: Visitor) -> None:
    first, second = PASSWORDS.values()
    life.secrets |= PASSWORDS
    carol.post("/account/signup/", {"email": EMAIL, "password1": first})
    link = link_in_mail(life.server, EMAIL, "/account/confirm-email/")
    carol.post(link, {})
    assert carol.log_in(EMAIL, first).status_code == 302

    setup = carol.get(SETUP, discloses=True).text
    [key] = re.findall(r"\b[A-Z2-7]{32}\b", setup)
    life.secrets["key of the app"], life.disclosed["key of the app"] = key, setup
    carol.post(SETUP, {"code": pyotp.TOTP(key).now()}, page="/account/")
    passkey = SecurityKey(life.server.url).create(options_on(carol.get(ADD)))
    assert carol.post(ADD, {"credential": passkey, "name": "Key"}, page="/account/").status_code == 302
    codes = carol.post("/account/security/recovery-codes/show/", {}, page="/account/", discloses=True).text
    life.disclosed["code 0"] = codes
    life.secrets |= {f"code {at}": code for at, code in enumerate(re.findall(r"<li[^>]*>\s*(\d{8})\s*</li>", codes))}

    old = reveal(life, carol, "first token")
    copy(life, carol)
    use(carol, old)
    carol.post(f"{PAGE}revoke/", {"generation": "1", "even_if_used": "on"}, page=PAGE)
    assert carol.call("GET", "/api/v7/token", old).status_code == 401
    exposed = reveal(life, carol, "second token")
    carol.call("POST", "/api/v7/token/report-exposed", "", {"tokens": [exposed]})
    reveal(life, carol, "third token")
    change = {"oldpassword": first, "password1": second, "password2": second, "revoke_token": "on"}
    assert carol.post("/account/password/change/", change).status_code == 302
    live_on = reveal(life, carol, "fourth token")
    asked = carol.post("/account/email/", {"email": NEW_EMAIL, "action_add": ""})
    assert asked.headers.get("Location") == "/account/email/", asked.text
    carol.post(link_in_mail(life.server, NEW_EMAIL, "/account/confirm-email/"), {})
    life.secrets["key of the session"] = carol.client.cookies["sessionid"]
    life.note_sealed()
    crawl(life, carol, live_on)
    assert carol.post("/account/delete/", {"email": NEW_EMAIL}).headers["Location"] == "/account/login/"
    life.shown |= carol.shown


def reveal(life: Life, carol: Visitor, name: str) -> str:
    """Show the token, and note what the tables hold of it."""
    page = carol.post(f"{PAGE}show/", {}, page=PAGE, discloses=True).text
    [token] = tokens.PATTERN.findall(page)
    life.secrets[name], life.disclosed[name] = token, page
    life.note_sealed()
    return str(token)


def copy(life: Life, carol: Visitor) -> None:
    answer = carol.post(f"{PAGE}copy/", {}, page=PAGE, discloses=True, **AS_SCRIPT)
    assert answer.json() == {"token": life.secrets["first token"]}


def use(carol: Visitor, token: str) -> None:
    """Create one object of each kind that has a page."""
    bot = {"name": "Reception", "platform": "website"}
    contact = [{"profile": {"userDetails": {"userProvidedName": "Asha", "contact": {"email": "asha@example.com"}}}}]
    assert carol.call("POST", "/api/v7/bots", token, bot).status_code == 201
    assert carol.call("POST", "/api/v7/inbox/users/import", token, contact).status_code == 201
    carol.post("/inbox/segments/add/", {"name": "Everybody", "tags": "all"}, page="/inbox/")


def crawl(life: Life, visitor: Visitor, token: str) -> None:
    """Get every address with Carol's objects: logged in, and with her token where it belongs to the API."""
    objects = {
        "bot_id": life.rows("SELECT id FROM platform_bot")[0][0],
        "contact_id": life.rows("SELECT id FROM platform_contact")[0][0],
        "segment_id": life.rows("SELECT id FROM platform_segment")[0][0],
        "pk": str(life.rows("SELECT id FROM mfa_authenticator WHERE type = 'webauthn'")[0][0]),
    }
    for route in sorted(set(routes())):
        # Some addresses need a value that no table holds, such as a mailed key. Their error pages are searched too.
        address = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: objects.get(match[1], "x"), route)
        if address == "/account/logout/" or "\\" in address:
            continue
        answer = (
            visitor.call("GET", address, token)
            if address.startswith("/api/") and address != "/api/v7/docs"
            else visitor.get(address)
        )
        life.visited[route] = answer.status_code


def crawl_admin(life: Life, operator: Visitor) -> None:
    """Look at the admin as the operator does, at all of its addresses and at a token's own."""
    email, password = life.server.first_account
    operator.log_in(email, password)
    operator.get(PAGE)
    [[pk]] = life.rows("SELECT user_id FROM developers_apitoken")
    life.note_sealed()
    for route in sorted({route for route in routes() if route.startswith("/admin/") and "logout" not in route}):
        address = re.sub(r"<path:object_id>", str(pk), route)
        if "<" not in address and "\\" not in address:
            life.visited[address] = operator.get(address).status_code
    life.shown |= {f"operator {name}": text for name, text in operator.shown.items()}


def test_the_life_was_a_whole_one(life: Life) -> None:
    opened = {route for route, status in life.visited.items() if status == 200}

    assert {name for name in life.secrets if name.startswith("code")} == {f"code {at}" for at in range(10)}
    assert {PAGE, "/account/security/log/download/", "/api/v7/openapi.json", "/api/v7/docs", "/inbox/"} <= opened
    assert {"/bots/<object_id:bot_id>/", "/inbox/<object_id:contact_id>/", "/api/v7/bots/<bot_id>"} <= opened
    assert {"/account/security/passkeys/<int:pk>/", "/admin/developers/apitoken/"} <= opened
    assert set(life.visited.values()) - NOT_THERE == {200, 204}


@pytest.mark.parametrize(
    "name", ["first token", "second token", "third token", "fourth token", "key of the app", "code 0"]
)
def test_the_search_finds_a_secret_on_the_one_page_that_shows_it(life: Life, name: str) -> None:
    """Otherwise the other tests might search for nothing."""
    assert find([life.disclosed[name]], {name: life.secrets[name]}) == [name]


def test_no_answer_holds_a_secret(life: Life) -> None:
    assert {
        name: leaks for name, text in life.shown.items() if (leaks := find([text], life.secrets | life.sealed))
    } == {}


def test_no_line_of_the_log_holds_a_secret(life: Life) -> None:
    assert find([life.log], life.secrets | life.sealed) == []


def test_no_mail_holds_a_secret(life: Life) -> None:
    mails = [text.replace("=\n", "") for text in life.server.sent_mail]

    assert find(mails, life.secrets | life.sealed) == []


def test_nothing_that_the_server_keeps_holds_a_secret_in_clear(life: Life) -> None:
    kept = state(life.server)

    assert {"db.sqlite3", "accounts_user"} & kept.keys()
    assert {name: leaks for name, content in kept.items() if (leaks := find([content], life.secrets))} == {}


def test_the_search_finds_what_somebody_has_put_into_a_table(life: Life) -> None:
    """A token in a place where none belongs: in the name of the operator."""
    planted = {"planted": tokens.generate().open()}

    with life.server.database() as database:
        database.execute(f"UPDATE accounts_user SET name = '{planted['planted']}'")  # noqa: S608 - a token

    assert [name for name, content in state(life.server).items() if find([content], planted)] != []
