"""None of these is connected to: there is a socket that counts, and a spy on every look-up and connection."""

import sys
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound import url_rules
from developers.outbound.recipe import Recipe, RecipeField, attributes_in_path_only
from developers.outbound.transport import addresses
from developers.outbound.transport.addresses import is_public
from developers.outbound.transport.sending import send
from developers.outbound.url_rules import BadUrl
from tests.developers.outbound.servers import Far, far, resolver_of, response

pytestmark = pytest.mark.matrix

NO_PUBLIC_SERVER = (
    "There is no public server at this address. Check the URL for typing errors, or try again later. "
    "Private and reserved addresses cannot be called, unless this server's operator has opened them."
)

# {port} is that of a socket which listens on all addresses of this machine.
URLS = [
    "http://127.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.255.255.254:{port}/",
    "http://2130706433:{port}/",
    "http://017700000001:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://0177.0.0.01:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0x7F.0x0.0x0.0x1:{port}/",
    "http://0x7f.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.0.0.1..:{port}/",
    "http://127.0.0.01:{port}/",
    "http://127.00000.0.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://00:{port}/",
    "http://0x0:{port}/",
    "http://0x:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://LOCALHOST:{port}/",
    "http://api.localhost:{port}/",
    "http://ip6-localhost:{port}/",
    "http://printer.local:{port}/",
    "http://db.internal:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2001:0:0:0:0:0:80ff:fffe]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[fe80::1%lo]:{port}/",
    "http://[fec0::1]:{port}/",
    "http://[fc00::1]:{port}/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[ff02::1]:{port}/",
    "http://[100::1]:{port}/",
    "http://[2001:db8::1]:{port}/",
    "http://[3fff::1]:{port}/",
    "http://[::1:{port}/",
    "http://::1:{port}/",
    "http://[v1.127.0.0.1]:{port}/",
    "http://[127.0.0.1]:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://metadata/computeMetadata/v1/",
    "http://instance-data/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://192.0.0.192/opc/v1/",
    "http://168.63.129.16/machine",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://198.18.0.1/",
    "http://192.0.2.1/",
    "http://198.51.100.1/",
    "http://203.0.113.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://user@127.0.0.1:{port}/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1:{port}/",
    "http://example.com:80@127.0.0.1:{port}/",
    "http://@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/",
    "http:\\\\127.0.0.1:{port}\\",
    "http:/\\127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}/",
    "http://127.0.0.1%2f:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%00.example.com:{port}/",
    "http://１２７.０.０.１:{port}/",
    "http://127。0。0。1:{port}/",
    "http://127．0．0．1:{port}/",
    "http://127｡0｡0｡1:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://１２７。０。０。１:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "http://ｌｏｃａｌｈｏｓｔ:{port}/",
    "http://٢١٣٠٧٠٦٤٣٣:{port}/",
    "http://loc\u00adalhost:{port}/",
    "http://127.0.0.1\u200b:{port}/",
    "http://example.com\u202e:{port}/",
    "http://exa\ud800mple.com/",
    "http://127.0.0.1 :{port}/",
    "http:// 127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1:{port}/\r\nX-Evil: 1",
    "http://127.0.0.1:{port}/%0d%0a",
    "http://127.0.0.1\r\n:{port}/",
    "http://example.com/\0",
    "http:///",
    "http://",
    "http://:{port}/",
    "http://?x",
    "http://#x",
    "http://.",
    "http://..:{port}/",
    "http://.example.com/",
    "http://exa_mple..com/",
    "http://-example.com/",
    "http://exa$mple.com/",
    "http://xn--a.example/",
    "http://XN--ls8h.example/",
    "http://example.com:/",
    "http://example.com:0/",
    "http://example.com:00080/",
    "http://example.com:65536/",
    "http://example.com:99999999999999999999/",
    "http://example.com:-1/",
    "http://example.com:8０/",
    "http://example.com:80:80/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:6379x/",
    "http://example.com/#@127.0.0.1:{port}/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_x",
    "dict://127.0.0.1:{port}/info",
    "ldap://127.0.0.1:{port}/",
    "jar:http://127.0.0.1:{port}/!/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "ws://127.0.0.1:{port}/",
    "javascript:alert(1)",
    "data:text/html,x",
    "about:blank",
    "ĥttp://127.0.0.1:{port}/",
]


class Spy:
    """Notes what this process looks up and connects to, below every library."""

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
def counter() -> Iterator[Far]:
    with far(response(b"reached"), host="::") as server:
        yield server


