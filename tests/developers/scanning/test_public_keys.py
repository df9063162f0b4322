"""The keys of GitHub's secret scanning: whence they come, how long they count, and how often they are fetched."""

import json
import logging

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.cache import cache
from pytest_django.fixtures import Settings

from accounts.throttling.models import CachedValue
from botpenguin.operations.settings_checks import check_keys_come_over_https
from developers.scanning.public_keys import CACHED, NoKeys, is_safe, key_of
from tests.developers.outbound.servers import Behaviour, Peer, response, serving
from tests.github import JSON, KEYS_PATH, NAME, GitHub, listing, public_pem, row, wait_five_minutes

pytestmark = [pytest.mark.django_db, pytest.mark.matrix]

HOUR, DAY = 3600, 24 * 3600
P256 = ec.generate_private_key(ec.SECP256R1())
GOOD = row(NAME, public_pem(P256))


def make_older(seconds: float) -> None:
    """Let time pass since the keys were fetched."""
    at, pems = cache.get(CACHED)
    cache.set(CACHED, [at - seconds, pems])


def forget_after_a_day() -> None:
    CachedValue.objects.filter(key__contains=CACHED).update(ends_at=1)


def private_pem() -> str:
    return P256.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


ANSWERS = {
    "nothing": b"",
    "nonsense": b"\xff\xfe nonsense",
    "cut off": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{",
    "empty": response(b"", JSON),
    "no JSON": response(b"{", JSON),
    "a list": response(b"[]", JSON),
    "a number": response(b"7", JSON),
    "nested deeply": response(b"[" * 100_000, JSON),
    "an object of keys": response(b'{"public_keys": {}}', JSON),
    "too long": response(json.dumps({"public_keys": [GOOD], "padding": "x" * 2**20}).encode(), JSON),
    "not found": response(json.dumps({"public_keys": [GOOD]}).encode(), JSON, status="404 Not Found"),
    "no keys": listing(),
    "too many keys": listing(*([7] * 60), GOOD),
    "wrong rows": listing(7, None, [], {}, {"key_identifier": NAME}, {"key": GOOD["key"]}, row(NAME, 7), row(NAME, "")),
    "another curve": listing(row(NAME, public_pem(ec.generate_private_key(ec.SECP384R1())))),
    "RSA": listing(row(NAME, public_pem(rsa.generate_private_key(65537, 2048)))),
    "Ed25519": listing(row(NAME, public_pem(ed25519.Ed25519PrivateKey.generate()))),
    "a private key": listing(row(NAME, private_pem())),
    "a long key": listing(row(NAME, GOOD["key"] + "\n" * 1000)),
}


def test_the_keys_are_fetched_once_for_all_processes(github: GitHub) -> None:
    keys = [key_of(NAME), key_of(NAME), key_of("an-older-one")]

    assert [key and key.public_numbers() for key in keys] == [github.key.public_key().public_numbers()] * 3
    assert github.server.connections == 1
    assert github.server.requests[0].startswith(f"GET {KEYS_PATH} HTTP/1.1\r\n".encode())


def test_unknown_names_fetch_the_keys_once_in_five_minutes(github: GitHub) -> None:
    assert [key_of(f"unknown-{number}") for number in range(20)] == [None] * 20
    assert github.server.connections == 1

    wait_five_minutes()

    assert [key_of(f"unknown-{number}") for number in range(20)] == [None] * 20
    assert github.server.connections == 2


def test_a_server_that_is_away_is_asked_once_in_five_minutes(github: GitHub) -> None:
    github.answers(response(status="500 Internal Server Error"))

    for _ in range(20):
        with pytest.raises(NoKeys):
            key_of(NAME)

    assert github.server.connections == 1


def test_a_new_key_is_found_after_five_minutes(github: GitHub) -> None:
    key_of(NAME)
    github.answers(listing(row("new", github.pem)))
    first = key_of("new")

    wait_five_minutes()

    assert (first, bool(key_of("new")), key_of(NAME)) == (None, True, None)


@pytest.mark.parametrize("age", [HOUR, -60], ids=["after an hour", "after the clock was set back"])
def test_a_withdrawn_key_ends(github: GitHub, age: int) -> None:
    assert key_of(NAME)
    github.answers(listing(row("new", github.pem)))
    wait_five_minutes()
    make_older(age)

    assert key_of(NAME) is None


def test_fresh_keys_are_not_fetched_again(github: GitHub) -> None:
    key_of(NAME)
    wait_five_minutes()
    make_older(HOUR - 60)

    assert key_of(NAME)
    assert github.server.connections == 1


def test_while_the_server_is_away_its_keys_count_for_a_day(github: GitHub) -> None:
    key_of(NAME)
    github.answers(response(status="503 Service Unavailable"))
    make_older(DAY - 60)
    wait_five_minutes()

    assert key_of(NAME)

    forget_after_a_day()
    with pytest.raises(NoKeys):
        key_of(NAME)


@pytest.mark.parametrize("written", [7, None, "text", [], [1], [1, 2], ["now", {}], {"at": 1}])
def test_what_something_else_wrote_into_the_cache_is_no_key(github: GitHub, written: object) -> None:
    cache.set(CACHED, written)

    assert key_of(NAME)
    assert github.server.connections == 1


def test_a_key_in_the_cache_that_is_none_opens_nothing(github: GitHub) -> None:
    key_of(NAME)
    cache.set(CACHED, [cache.get(CACHED)[0], {NAME: 7}])

    assert key_of(NAME) is None


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_whatever_else_a_server_answers_is_no_key(github: GitHub, answer: bytes) -> None:
    github.answers(answer)

    with pytest.raises(NoKeys):
        key_of(NAME)


def test_a_wrong_row_leaves_the_others(github: GitHub) -> None:
    github.answers(listing(7, row("rsa", "no key"), row(NAME, github.pem), row("last", github.pem)))

    assert (key_of("rsa"), bool(key_of(NAME)), bool(key_of("last"))) == (None, True, True)


def without_end(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{")
    while True:
        peer.send(b" " * 65536)


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.wait_until_gone()


@pytest.mark.parametrize("behaviour", [silent, without_end])
def test_a_server_that_does_not_end_is_left(github: GitHub, settings: Settings, behaviour: Behaviour) -> None:
    settings.OUTBOUND_SECONDS = 0.05 if behaviour is silent else 10
    github.server.behaviour = behaviour

    with pytest.raises(NoKeys):
        key_of(NAME)


def test_a_redirect_is_not_followed(github: GitHub, caplog: pytest.LogCaptureFixture) -> None:
    with serving(listing(row(NAME, github.pem))) as other:
        github.answers(response(b"", f"Location: {other.url}{KEYS_PATH}", status="302 Found"))

        with pytest.raises(NoKeys), caplog.at_level(logging.WARNING):
            key_of(NAME)

    assert other.connections == 0
    assert caplog.messages == ["GITHUB_KEYS_URL gives no keys, with the status 302. The response is empty."]


def test_a_dead_server_and_a_private_one_have_no_keys(github: GitHub, settings: Settings) -> None:
    with serving(b"") as gone:
        settings.GITHUB_KEYS_URL = gone.url
    with pytest.raises(NoKeys):
        key_of(NAME)

    wait_five_minutes()
    settings.GITHUB_KEYS_URL, settings.OUTBOUND_ALLOWED_NETWORKS = github.server.url, []
    with pytest.raises(NoKeys):
        key_of(NAME)
    assert github.server.connections == 0


URLS = {
    "https://api.github.com/meta/public_keys/secret_scanning": True,
    "https://127.0.0.1:8443/keys": True,
    "http://127.0.0.1:8001/keys": True,
    "http://[::1]:8001/keys": True,
    "http://api.github.com/meta/public_keys/secret_scanning": False,
    "http://127.0.0.1.example.com/": False,
    "http://127.0.0.1@example.com/": False,
    "http://localhost/": False,
    "ftp://127.0.0.1/": False,
    "file:///etc/keys.json": False,
    "//api.github.com/": False,
    "api.github.com": False,
    "https:api.github.com": False,
    "http://[::1": False,
}


@pytest.mark.parametrize(("url", "expected"), URLS.items(), ids=URLS)
def test_keys_come_over_https_or_from_this_machine(settings: Settings, url: str, expected: bool) -> None:
    settings.GITHUB_KEYS_URL = url

    assert is_safe(url) is expected
    problems = [(problem.id, problem.msg) for problem in check_keys_come_over_https(None)]
    assert problems == ([] if expected else [("botpenguin.E004", "GITHUB_KEYS_URL is no https address.")])


def test_without_an_address_of_the_keys_nothing_is_wrong(settings: Settings) -> None:
    assert (settings.GITHUB_KEYS_URL, check_keys_come_over_https(None)) == ("", [])


def test_keys_are_not_fetched_over_plain_http(github: GitHub, settings: Settings) -> None:
    settings.GITHUB_KEYS_URL = github.server.url.replace("127.0.0.1", "127.0.0.2")
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]

    with pytest.raises(NoKeys):
        key_of(NAME)

    assert github.server.connections == 0
