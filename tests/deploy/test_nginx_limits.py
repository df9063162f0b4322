"""The limits of nginx count an IPv4 address, or an IPv6 /64 as one, in each spelling."""

import random
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import product
from pathlib import Path

import httpx
import pytest

from tests.nginx import HOST, Nginx
from tests.server import TRUSTS_NOBODY, free_port

GROUPS = 8
# The server takes the client's address from this header, so no connection from there is needed.
CLIENT = "X-Client"
REAL_IP = f"set_real_ip_from 127.0.0.1; real_ip_header {CLIENT};"
ECHO = 'server {{ listen 127.0.0.1:{port}; {real_ip} return 200 "$botpenguin_client"; }}'


@pytest.fixture(scope="module")
def key_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A server in nginx that answers with the key that its limits count an address by."""
    port = free_port()
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), free_port())
    (nginx.folder / "conf.d" / "echo.conf").write_text(ECHO.format(port=port, real_ip=REAL_IP))
    with nginx, httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=TRUSTS_NOBODY) as client:
        yield client


def ask(client: httpx.Client, address: str) -> str:
    answer = client.get("/", headers={CLIENT: address})
    assert answer.status_code == 200
    return answer.text


def addresses(*digits: str) -> Iterator[str]:
    """Yield every set of zero groups; the others have these digits, or are random."""
    chosen = random.Random(64)  # noqa: S311 - a sample
    for is_zero in product([True, False], repeat=GROUPS):
        at_random = [f"{chosen.randrange(1, 0x10000):x}" for _ in range(GROUPS)]
        for groups in (at_random, *([group] * GROUPS for group in digits)):
            yield ":".join("0" if zero else group for zero, group in zip(is_zero, groups, strict=True))


@pytest.mark.parametrize("digits", [["1"], pytest.param(["1", "ffff"], marks=pytest.mark.release)])
def test_addresses_share_a_limit_exactly_where_they_share_64_bits(key_of: httpx.Client, digits: list[str]) -> None:
    keys = defaultdict(set)
    for address in map(IPv6Address, addresses(*digits)):
        if not address.ipv4_mapped:
            keys[ip_network((address, 64), strict=False)].add(ask(key_of, str(address)))

    assert {network: found for network, found in keys.items() if len(found) > 1} == {}
    assert len({key for found in keys.values() for key in found}) == len(keys)
    assert len(keys) > 16


@pytest.mark.parametrize(
    ("addresses", "key"),
    [
        (["2001:db8::1", "2001:db8:0:0:ffff::1", "2001:0DB8:0000:0000:1:2:3:4", "2001:db8::"], "2001:db8:0:0"),
        (["2001:db8:0:1::1", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:0:0:1:1"], "2001:db8:0:1"),
        (["2001:db8:1::1", "2001:db8:1:0:1:1:1:1"], "2001:db8:1:0"),
        (["2001:0:0:1::", "2001::1:0:2:3:4"], "2001:0:0:1"),
        (["2001::", "2001::1:2:3:4", "2001:0:0:0:1::"], "2001:0:0:0"),
        (["::1:2:3:4:5:6"], "0:0:1:2"),
        (["::1:2:3:4:5", "0:0:0:1::"], "0:0:0:1"),
        (["::", "::1", "::1:2:3:4", "::198.51.100.1"], "0:0:0:0"),
        (["198.51.100.1", "::ffff:198.51.100.1", "::ffff:c633:6401"], "198.51.100.1"),
        (["198.51.100.2", "::ffff:198.51.100.2"], "198.51.100.2"),
        (["fe80::1", "fe80::ffff:198.51.100.1"], "fe80:0:0:0"),
    ],
)
def test_however_an_address_is_written_its_key_is_one(key_of: httpx.Client, addresses: list[str], key: str) -> None:
    keys = {address: ask(key_of, address) for address in addresses}

    assert keys == dict.fromkeys(addresses, key)


def test_an_ipv4_address_is_counted_for_itself(key_of: httpx.Client) -> None:
    sample = ["0.0.0.0", "127.0.0.1", "192.0.2.1", "192.0.2.10", "203.0.113.255"]  # noqa: S104 - not bound to

    assert [ask(key_of, address) for address in sample] == sample
    assert [ask(key_of, f"::ffff:{ip_address(address)}") for address in sample] == sample


def test_requests_from_one_64_are_refused_together_and_those_from_another_are_not(tmp_path: Path) -> None:
    nginx = Nginx(tmp_path, free_port())
    # With these limits a second of a busy machine makes no difference.
    site, proxy = nginx.folder / "conf.d" / "botpenguin.conf", nginx.folder / "snippets" / "botpenguin-proxy.conf"
    for path, old, new in ((site, "rate=100r/s", "rate=1r/m"), (proxy, "burst=200 nodelay", "burst=2 nodelay")):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
    (nginx.folder / "conf.d" / "real_ip.conf").write_text(REAL_IP)

    with (
        nginx,
        httpx.Client(base_url=f"http://127.0.0.1:{nginx.http}", trust_env=False, verify=TRUSTS_NOBODY) as client,
    ):
        statuses = {
            address: client.get("/api/v7/token", headers={"Host": HOST, CLIENT: address}).status_code
            for address in (
                *("2001:db8::1", "2001:db8:0:0:ffff::1", "2001:db8::2:0:0:1", "2001:db8::ffff:ffff:ffff:ffff"),
                *("2001:db8:0:1::1", "2001:db8:1::1", "2001:db8::1:0:0:0:1", "198.51.100.1", "::1"),
            )
        }

    # No node is there, so what nginx lets through is answered 503.
    assert [address for address, status in statuses.items() if status == 429] == ["2001:db8::ffff:ffff:ffff:ffff"]
    assert set(statuses.values()) == {429, 503}