def test_no_disguise_leads_a_call_inside(alice: User, counter: Far, spy: Spy, settings: Settings) -> None:
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
    alice: User, counter: Far, loopback: None, settings: Settings, name: str
) -> None:
    inside = name.replace("{port}", str(counter.port))
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.2"]
    before = counter.connections
    with far(response(b"", f"Location: {inside}", status="302 Found"), host="127.0.0.2") as outside:
        answer = send(Recipe("GET", outside.url, follows_redirects=True), owner=alice)

    assert (answer.status, answer.redirected_to) == (None, (inside,))
    assert answer.problem
    assert counter.connections == before


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["10.0.0.1"], ["::1"], ["fe80::1%lo"], ["::ffff:10.0.0.1"]]
)
def test_a_name_that_leads_inside_is_refused(alice: User, spy: Spy, found: list[str]) -> None:
    answer = send(Recipe("GET", "http://inside.example.com/"), owner=alice, resolver=resolver_of(found))

    assert answer.problem == NO_PUBLIC_SERVER
    assert spy.seen == []


def test_a_name_is_looked_up_once_so_that_it_cannot_lead_elsewhere_afterwards(
    alice: User, counter: Far, loopback: None, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.2"]
    asked: list[str] = []
    rebinding = resolver_of(["127.0.0.2"], ["127.0.0.1"])

    def resolver(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        return rebinding(host, port)

    answer = send(Recipe("GET", f"http://rebinding.example.com:{counter.port}/"), owner=alice, resolver=resolver)

    # The counter listens on all addresses: it tells by which one it was reached.
    assert (answer.text, asked) == ("reached", ["rebinding.example.com"])
    again = send(Recipe("GET", f"http://rebinding.example.com:{counter.port}/"), owner=alice, resolver=resolver)
    assert again.problem == NO_PUBLIC_SERVER


def test_a_setting_opens_the_network_that_it_names_and_no_other(
    alice: User, counter: Far, loopback: None, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.1/32"]

    def answer(host: str) -> str | None:
        sent = send(Recipe("GET", f"http://{host}:{counter.port}/"), owner=alice)
        return sent.text or sent.problem

    assert answer("127.0.0.1") == "reached"
    assert answer("127.0.0.2") == NO_PUBLIC_SERVER
    assert answer("[::1]") == NO_PUBLIC_SERVER
    assert answer("[::ffff:127.0.0.1]") == NO_PUBLIC_SERVER
    settings.OUTBOUND_ALLOWED_NETWORKS = ["::1"]
    assert answer("[::1]") == "reached"
    assert answer("127.0.0.1") == NO_PUBLIC_SERVER


def test_a_setting_that_names_no_network_is_refused(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["the office"]

    with pytest.raises(ImproperlyConfigured, match="OUTBOUND_ALLOWED_NETWORKS holds 'the office'"):
        addresses.allowed_networks()


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"])
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.com:8443/A?b=c", "https://api.example.com:8443/A?b=c"),
        ("https://bücher.example/é", "https://xn--bcher-kva.example/%C3%A9"),
        ("http://93.184.216.34:8080/", "http://93.184.216.34:8080/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("http://my_host.example.com:80/", "http://my_host.example.com/"),
        ("https://example.com:443/", "https://example.com/"),
    ],
)
def test_usual_urls_are_read(text: str, read: str) -> None:
    url = url_rules.read(text)

    assert f"{url.scheme}://{url.netloc.decode()}{url.raw_path.decode()}".rstrip("/") == str(
        url_rules.read(read)
    ).replace("bücher", "xn--bcher-kva").rstrip("/")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://example.com/" + "x" * 8000, "The URL is longer than 8000 characters."),
        ("https://" + ".".join(["a" * 60] * 5), "The name of the server holds characters that no name has."),
        ("https://example.com/?a=1#x", "Leave out # and what follows it: no server gets to see that."),
    ],
)
def test_unusual_urls_are_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadUrl) as caught:
        url_rules.read(text)
    assert str(caught.value) == sentence


def test_private_names_are_for_installations_that_open_their_network(settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["10.0.0.0/8"]

    assert url_rules.read("http://db.internal/").host == "db.internal"


def test_the_url_of_an_api_has_attributes_in_its_path_and_no_query() -> None:
    assert url_rules.problem("https://example.com/{{id}}/x") is None
    assert url_rules.problem("https://example.com/?a=1") == "Put what follows ? into Parameters."
    assert url_rules.problem("https://{{host}}/") == attributes_in_path_only()
    assert url_rules.problem("nowhere") == "The URL must start with https:// or http:// and the name of a server."
    assert url_rules.split("https://example.com/a?b=c%20d&e=") == (
        "https://example.com/a",
        (RecipeField("b", "c d"), RecipeField("e", "")),
    )
