"""Calls connect to no private address. A socket counts connections, and an audit hook records look-ups."""

import sys
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.recipe import Recipe
from developers.outbound.transport import addresses
from developers.outbound.transport.addresses import is_public
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import LocalServer, resolver_of, response, serving
from tests.developers.outbound.transport.disguised_urls import URLS

pytestmark = pytest.mark.matrix
NO_PUBLIC_SERVER = (
    "There is no public server at this address. Check the URL for typing errors, or try again later. "
    "Private and reserved addresses cannot be called, unless this server's operator has opened them."
)


class Spy:
    """Records the names that this process looks up and the addresses that it connects to, below every library."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.is_watching = False
        sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_watching and event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
            self.seen.append((event, arguments[1] if event == "socket.connect" else arguments[0]))


the_spy = Spy()


@pytest.fixture
def spy() -> Iterator[Spy]:
    the_spy.seen.clear()
    the_spy.is_watching = True
    yield the_spy
    the_spy.is_watching = False


@pytest.fixture(scope="module")
def counter() -> Iterator[LocalServer]:
    with serving(response(b"reached"), host="::") as server:
        yield server


def test_no_disguise_leads_a_call_inside(alice: User, counter: LocalServer, spy: Spy, settings: Settings) -> None:
    settings.OUTBOUND_RATE_LIMIT = 0
    before = counter.connections

    responses = {url: send(Recipe("GET", url.replace("{port}", str(counter.port))), owner=alice) for url in URLS}

    assert {url: response.status for url, response in responses.items()} == dict.fromkeys(URLS)
    problems = {url: response.problem or "" for url, response in responses.items()}
    assert [url for url, text in problems.items() if not (text[:1].isupper() and text.endswith("."))] == []
    assert [seen for seen in spy.seen if seen[0] == "socket.connect"] == []
    assert counter.connections == before


def test_there_are_enough_of_them() -> None:
    assert len(set(URLS)) >= 60


@pytest.mark.parametrize(
    "name",
    ["http://127.0.0.1:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/", "http://[::1]:{port}/"],
)
def test_a_redirect_leads_inside_no_more_than_a_url(
    alice: User, counter: LocalServer, loopback: None, settings: Settings, name: str
) -> None:
    inside = name.replace("{port}", str(counter.port))
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.2"]
    before = counter.connections
    with serving(response(b"", f"Location: {inside}", status="302 Found"), host="127.0.0.2") as outside:
        received = send(Recipe("GET", outside.url, follows_redirects=True), owner=alice)

    assert (received.status, received.redirected_to) == (None, (inside,))
    assert received.problem
    assert counter.connections == before


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["10.0.0.1"], ["::1"], ["fe80::1%lo"], ["::ffff:10.0.0.1"]]
)
def test_a_name_that_leads_inside_is_refused(alice: User, spy: Spy, found: list[str]) -> None:
    received = send(Recipe("GET", "http://inside.example.com/"), owner=alice, resolver=resolver_of(found))

    assert received.problem == NO_PUBLIC_SERVER
    assert spy.seen == []


def test_a_name_is_looked_up_once_so_that_it_cannot_lead_elsewhere_afterwards(
    alice: User, counter: LocalServer, loopback: None, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.2"]
    asked: list[str] = []
    rebinding = resolver_of(["127.0.0.2"], ["127.0.0.1"])

    def resolver(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        return rebinding(host, port)

    received = send(Recipe("GET", f"http://rebinding.example.com:{counter.port}/"), owner=alice, resolver=resolver)

    assert (received.text, asked) == ("reached", ["rebinding.example.com"])
    again = send(Recipe("GET", f"http://rebinding.example.com:{counter.port}/"), owner=alice, resolver=resolver)
    assert again.problem == NO_PUBLIC_SERVER


def test_a_setting_opens_the_network_that_it_names_and_no_other(
    alice: User, counter: LocalServer, loopback: None, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]

    def received(host: str) -> str | None:
        sent = send(Recipe("GET", f"http://{host}:{counter.port}/"), owner=alice)
        return sent.text or sent.problem

    assert received("127.0.0.1") == "reached"
    assert received("127.0.0.2") == NO_PUBLIC_SERVER
    assert received("[::1]") == NO_PUBLIC_SERVER
    assert received("[::ffff:127.0.0.1]") == NO_PUBLIC_SERVER
    settings.OUTBOUND_ALLOWED_NETWORKS = ["::1"]
    assert received("[::1]") == "reached"
    assert received("127.0.0.1") == NO_PUBLIC_SERVER


def test_a_setting_that_names_no_network_is_refused(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["the office"]

    with pytest.raises(ImproperlyConfigured, match="OUTBOUND_ALLOWED_NETWORKS holds 'the office'"):
        addresses.allowed_networks()


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))
