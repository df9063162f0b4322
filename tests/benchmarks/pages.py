"""The page of the token and two long lists beside a bare page view, in process: CPU time and queries."""

import time
from collections.abc import Callable

from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.web.clients import Client
from accounts.web.pagination import PAGE_LENGTH
from botpenguin.platform.models import Contact, ContactTag
from developers import issuance
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.benchmarks.measure import microseconds
from tests.benchmarks.token import caller
from tests.cast import logged_in

CALLS = 20
# Behind the same middleware, with a session and an account.
BARE = "a bare page view"
PAGES = {
    BARE: "/healthz",
    "the token page": "/developers/api-access-token/",
    f"{PAGE_LENGTH} contacts": "/inbox/",
    f"{PAGE_LENGTH} APIs": "/developers/third-party-apps-api/",
}


def main() -> None:
    call_command("migrate", verbosity=0)
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in logged_in(make_person()).cookies.items())
    application = WSGIHandler()
    pages = {name: caller(application, path, Cookie=cookies) for name, path in PAGES.items()}
    queries = {name: count_queries(page) for name, page in pages.items()}
    times = microseconds(pages, CALLS)
    print("\nPages\n\n| | µs of CPU | times a bare page view | queries |\n|---|---:|---:|---:|")
    for name, taken in times.items():
        print(f"| {name} | {taken:,.0f} | {taken / times[BARE]:.1f} | {queries[name]} |")


@transaction.atomic
def make_person() -> User:
    """Make an account whose lists are as long as a page."""
    person = User.objects.create_user(f"lists{time.time_ns()}@example.com")
    issuance.issue(person, Client("127.0.0.1", "benchmark"))
    for number in range(PAGE_LENGTH):
        contact = Contact.objects.create(owner=person, name=f"Person {number}", email=f"person{number}@example.com")
        ContactTag.objects.bulk_create(ContactTag(contact=contact, name=name) for name in ("lead", "vip"))
        OutboundApi.objects.make(person, f"API {number}", Recipe("GET", f"https://api.example.com/{number}"))
    return person


def count_queries(page: Callable[[], None]) -> int:
    """Count those of the second view: the first one fills what a process keeps."""
    page()
    with CaptureQueriesContext(connection) as queries:
        page()
    return len(queries)
