"""A client that reads every list to its end, of an account that holds more than quotas let in: over a real server.

It counts rows and bytes, which are printed.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.resilience.conftest import Serve
from tests.resilience.load import Person
from tests.server import Server

pytestmark = [
    *(pytest.mark.server, pytest.mark.resilience, pytest.mark.release, pytest.mark.long),
    pytest.mark.xdist_group("full_lists"),
]

API, APIS, LOG = "/api/v7", "/developers/third-party-apps-api/", "/account/security/log/"
# Bytes of a response: 50 of the largest contacts, or all lines of a file.
MOST, MOST_OF_FILE = 4 * 1024**2, 10 * 1024**2
USUAL, LARGE, BOTS, SEGMENTS, OUTBOUND, ATTRIBUTES, LOGS = 1_000, 60, 8_500, 2_000, 10_000, 600, 300
EVENTS, LINES = 10_200, 10_000
# A client that still gets rows then gives up.
MOST_PAGES = 300
FILL = """
from django.db.models import QuerySet
from accounts.web.clients import Client
from accounts.events import SecurityEvent
from accounts.models import User
from botpenguin.platform.models import Bot, Contact, ContactTag, Segment
from developers import issuance
from developers.outbound import recipe, sealing
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from tests.cast import PASSWORD

emoji = chr(0x1f427)
owner = User.objects.create_user("person0@example.com", PASSWORD)
issuance.issue(owner, Client("127.0.0.1", "tests"))


def add(model, rows):
    rows = list(rows)
    QuerySet(model).bulk_create(rows, batch_size=100)
    return rows


def api(number):
    call = recipe.Recipe("POST", f"https://api.example.com/{{number}}/{{'x' * (7900 if number < 200 else 10)}}")
    made = OutboundApi(owner=owner, name=f"{{name}}{{number:05}}", method=call.method, url=call.url)
    made.sealed, made.key_id = sealing.seal(owner.pk, made.pk, recipe.dump(call))
    return made


