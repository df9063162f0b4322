"""Certificates, connections, and tokens of BotPenguin that no call may send."""

import base64
import json
import socket
import ssl

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.recipe import Recipe, RecipeField, fill
from developers.outbound.transport.responses import explain
from developers.outbound.transport.sending import send
from developers.outbound.validation import own_token_sent
from tests.developers.outbound import certificates
from tests.developers.outbound.servers import LocalServer, Peer, responding, response, serving
from tests.developers.outbound.transport.own_token import TOKEN, encoded

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]


def resolver(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
    """Resolve every name to this machine."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_certificates_are_checked_by_the_name_in_the_url(alice: User, authority: certificates.Authority) -> None:
    with LocalServer(responding(response(b'"secure"')), tls=authority.server("api.example.com")) as server:
        received = send(
            Recipe("GET", f"https://api.example.com:{server.port}/"),
            owner=alice,
            resolver=resolver,
            ssl_context=authority.client(),
        )

    assert (received.problem, received.data) == (None, "secure")
    # It was connected to by its address.
    assert server.names == ["api.example.com"]


def test_a_certificate_that_is_not_to_be_trusted_is_refused(alice: User, authority: certificates.Authority) -> None:
    def problem(host: str, context: ssl.SSLContext | None, **options: int) -> str:
        with LocalServer(responding(response(b"{}")), tls=authority.server(host, **options)) as server:
            url = f"https://api.example.com:{server.port}/"
            received = send(Recipe("GET", url), owner=alice, resolver=resolver, ssl_context=context)
        assert server.requests == []
        return received.problem or ""

    not_trusted = "The certificate of the server can't be trusted: "
    assert problem("other.example.com", authority.client()) == (
        f"{not_trusted}Hostname mismatch, certificate is not valid for 'api.example.com'."
    )
    assert problem("api.example.com", authority.client(), days=-1) == f"{not_trusted}certificate has expired."
    assert problem("api.example.com", None) == f"{not_trusted}unable to get local issuer certificate."


def test_broken_tls_is_a_problem_with_a_sentence(alice: User) -> None:
    def speak_http(peer: Peer) -> None:
        peer.connection.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with LocalServer(speak_http) as server:
        received = send(Recipe("GET", server.url.replace("http:", "https:")), owner=alice)

    assert received.problem == "No secure connection was made: the server broke the rules of TLS."


def test_a_handshake_that_drips_ends_in_time(alice: User, settings: Settings) -> None:
    settings.OUTBOUND_SECONDS = 0.5

    def drip(peer: Peer) -> None:
        peer.connection.recv(65536)
        # The header of a TLS record that announces 16 KB, which then come slowly, byte by byte.
        peer.send(b"\x16\x03\x03\x40\x00")
        while not peer.stopped.wait(0.02):
            peer.send(b"\x02")

    with LocalServer(drip) as server:
        received = send(Recipe("GET", server.url.replace("http:", "https:")), owner=alice)

    assert received.problem == "The server could not be reached within 0.5 seconds."
    assert 0.5 <= received.seconds < 10


def test_a_closed_port_is_a_problem_with_a_sentence(alice: User) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        received = send(Recipe("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/"), owner=alice)

    assert received.problem == "Nothing answers at this server and port."


def test_after_an_address_that_fails_the_next_one_is_tried(alice: User) -> None:
    def two(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("127.0.0.3", "127.0.0.1")]

    with serving(response(b'"second"')) as server:
        received = send(Recipe("GET", f"http://two.example.com:{server.port}/"), owner=alice, resolver=two)

    assert received.data == "second"


def test_proxies_of_the_environment_are_not_used(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(response(b'"direct"')) as server:
        received = send(Recipe("GET", server.url), owner=alice)

    assert received.data == "direct"


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("GET", f"http://127.0.0.1/{TOKEN}"),
        Recipe("GET", f"http://127.0.0.1/{TOKEN.replace('_', '%5F')}"),
        Recipe("GET", f"http://127.0.0.1/{TOKEN.replace('_', '%255F')}"),
        Recipe("GET", "http://127.0.0.1/", parameters=(RecipeField("x", TOKEN),)),
        Recipe("GET", "http://127.0.0.1/", parameters=(RecipeField(TOKEN, "x"),)),
        Recipe("GET", "http://127.0.0.1/", headers=(RecipeField("Authorization", f"Bearer {TOKEN}"),)),
        Recipe("GET", "http://127.0.0.1/", headers=(RecipeField("X", f"prefix{TOKEN}"),)),
        Recipe("GET", "http://127.0.0.1/", headers=(RecipeField("Authorization", f"Basic {encoded(f'me:{TOKEN}')}"),)),
        *(Recipe("GET", f"http://127.0.0.1/{'x' * n}{encoded(TOKEN + 'x' * n)}") for n in range(4)),
        Recipe("GET", "http://127.0.0.1/", parameters=(RecipeField("x", encoded(f"me:{TOKEN}").rstrip("=")),)),
        Recipe("GET", "http://127.0.0.1/", headers=(RecipeField("X", f"token={encoded(f'{TOKEN}ÿ')};a=b"),)),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps({"token": TOKEN})),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps({"a": [encoded(f"me:{TOKEN}")]})),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps(encoded(f"??>{TOKEN}ÿÿ")).replace("/", "\\/")),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps({"token": TOKEN}).replace("_", "\\u005f")),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps(base64.encodebytes(f"me:{TOKEN}".encode()).decode())),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps(encoded(encoded(TOKEN)))),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps(TOKEN.encode("utf-16").decode("latin-1"))),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps([TOKEN[:20], TOKEN[20:]])),
        Recipe("POST", "http://127.0.0.1/", body=json.dumps("".join(f"&#{ord(letter)};" for letter in TOKEN))),
        Recipe("GET", f"http://127.0.0.1/{TOKEN.replace('_', '%25255F')}"),
        Recipe("GET", f"http://{TOKEN}.example.com/"),
        Recipe("GET", f"http://127.0.0.1/{TOKEN[:20]}/{TOKEN[20:]}"),
        Recipe("GET", "http://127.0.0.1/", parameters=(RecipeField("a", TOKEN[:20]), RecipeField("b", TOKEN[20:]))),
        Recipe("GET", f"http://127.0.0.1/{TOKEN[:-4]}", parameters=(RecipeField(TOKEN[-4:], ""),)),
        Recipe(
            "GET",
            "http://127.0.0.1/",
            headers=(RecipeField("A", encoded(TOKEN)[:30]), RecipeField("B", encoded(TOKEN)[30:])),
        ),
        Recipe("GET", "http://127.0.0.1/", headers=(RecipeField(TOKEN, "x"),)),
    ],
)
def test_our_own_token_is_never_sent(alice: User, recipe: Recipe) -> None:
    received = send(recipe, owner=alice)

    assert (received.status, received.problem) == (
        None,
        "This call holds an API access token of BotPenguin, which is never sent anywhere. Take it out.",
    )


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("GET", "http://127.0.0.1/{{a}}/{{b}}"),
        Recipe("GET", "http://127.0.0.1/", parameters=(RecipeField("x", "{{a}}{{b}}"),)),
        Recipe("GET", "http://127.0.0.1/", headers=(RecipeField("X", "{{a}}{{b}}"),)),
        Recipe("POST", "http://127.0.0.1/", body='{"x": ["{{a}}", {{b}}]}'),
        Recipe("POST", "http://127.0.0.1/", body='{"x": {{whole}}}'),
        Recipe("POST", "http://127.0.0.1/", body='{"x": "{{encoded}}"}'),
    ],
)
def test_nor_is_one_that_attributes_fill_in(alice: User, recipe: Recipe) -> None:
    values = {"a": TOKEN[:9], "b": TOKEN[9:], "whole": TOKEN, "encoded": encoded(f"\r\n{TOKEN}")}

    received = send(fill(recipe, values), owner=alice)

    assert received.problem == own_token_sent()


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "There is nothing at this address. Check the URL."),
        (299, "The call worked."),
        (418, "The server refuses the request. Check it against the server's documentation."),
        (599, "The server failed. Try again later."),
        (999, "The server has answered with a status that HTTP does not know."),
    ],
)
def test_every_status_is_explained_in_words(status: int, sentence: str) -> None:
    assert explain(status) == sentence
