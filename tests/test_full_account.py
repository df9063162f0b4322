"""An account grows in every way until a real server refuses: the refusal, the kept rows, and what still works."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.developers.outbound.servers import LocalServer, response, serving
from tests.growing_account import APIS, KB, Account, is_of_api, is_refused, words
from tests.platform.calls import row
from tests.server import Server

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.release,
    pytest.mark.server,
    pytest.mark.xdist_group("full_account"),
]

QUOTAS = {
    "QUOTA_BOTS": "3",
    "QUOTA_SEGMENTS": "2",
    "QUOTA_CONTACTS": "4",
    "QUOTA_CONTACT_BYTES": str(150 * KB),
    "QUOTA_APIS": "3",
    "QUOTA_API_BYTES": str(20 * KB),
    "QUOTA_ATTRIBUTES": "2",
    "QUOTA_LOGS": "4",
    "QUOTA_LOG_BYTES": str(30 * KB),
    "EVENTS_AN_HOUR": "3",
}
# More tries than any quota has places.
TRIES = 8
REVOKES = 4
# The second has a contact of before there was a bound: 200 KB.
PEOPLE = """
from accounts.web.clients import Client
from accounts.models import User
from botpenguin.platform.models import Contact
from developers import issuance
from tests.cast import PASSWORD

for number in range(2):
    user = User.objects.create_user(f"person{number}@example.com", PASSWORD)
    issuance.issue(user, Client(None, "tests"))