tags, name = [f"{{number:02}}{{emoji * 58}}" for number in range(50)], emoji * 90
add(Bot, (Bot(owner=owner, name=f"{{name}}{{number:05}}", platform="whatsapp") for number in range({bots})))
add(Segment, (Segment(owner=owner, name=f"{{name}}{{number:05}}", tags=tags[:20]) for number in range({segments})))
# As large as they may be, and larger ones of before there was a bound.
usual = add(Contact, (
    Contact(owner=owner, name=f"Usual {{number}}", attributes={{f"key{{key:02}}": emoji * 999 for key in range(12)}})
    for number in range({usual})
))
large = add(Contact, (
    Contact(owner=owner, name=f"Large {{number}}", is_large=True, notes=[emoji * 2000] * 100,
            attributes={{f"key{{key:03}}": emoji * 1000 for key in range(100)}})
    for number in range({large})
))
add(ContactTag, (ContactTag(contact=contact, name=tag) for contact in [*usual[:100], *large] for tag in tags))
apis = add(OutboundApi, map(api, range({outbound})))
add(CustomAttribute, (
    CustomAttribute(owner=owner, name=f"{{'x' * 54}}{{number:06}}") for number in range({attributes})
))
add(ApiLog, (
    ApiLog(owner=owner, api=apis[number], api_name=name, kind="call", method="POST", url=apis[number].url,
           request_body=emoji * 16_000, response_body=emoji * 16_000)
    for number in range({logs})
))
add(SecurityEvent, (
    SecurityEvent(user=owner, kind="signed-in", detail="password", ip="203.0.113.9", client=emoji * 200)
    for _ in range({events})
))
"""

Pages = Iterator[tuple[int, list[Any]]]


@dataclass
class Counted:
    """The bytes and the number of rows of each answer with rows, and what is known of the rows."""

    sizes: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)


class Reader:
    def __init__(self, server: Server) -> None:
        self.person = Person(server.url)
        self.token = self.person.copy()

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.person.client.request(method, API + path, json=body, headers=headers)

    def contacts(self) -> Pages:
        for page in range(1, MOST_PAGES):
            answer = self.call("POST", "/inbox/users", {"page": page})
            yield len(answer.content), answer.json()["data"]

    def ids_of(self, path: str) -> Pages:
        for page in range(1, MOST_PAGES):
            answer = self.call("GET", f"{path}?page={page}")
            yield len(answer.content), [row["_id"] for row in answer.json()["data"]]

    def shown(self, path: str, row: str) -> Pages:
        """Follow the links to next pages, and find in each what is once in a row."""
        links = [path]
        while links:
            answer = self.person.client.get(links[0])
            yield len(answer.content), re.findall(row, answer.text)
            links = re.findall(r'rel="next" href="([^"]+)"', answer.text)
        yield 0, []

    def lines(self) -> Pages:
        answer = self.person.client.get(f"{LOG}download/")
        yield len(answer.content), answer.text.splitlines()[1:]
        yield 0, []


def read(pages: Pages, most: int = MOST) -> Counted:
    """Read until a response has no rows."""
    counted = Counted()
    for size, rows in pages:
        assert size <= most, f"{len(rows):,} rows in {size:,} bytes"
        if not rows:
            return counted
        counted.sizes.append(size)
        counted.lengths.append(len(rows))
        counted.rows += rows
    raise AssertionError(f"there is no end after {len(counted.rows):,} rows")


@pytest.fixture(scope="module")
def full(serve: Serve) -> Server:
    server = serve(WORKERS="1")
    numbers = {"usual": USUAL, "large": LARGE, "bots": BOTS, "segments": SEGMENTS, "outbound": OUTBOUND}
    numbers |= {"attributes": ATTRIBUTES, "logs": LOGS, "events": EVENTS}
    filled = server.manage("shell", "--no-imports", "-v0", "-c", FILL.format(**numbers))
    assert filled.returncode == 0, filled.stderr
    return server


ID = "([0-9a-f]{24})"
LISTS: dict[str, tuple[Callable[[Reader], Pages], int, int]] = {
    "bots": (lambda reader: reader.ids_of("/bots"), 5_000, BOTS),
    "WhatsApp bots": (lambda reader: reader.ids_of("/whatsapp-automation"), 5_000, BOTS),
    "segments": (lambda reader: reader.ids_of("/inbox/segments"), 500, SEGMENTS),
    "Bots": (lambda reader: reader.shown("/bots/", f'href="/bots/{ID}/"'), 50, BOTS),
    "Inbox": (lambda reader: reader.shown("/inbox/", f'href="/inbox/{ID}/'), 50, USUAL + LARGE),
    "APIs": (lambda reader: reader.shown(APIS, f'class="table__link" href="{APIS}{ID}/"'), 50, OUTBOUND),
    "Attributes": (lambda reader: reader.shown(f"{APIS}attributes/", r'id="type-(\d+)"'), 50, ATTRIBUTES),
    "API Logs": (lambda reader: reader.shown(f"{APIS}logs/", rf'href="{APIS}logs/(\d+)/"'), 50, LOGS),
}


@pytest.mark.parametrize("name", LISTS)
def test_each_list_is_read_to_its_end_in_full_pages_of_few_bytes(full: Server, name: str) -> None:
    pages, length, total = LISTS[name]

    counted = read(pages(Reader(full)))

    print(f"{name}: {len(counted.rows):,} rows, {len(counted.sizes)} answers of at most {max(counted.sizes):,} bytes")
    assert len(set(counted.rows)) == len(counted.rows) == total
    assert set(counted.lengths[:-1]) <= {length}


def test_contacts_of_before_are_shortened_in_full_pages_and_whole_by_their_ids(full: Server) -> None:
    reader = Reader(full)

    counted = read(reader.contacts())
    shortened = [contact["_id"] for contact in counted.rows if "shortened" in contact]
    whole = [reader.call("GET", f"/inbox/users/{contact_id}") for contact_id in shortened]

    print(f"contacts: {len(counted.rows):,} rows, {len(counted.sizes)} answers of at most {max(counted.sizes):,} bytes")
    print(f"large ones by their ids: {len(whole)} of {min(len(answer.content) for answer in whole):,} bytes")
    assert len({contact["_id"] for contact in counted.rows}) == len(counted.rows) == USUAL + LARGE
    assert counted.lengths == [50] * 21 + [10]
    assert len(shortened) == LARGE
    profiles = [answer.json()["data"]["profile"] for answer in whole]
    assert {len(profile["userDetails"]["attributes"]) for profile in profiles} == {100}
    assert {len(profile["notes"]) for profile in profiles} == {100}
    assert min(len(answer.content) for answer in whole) > 1_200_000


def test_the_security_log_and_its_file_have_an_end_and_a_bound(full: Server) -> None:
    reader = Reader(full)

    shown = read(reader.shown(LOG, "events__when"))
    lines = read(reader.lines(), MOST_OF_FILE)

    print(f"events: {len(shown.rows):,} rows, {len(shown.sizes)} answers of at most {max(shown.sizes):,} bytes")
    print(f"CSV: {len(lines.rows):,} rows in {lines.sizes[0]:,} bytes")
    assert len(shown.rows) >= EVENTS
    # The count of further events of each hour stands on the page of the events around it, and comes on top.
    assert {50} <= set(shown.lengths[:-1]) <= {50, 51, 52}
    # The programs that used the token follow the events.
    assert LINES <= len(lines.rows) <= LINES + 10
