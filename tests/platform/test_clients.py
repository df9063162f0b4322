"""Requests of the published clients, as each is known to send them, by a real client to a real server.

They are the programs that others wrote for BotPenguin, with another base URL.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, repeat
from typing import Any

import httpx
import pytest

from tests.platform.calls import BASE, accounts_on, row
from tests.server import Server

pytestmark = [pytest.mark.matrix, pytest.mark.server, pytest.mark.xdist_group("node")]

NAMED_ASHA = b' {"userProvidedName": "Asha"}}}]'


class Program:
    """A client program: its base URL, the token that its user pasted, and its headers."""

    def __init__(self, server: Server, token: str, **headers: str) -> None:
        self.http = httpx.Client(base_url=server.url + BASE, trust_env=False, timeout=30)
        # The clients do not send this header of httpx.
        del self.http.headers["Accept"]
        self.http.headers.update({"Authorization": f"Bearer {token}"} | headers)

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return self.http.request(method, path, json=body, **options)


@pytest.fixture(scope="module")
def tokens(node: Server) -> Iterator[str]:
    """Tokens of new accounts. A command for each of them would take a second each."""
    return (token for _ in repeat(None) for token in accounts_on(node, 20))


@pytest.fixture
def program(node: Server, tokens: Iterator[str]) -> Iterator[Callable[..., Program]]:
    """Start a client program for a new account, and end it after the test."""
    with ExitStack() as stack:

        def start(**headers: str) -> Program:
            started = Program(node, next(tokens), **headers)
            stack.enter_context(started.http)
            return started

        yield start


def test_the_n8n_node(program: Callable[..., Program]) -> None:
    node = program(Accept="*/*", authtype="Key")
    other = program()
    theirs = other.send("POST", "/bots", {"name": "Theirs", "platform": "whatsapp"}).json()["data"]["_id"]
    bot = node.send("POST", "/bots", {"name": "Reception", "platform": "whatsapp"}).json()["data"]["_id"]

    def credential(bot_id: str) -> httpx.Response:
        body = {"slug": "n8n", "botId": bot_id, "platform": "whatsapp"}
        return node.send("POST", "/integrations/custom-app/general-authentication", body)

    assert credential(bot).is_success
    assert credential(theirs).status_code == credential("6743a1f09b2c4d5e6f708192").status_code == 404

    # Its list of bots to choose from is made of `data || []`.
    listed = node.send("GET", "/whatsapp-automation").json()
    assert [(found["_id"], found["name"]) for found in listed["data"]] == [(bot, "Reception")]

    # "Add contact": one row, the bot in the query and in a header of that name. What is undefined is left out.
    asha = row("Asha", "asha@example.com", {"number": "9876543210", "prefix": "91"})
    added = node.send("POST", "/inbox/users/import", [asha], params={"botId": bot}, headers={"botId": bot})
    assert added.status_code == 201

    # "Update contact attributes": by email, by number with the country's code, by id.
    for search in ("asha@example.com", "919876543210", added.json()["data"]["ids"][0]):
        body = {"search": search, "attributes": {"plan": search}, "botId": bot, "platform": "whatsapp"}
        updated = node.send("PUT", "/integrations/custom-app/update-user-attributes", body)
        assert updated.is_success
        assert updated.json()["data"]["profile"]["userDetails"]["attributes"] == [{"key": "plan", "value": search}]

    # After a revoke it shows `message`.
    assert node.send("POST", "/token/revoke").status_code == 204
    refused = credential(bot)
    assert refused.status_code == 401
    assert refused.json()["message"].startswith("This API access token was revoked at 20")
    assert refused.json()["message"].endswith("Copy the current one from the Developers page.")


def all_contacts(component: Program) -> Iterator[dict[str, Any]]:
    """Read pages from 1 until one is empty, as Pipedream does: with every filter, and each of them empty."""
    lists = ("_botWebsite", "_botWhatsapp", "_botTelegram", "_botFacebook", "status", "lastMessageBy", "tags")
    period = {"startAt": "", "endsAt": ""}
    body: dict[str, Any] = {name: [] for name in (*lists, "applicableFilters", "_agentAssigned")}
    body |= {"searchText": "", "isExport": "none", "createdAt": period, "lastSeenAt": period}
    for page in count(1):
        found = component.send("POST", "/inbox/users", body | {"page": page}).json()["data"]
        yield from found
        if not found:
            return


def label(contact: dict[str, Any]) -> str:
    """Name a contact as Pipedream does, which relies on each key: by its number if there is no name and no email."""
    details = contact["profile"]["userDetails"]
    phone = details["contact"]["phone"]
    return details["name"] or details["contact"]["email"] or f"{phone['prefix']} {phone['number']}"


def test_the_pipedream_component(program: Callable[..., Program]) -> None:
    component = program(Accept="application/json, text/plain, */*", authtype="Key")
    rows = [row("", phone={"number": f"{10**9 + number}"}) for number in range(119)]
    assert component.send("POST", "/inbox/users/import", [row("Asha", "asha@example.com"), *rows]).is_success

    everybody = list(all_contacts(component))
    assert len(everybody) == len({contact["_id"] for contact in everybody}) == 120

    assert label(everybody[-1]) == "Asha"
    assert label(everybody[0]) == " 1000000118"

    # It writes the whole contact back, with keys of its own beside.
    contact = everybody[-1]
    details = contact["profile"]["userDetails"]
    details |= {"userProvidedName": "Asha Rao", "telegramUserName": "asha", "whatsAppNumber": "91 9876543210"}
    details["contact"]["phone"] = {"number": "9876543210", "prefix": "91"}
    written = component.send("PUT", f"/inbox/users/{contact['_id']}", contact)
    assert written.status_code == 200
    assert label(written.json()["data"]) == "Asha Rao"
    assert next(found for found in all_contacts(component) if found["_id"] == contact["_id"]) == written.json()["data"]

    # Of an error it shows `data`, joined by blanks.
    details["contact"] |= {"email": "nobody", "phone": {"number": "1"}}
    error = component.send("PUT", f"/inbox/users/{contact['_id']}", contact)
    assert error.status_code == 422
    assert " ".join(error.json()["data"]) == (
        "profile.userDetails.contact.email should be an email address. "
        "profile.userDetails.contact.phone.number should be a telephone number of 4 to 15 digits."
    )


@pytest.mark.parametrize("name", ["AuthType", "authType", "AUTHTYPE"])
@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8"])
def test_a_python_client_of_requests(program: Callable[..., Program], name: str, content_type: str) -> None:
    headers = {name: "Key", "Content-Type": content_type, "Accept": "*/*", "User-Agent": "python-requests/2.32.3"}
    client = program(**headers)
    client.send("POST", "/inbox/users/import", [row("Asha")])

    listed = client.send("POST", "/inbox/users", {"page": 1})
    contact_id = listed.json()["data"][0]["_id"]
    updated = client.send(
        "PUT",
        f"/inbox/users/{contact_id}",
        {"attributes": [{"key": "city", "value": "Pune"}, {"key": "age", "value": 41}]},
    )

    # It stops on anything but 200.
    assert (listed.status_code, updated.status_code) == (200, 200)
    assert updated.json()["data"]["profile"]["userDetails"]["attributes"] == [
        {"key": "age", "value": 41},
        {"key": "city", "value": "Pune"},
    ]


def test_nango(program: Callable[..., Program]) -> None:
    nango = program(Accept="application/json")

    verified = nango.send("GET", "/inbox/segments")

    assert verified.status_code == 200
    assert verified.json() == {"success": True, "message": "", "data": [], "code": 200}


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        *(("/inbox/users", "good", 413), ("/inbox/users", "wrong", 401)),
        *(("/inbox/direct/lead", "good", 404), ("/inbox/direct/lead", "wrong", 401)),
    ],
)
def test_a_body_that_is_too_large_is_answered_and_the_connection_lives_on(
    program: Callable[..., Program], path: str, token: str, status: int
) -> None:
    client = program()
    headers = {"Authorization": "Bearer wrong"} if token == "wrong" else {}

    refused = client.http.post(path, content=b"[" + b" " * 3 * 1024 * 1024, headers=headers)
    next_one = client.send("GET", "/token")

    assert refused.status_code == refused.json()["code"] == status
    assert next_one.status_code == 200


def test_a_body_in_chunks_is_read_and_head_answers(program: Callable[..., Program]) -> None:
    client = program()

    listed = client.http.post("/inbox/users", content=iter([b'{"page":', b" x}"]))
    imported = client.http.post("/inbox/users/import", content=iter([b'[{"profile": {"userDetails":', NAMED_ASHA]))
    too_long = client.http.post("/inbox/users", content=iter([b"{", *[b" " * 65536] * 40]))
    head = client.http.head("/token")

    assert (listed.status_code, listed.json()["data"]) == (400, ["The body is not JSON: see line 1, column 10."])
    assert (imported.status_code, too_long.status_code) == (201, 413)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["Content-Length"]) > 50