Contact.objects.create(
    owner=user, name="Of before", is_large=True, notes=["x" * 2000] * 50,
    attributes={f"key{number:02}": "x" * 1000 for number in range(100)},
)
"""


@dataclass(frozen=True)
class Way:
    """A way in which an account grows: how many times it does, what the refusal says, and which page says it too."""

    act: Callable[[Account, int], httpx.Response]
    times: int
    sentence: str
    page: str
    # What holds no more than it may: the rows or bytes of a table.
    held: tuple[str, str, int]


ROOM = r"(This would add [\d,.]+( KB)?\. )?Delete some to make room\."
BOTS = r"You have 3 of 3 bots\. " + ROOM
CONTACT_BYTES = r"Your contacts take [\d.]+ KB of 150\.0 KB\."
API_BYTES = r"Your APIs take [\d.]+ KB of 20\.0 KB\. " + ROOM
APIS_FULL = r"You have 3 of 3 APIs\. " + ROOM
# In this order: what comes first makes what the next ones change.
WAYS = [
    Way(Account.make_bot, 3, BOTS, "/bots/", ("count(*)", "platform_bot", 3)),
    Way(Account.make_bot_on_its_page, 0, BOTS, "/bots/", ("count(*)", "platform_bot", 3)),
    Way(Account.make_segment, 2, r"You have 2 of 2 segments\. " + ROOM, "/inbox/", ("count(*)", "platform_segment", 2)),
    Way(
        Account.import_contact,
        4,
        r"You have 4 of 4 contacts\. Ask the operator of this server for more room\.",
        "/inbox/",
        ("count(*)", "platform_contact", 4),
    ),
    Way(
        Account.grow_contact,
        2,
        CONTACT_BYTES,
        "/inbox/",
        ("sum(length(CAST(attributes AS text)))", "platform_contact", 150 * KB),
    ),
    Way(Account.make_api, 3, APIS_FULL, APIS, ("count(*)", "outbound_outboundapi", 3)),
    Way(Account.copy_api, 0, APIS_FULL, APIS, ("count(*)", "outbound_outboundapi", 3)),
    Way(Account.grow_api, 3, API_BYTES, "", ("sum(length(sealed))", "outbound_outboundapi", 20 * KB)),
    Way(
        Account.name_attribute,
        2,
        r"You have 2 of 2 attributes\. " + ROOM,
        f"{APIS}attributes/",
        ("count(*)", "outbound_customattribute", 2),
    ),
]


def grow(account: Account, way: Way) -> list[httpx.Response]:
    """Repeat it until it is refused, or was done more often than the quota allows."""
    answers: list[httpx.Response] = []
    while len(answers) < TRIES and not (answers and is_refused(answers[-1])):
        answers.append(way.act(account, len(answers)))
    return answers


@pytest.fixture(scope="module")
def far_sides() -> Iterator[list[LocalServer]]:
    """Servers that answer with little, and with 12 KB."""
    with serving(response(b"{}")) as short, serving(response(b"x" * 12 * KB)) as long:
        yield [short, long]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"API_RATE_LIMIT": "0", "MAIL_WORKER": "off", "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8"}
    with Server(tmp_path_factory.mktemp("full"), WORKERS="1", **settings | QUOTAS) as running:
        made = running.manage("shell", "--no-imports", "-c", PEOPLE)
        assert made.returncode == 0, made.stderr
        yield running


@pytest.fixture(scope="module")
def account(server: Server, far_sides: list[LocalServer]) -> Iterator[Account]:
    account = Account(server, 0, far_sides)
    with closing(account.person.client):
        yield account


@pytest.fixture(scope="module")
def grown(account: Account) -> dict[Callable[..., Any], list[httpx.Response]]:
    """The responses to an account that grew in each way up to its quota."""
    return {way.act: grow(account, way) for way in WAYS}


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.act.__name__)
def test_an_account_grows_up_to_each_quota_and_what_is_more_is_refused_in_a_sentence(
    account: Account, grown: dict[Callable[..., Any], list[httpx.Response]], way: Way
) -> None:
    *taken, last = grown[way.act]
    what, table, most = way.held

    [[held]] = account.rows(what, table)

    assert len(taken) == way.times
    assert last.status_code == (409 if is_of_api(last) else 200)
    assert re.search(way.sentence, words(last))
    assert not way.page or re.search(way.sentence, account.words(way.page))
    assert 0 < held <= most


@pytest.mark.usefixtures("grown")
def test_of_a_full_account_the_oldest_logs_go_and_calls_go_on(account: Account) -> None:
    for _ in range(6):
        account.run_api(0)
    few = account.rows("id, size", "outbound_apilog")
    full = account.words(f"{APIS}logs/")
    for _ in range(3):
        account.run_api(1)
    large = account.rows("id, size", "outbound_apilog")

    newest = account.rows("max(id)", "outbound_apilog")
    assert len(few) == 4
    assert "You have 4 of 4 logs. New ones replace the oldest." in full
    assert len(large) < 4
    assert sum(size for _, size in large) <= 30 * KB
    assert newest[0][0] == max(few)[0] + 3
    assert re.search(r"Your logs take [\d.]+ KB of 30\.0 KB\.", account.words(f"{APIS}logs/"))


@pytest.mark.usefixtures("grown")
def test_a_full_account_revokes_by_its_page_and_by_a_call_as_often_as_it_likes(account: Account) -> None:
    refused = account.make_bot(0)
    statuses, tokens = [], {account.token}

    for _ in range(REVOKES):
        statuses.append(account.person.revoke().status_code)
        account.token = account.person.copy()
        tokens.add(account.token)
        statuses.append(account.call("POST", "/token/revoke").status_code)
        account.token = account.person.copy()
        tokens.add(account.token)

    [[listed]] = account.server.rows("SELECT count(*) FROM accounts_securityevent WHERE kind = 'token-revoked'")
    [[counted]] = account.server.rows("SELECT sum(count) FROM accounts_eventcount WHERE kind = 'token-revoked'")
    assert refused.status_code == 409
    assert statuses == [200, 204] * REVOKES
    assert len(tokens) == 2 * REVOKES + 1
    assert account.data("GET", "/token")
    # A quota of events, too, for each way to revoke: what is beyond is counted, and nothing is refused for it.
    assert (listed, counted) == (6, 2 * REVOKES - 6)
    assert account.words("/account/security/log/").count("and 1 more") >= 2


def test_a_contact_holds_64_kb_and_a_larger_one_of_before_is_shortened_in_lists_only(
    server: Server, far_sides: list[LocalServer]
) -> None:
    account = Account(server, 1, far_sides)
    large = {"attributes": {f"key{key:02}": "x" * 1000 for key in range(70)}}

    with closing(account.person.client):
        refused = account.call("POST", "/inbox/users/import", [row("Too large", "large@example.com", **large)])
        listed = account.call("POST", "/inbox/users")
        contact = listed.json()["data"][-1]
        read = account.call("GET", f"/inbox/users/{contact['_id']}")

    assert refused.status_code == 400
    assert refused.json()["data"] == ["Row 1: a contact has at most 64 KB of attributes, notes and tags."]
    assert len(listed.json()["data"]) == 1
    assert len(listed.content) < 64 * KB
    assert 0 < len(contact["profile"]["userDetails"]["attributes"]) < 100
    assert f"Read it whole with GET /api/v7/inbox/users/{contact['_id']}." in contact["shortened"]
    whole = read.json()["data"]
    assert len(whole["profile"]["userDetails"]["attributes"]) == 100
    assert whole["profile"]["notes"] == ["x" * 2000] * 50
    assert "shortened" not in whole
