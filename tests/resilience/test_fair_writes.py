"""One person revokes while others import, delete and run housekeeping as fast as they can. The figures are printed.

A revoke should take less than a second, and mostly less than 100 ms. Nothing asserts that: it depends on the machine.
"""

import http.client
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from threading import Event, Thread

import pytest

from tests.resilience.conftest import Serve
from tests.resilience.load import Person, csrf_token
from tests.server import Server, poll

pytestmark = [pytest.mark.resilience, pytest.mark.release, pytest.mark.xdist_group("fair_writes")]

IMPORTERS, CONTACTS, TAGS = 6, 1_000, 50
REVOKES = 200
SECONDS_TO_DELETE = 600
LARGE, TAGS_OF_LARGE, LOGS, OLD, LETTERS = 50_000, 4, 1_000, 20_000, 300
IMPORT = "/api/v7/inbox/users/import"
FILL = """
from datetime import timedelta
from django.utils import timezone
from accounts.web.clients import Client
from accounts.models import Session, User
from accounts.events import SecurityEvent
from botpenguin.platform.models import Contact, ContactTag
from developers import issuance
from developers.outbound.models import ApiLog
from post_office.models import STATUS, Email
from tests.cast import PASSWORD, token_text

long_ago, at_once = timezone.now() - timedelta(days=500), dict(batch_size=1_000)
revoker, large, *importers = [
    User.objects.create_user(f"person{{number}}@example.com", PASSWORD) for number in range({people})
]
for user in (revoker, large, *importers):
    issuance.issue(user, Client("127.0.0.1", "tests"))
contacts = [Contact(owner=large, name=f"Contact {{number}}") for number in range({large})]
Contact.objects.bulk_create(contacts, **at_once)
ContactTag.objects.bulk_create(
    [ContactTag(contact=contact, name=f"tag {{tag}}") for contact in contacts for tag in range({tags})], **at_once
)
ApiLog.objects.bulk_create(
    [ApiLog(owner=large, api_name="A", kind="call", response_body="x" * 16_000) for _ in range({logs})], **at_once
)
Session.objects.bulk_create(
    [Session(session_key=f"old {{number}}", session_data="", expire_date=long_ago) for number in range({old})],
    **at_once,
)
SecurityEvent._base_manager.bulk_create(
    [SecurityEvent(user=large, kind="signed_in", at=long_ago) for _ in range({old})], **at_once
)
Email.objects.bulk_create(
    [
        Email(from_email="a@example.com", to=["b@example.com"], message="Hello " * 500, status=STATUS.queued)
        for _ in range({letters})
    ]
)
print(*map(token_text, importers), sep="\\n")
"""


class Importer(Thread):
    """A program that imports as many contacts as a call takes, again and again, each time other ones."""

    def __init__(self, server: Server, number: int, token: str, is_over: Event) -> None:
        super().__init__()
        self.server, self.number, self.token, self.is_over = server, number, token, is_over
        tags = ",".join(f'"a tag {tag}"' for tag in range(TAGS))
        rows = (
            f'{{"profile":{{"userDetails":{{"name":"N","contact":{{"email":"c{row}.CALL@example.com"}}}}}},"tags":[{tags}]}}'
            for row in range(CONTACTS)
        )
        self.body = f"[{','.join(rows)}]"
        self.statuses: Counter[int] = Counter()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        while not self.is_over.is_set():
            body = self.body.replace("CALL", f"{self.number}.{self.statuses.total()}")
            connection.request("POST", IMPORT, body, headers)
            answer = connection.getresponse()
            answer.read()
            self.statuses[answer.status] += 1
            if answer.status != 201:
                self.is_over.wait(float(answer.headers.get("Retry-After", 0.2)))
        connection.close()


@contextmanager
def importing(server: Server, tokens: list[str]) -> Iterator[list[Importer]]:
    is_over = Event()
    importers = [Importer(server, number, token, is_over) for number, token in enumerate(tokens)]
    for importer in importers:
        importer.start()
    try:
        yield importers
    finally:
        is_over.set()
        for importer in importers:
            importer.join()


def timed(act: Callable[[], int]) -> tuple[int, float]:
    began_at = time.monotonic()
    status = act()
    return status, (time.monotonic() - began_at) * 1000


def revoke(person: Person, times: int) -> list[tuple[int, float]]:
    """Press Revoke so many times; return the statuses and milliseconds."""
    page = person.page()
    [generation] = set(map(int, re.findall(r'name="generation" value="(\d+)"', page.text)))
    return [
        timed(
            lambda: person.press("revoke", page, generation=str(generation), even_if_used="on").status_code  # noqa: B023
        )
        for generation in range(generation, generation + times)
    ]


def delete_account(person: Person) -> int:
    page = person.client.get("/account/delete/")
    form = {"email": "person1@example.com", "csrfmiddlewaretoken": csrf_token(page)}
    return person.client.post("/account/delete/", data=form).status_code


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_revokes_do_not_queue_behind_the_work_of_others(
    kind: str, serve: Serve, request: pytest.FixtureRequest
) -> None:
    where = {"DATABASE_URL": request.getfixturevalue("database")} if kind == "postgresql" else {}
    server = serve(MAIL_WORKER="on", API_REFUSED_LIMIT="0", **where)
    numbers = {"people": 2 + IMPORTERS, "large": LARGE, "tags": TAGS_OF_LARGE, "logs": LOGS, "old": OLD}
    filled = server.manage("shell", "--no-imports", "-v0", "-c", FILL.format(letters=LETTERS, **numbers))
    assert filled.returncode == 0, filled.stderr
    revoker, large = Person(server.url, 0), Person(server.url, 1)

    with importing(server, filled.stdout.split()) as importers:
        poll(lambda: sum(importer.statuses.total() for importer in importers))
        deleted, milliseconds_of_deletion = timed(lambda: delete_account(large))
        housekeeping = server.manage_in_background("housekeeping")
        began_at = time.monotonic()
        revokes = revoke(revoker, REVOKES)
        seconds = time.monotonic() - began_at
    # In the middle of whatever it is.
    housekeeping.kill()
    housekeeping.communicate()
    [[left]] = server.rows(
        "SELECT count(*) FROM platform_contact WHERE owner_id NOT IN (SELECT user_id FROM developers_apitoken)"
    )
    took = sorted(milliseconds for _, milliseconds in revokes)
    imports = sum((importer.statuses for importer in importers), Counter[int]())
    figures = (
        f"{kind}: {REVOKES} revokes in {seconds:.1f} s, median {median(took):.0f} ms, slowest {took[-1]:.0f} ms; "
        f"deletion answered in {milliseconds_of_deletion:.0f} ms, {left} of its {LARGE} contacts left; "
        f"imports {dict(imports)}"
    )
    print(figures)

    assert Counter(status for status, _ in revokes) == {200: REVOKES}
    assert deleted == 302
    assert imports[201] >= IMPORTERS
    assert set(imports) <= {201, 429}
    # The mail worker goes on with it.
    poll(lambda: not server.rows("SELECT 1 FROM accounts_deletion"), SECONDS_TO_DELETE)
    assert server.rows("SELECT 1 FROM platform_contact WHERE NOT is_imported") == []
