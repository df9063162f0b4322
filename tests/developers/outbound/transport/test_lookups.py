"""Failed look-ups: the response is the same whatever the internal network knows of a name."""

import socket
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.recipe import Recipe
from developers.outbound.transport import addresses
from developers.outbound.transport.addresses import UnreachableHost, resolve
from developers.outbound.transport.responses import OutboundResponse
from developers.outbound.transport.sending import send
from tests.developers.outbound.servers import resolver_of, response, serving
from tests.developers.outbound.transport.test_addresses import NO_PUBLIC_SERVER

pytestmark = pytest.mark.matrix


def fails(*_: Any, **options: Any) -> Any:
    raise socket.gaierror(-2, "Name or service not known")


def misleads(*_: Any, **options: Any) -> Any:
    raise UnicodeError


# Names that the internal network knows, and names that it does not know.
LOOKUPS = {
    "unknown": fails,
    "not a name": misleads,
    "without addresses": resolver_of([]),
    "private": resolver_of(["10.0.0.1"]),
    "loopback": resolver_of(["127.0.1.1"]),
    "private IPv6": resolver_of(["fd00::1"]),
    "link-local": resolver_of(["fe80::1%eth0"]),
    "mixed": resolver_of(["93.184.216.34", "10.0.0.1"]),
    "mixed families": resolver_of(["2606:4700::1111", "192.168.0.1"]),
}


@pytest.mark.parametrize("resolver", LOOKUPS.values(), ids=LOOKUPS.keys())
def test_nobody_finds_out_which_names_the_network_inside_knows(
    alice: User, monkeypatch: pytest.MonkeyPatch, resolver: Any
) -> None:
    monkeypatch.setattr(addresses, "STEP", 0.05)

    received = send(Recipe("GET", "http://wiki.example.com/"), owner=alice, resolver=resolver)

    assert replace(received, seconds=0) == OutboundResponse(problem=NO_PUBLIC_SERVER)
    assert received.seconds >= addresses.STEP


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "[fd00::1]", "[::ffff:10.0.0.1]", "localhost", "wiki.local", "db.internal", "metadata"]
)
def test_an_address_that_is_private_as_it_is_written_is_refused_in_the_same_words(alice: User, host: str) -> None:
    received = send(Recipe("GET", f"http://{host}/"), owner=alice)

    assert received.problem == NO_PUBLIC_SERVER


def test_a_name_that_this_machine_knows_by_itself_is_refused_in_the_same_words(alice: User, settings: Settings) -> None:
    # Then names of private networks are looked up, too.
    settings.OUTBOUND_ALLOWED_NETWORKS = ["192.0.2.1"]

    received = send(Recipe("GET", "http://localhost:9999/"), owner=alice)

    assert received.problem == NO_PUBLIC_SERVER


def test_a_redirect_to_a_name_inside_is_refused_in_the_same_words(alice: User, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.2"]
    settings.OUTBOUND_RATE_LIMIT = 0

    for resolver in LOOKUPS.values():
        with serving(response(b"", "Location: http://wiki/", status="302 Found"), host="127.0.0.2") as outside:
            recipe = Recipe("GET", outside.url, follows_redirects=True)
            assert send(recipe, owner=alice, resolver=resolver).problem == NO_PUBLIC_SERVER


def test_a_name_server_that_does_not_respond_blocks_nobody() -> None:
    answered = Event()

    def silent(*_: Any, **options: Any) -> Any:
        answered.wait(30)
        return []

    def wait_in_vain(owner_id: int) -> None:
        with pytest.raises(UnreachableHost) as caught:
            resolve("slow.example.com", 80, seconds=0.001, owner_id=owner_id, resolver=silent)
        assert str(caught.value) == NO_PUBLIC_SERVER

    for _ in range(4):
        wait_in_vain(owner_id=1)
    of_one = addresses.lookups.under_way
    for owner_id in range(2, 9):
        wait_in_vain(owner_id)
        wait_in_vain(owner_id)
    of_eight = addresses.lookups.under_way
    found = resolve("example.com", 80, seconds=5, owner_id=9, resolver=resolver_of(["93.184.216.34"]))
    answered.set()

    # The third look-up of one account, and the second where half are under way, find their thread taken.
    assert (of_one, of_eight) == (2, 12)
    assert list(map(str, found)) == ["93.184.216.34"]


def test_all_accounts_together_leave_so_many_look_ups_behind() -> None:
    begun = [addresses.lookups.begin(owner_id) for owner_id in range(addresses.MOST_LOOKUPS + 1)]
    addresses.lookups.end(0)

    assert begun == [True] * addresses.MOST_LOOKUPS + [False]
    assert addresses.lookups.begin(addresses.MOST_LOOKUPS)
