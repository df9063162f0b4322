"""Certificates, redirects and our own token."""

import base64
import json
import socket
import ssl

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers import tokens
from developers.outbound.recipe import Recipe, RecipeField, fill
from developers.outbound.transport.responses import explain
from developers.outbound.transport.sending import send
from developers.outbound.validation import own_token_sent
from tests.developers.outbound import certificates
from tests.developers.outbound.servers import Far, Peer, answers, far, response

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]

BODY = tokens.PREFIX + "x" * tokens.RANDOM_LENGTH
TOKEN = BODY + tokens.checksum(BODY)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("latin-1")).decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.Authority(tmp_path_factory.mktemp("certificates"))


def resolver(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
    """Every name is this machine's."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]


def test_certificates_are_checked_by_the_name_in_the_url(alice: User, authority: certificates.Authority) -> None:
    with Far(answers(response(b'"secure"')), tls=authority.server("api.example.com")) as server:
        answer = send(
            Recipe("GET", f"https://api.example.com:{server.port}/"),
            owner=alice,
            resolver=resolver,
            ssl_context=authority.client(),
        )

    assert (answer.problem, answer.data) == (None, "secure")
    # It was connected to by its address.
    assert server.names == ["api.example.com"]


def test_a_certificate_that_is_not_to_be_trusted_is_refused(alice: User, authority: certificates.Authority) -> None:
    def problem(host: str, context: ssl.SSLContext | None, **options: int) -> str:
        with Far(answers(response(b"{}")), tls=authority.server(host, **options)) as server:
            url = f"https://api.example.com:{server.port}/"
            answer = send(Recipe("GET", url), owner=alice, resolver=resolver, ssl_context=context)
        assert server.requests == []
        return answer.problem or ""

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

    with Far(speak_http) as server:
        answer = send(Recipe("GET", server.url.replace("http:", "https:")), owner=alice)

    assert answer.problem == "No secure connection was made: the server broke the rules of TLS."


def test_a_handshake_that_drips_ends_in_time(alice: User, settings: Settings) -> None:
    settings.OUTBOUND_SECONDS = 0.5

    def drip(peer: Peer) -> None:
        peer.connection.recv(65536)
        # The header of a record of TLS that promises 16 KB, each byte of them in good time.
        peer.send(b"\x16\x03\x03\x40\x00")
        while not peer.stopped.wait(0.02):
            peer.send(b"\x02")

    with Far(drip) as server:
        answer = send(Recipe("GET", server.url.replace("http:", "https:")), owner=alice)

    assert answer.problem == "The server could not be reached within 0.5 seconds."
    assert 0.5 <= answer.seconds < 10


def test_a_closed_port_is_a_problem_with_a_sentence(alice: User) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = send(Recipe("GET", f"http://127.0.0.1:{unused.getsockname()[1]}/"), owner=alice)

    assert answer.problem == "Nothing answers at this server and port."


def test_after_an_address_that_fails_the_next_one_is_tried(alice: User) -> None:
    def two(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, 1, 6, "", (address, port)) for address in ("127.0.0.3", "127.0.0.1")]

    with far(response(b'"second"')) as server:
        answer = send(Recipe("GET", f"http://two.example.com:{server.port}/"), owner=alice, resolver=two)

    assert answer.data == "second"


def test_proxies_of_the_environment_are_not_used(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with far(response(b'"direct"')) as server:
        answer = send(Recipe("GET", server.url), owner=alice)

    assert answer.data == "direct"


# Redirects


def test_a_redirect_is_reported_and_not_followed(alice: User) -> None:
    with far(response(b"", "Location: /there?x=1", status="302 Found")) as server:
        answer = send(Recipe("GET", f"{server.url}/here"), owner=alice)

    assert (answer.status, answer.redirected_to) == (302, (f"{server.url}/there?x=1",))
    assert answer.explanation == "The server points to another address, which was not followed."
    assert server.connections == 1


def test_where_redirects_are_not_followed_one_that_cannot_be_read_is_shown(alice: User) -> None:
    with far(response(b'"moved"', "Location: http://[::1/", status="301 Moved")) as server:
        answer = send(Recipe("GET", server.url), owner=alice)

    assert (answer.status, answer.problem, answer.data, answer.redirected_to) == (301, None, "moved", ())
    assert ("Location", "http://[::1/") in answer.headers


@pytest.mark.parametrize(
    ("status", "method", "again"),
    [("302 A", "POST", b"GET"), ("303 B", "PUT", b"GET"), ("307 C", "POST", b"POST"), ("301 D", "GET", b"GET")],
)
def test_a_redirect_is_followed_where_that_was_chosen(alice: User, status: str, method: str, again: bytes) -> None:
    with far(response(b"", "Location: /there#part", status=status), response(b'"there"')) as server:
        recipe = Recipe(
            method, f"{server.url}/here", headers=(RecipeField("X-Key", "k"),), body="{}", follows_redirects=True
        )
        answer = send(recipe, owner=alice)

    assert (answer.status, answer.data) == (200, "there")
    assert server.requests[1].startswith(again + b" /there HTTP/1.1\r\n")
    assert b"X-Key: k" in server.requests[1]
    assert server.requests[1].endswith(b"\r\n\r\n{}") is (again == b"POST")


# Whatever a person has set up, also what the sender would write itself.
SET_UP = (
    *(
        RecipeField("X-Key", "set-up"),
        RecipeField("Authorization", "Bearer set-up", is_secret=True),
        RecipeField("Cookie", "a=set-up"),
    ),
    *(
        RecipeField("Accept", "text/set-up"),
        RecipeField("User-Agent", "set-up"),
        RecipeField("accept-language", "set-up"),
    ),
    *(
        RecipeField("Content-Type", "text/set-up"),
        RecipeField("Referer", "http://set-up/"),
        RecipeField("Origin", "http://set-up"),
    ),
)


def lines(request: bytes) -> list[str]:
    head, _, _ = request.decode().partition("\r\n\r\n")
    return sorted(head.split("\r\n")[1:], key=str.lower)


def own_lines(server: Far) -> list[str]:
    """What the sender writes where nothing is set up."""
    host = f"Host: 127.0.0.1:{server.port}"
    return ["accept-encoding: gzip, deflate", "accept: */*", "connection: close", host, "user-agent: BotPenguin"]


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
def test_another_server_gets_no_header_that_was_set_up_for_the_first(alice: User, status: str) -> None:
    with far(response(b'"there"')) as second, far(response(b"", f"Location: {second.url}/", status=status)) as first:
        answer = send(Recipe("GET", first.url, headers=SET_UP, follows_redirects=True), owner=alice)

    assert answer.data == "there"
    assert sum("set-up" in line for line in lines(first.requests[0])) == len(SET_UP)
    assert lines(second.requests[0]) == own_lines(second)


def test_nor_does_the_first_once_another_one_leads_back_to_it(alice: User) -> None:
    back: list[bytes] = []

    def redirect_back(peer: Peer) -> None:
        peer.read_request()
        peer.send(back[0])

    with Far(redirect_back) as second:
        away = response(b"", f"Location: {second.url}/", status="302 Found")
        with far(away, response(b'"back"')) as first:
            back.append(response(b"", f"Location: {first.url}/back", status="302 Found"))
            answer = send(Recipe("GET", first.url, headers=SET_UP, follows_redirects=True), owner=alice)

    assert answer.data == "back"
    assert lines(first.requests[1]) == own_lines(first)


def test_another_scheme_is_another_server(alice: User, authority: certificates.Authority) -> None:
    with (
        Far(answers(response(b'"secure"')), tls=authority.server("127.0.0.1")) as secure,
        far(response(b"", f"Location: {secure.url}/", status="301 Moved")) as plain,
    ):
        recipe = Recipe("GET", plain.url, headers=SET_UP, follows_redirects=True)
        answer = send(recipe, owner=alice, ssl_context=authority.client())

    assert answer.data == "secure"
    assert lines(secure.requests[0]) == own_lines(secure)


def test_another_server_gets_no_body(alice: User) -> None:
    with far(response()) as second, far(response(b"", f"Location: {second.url}/", status="307 M")) as first:
        refused = send(Recipe("POST", first.url, body='{"a": 1}', follows_redirects=True), owner=alice)

    assert refused.problem == (
        "The server redirects to another one, which must not get the body. That is not followed."
    )
    assert second.connections == 0


def test_redirects_without_an_end_are_given_up(alice: User) -> None:
    with far(response(b"", "Location: /again", status="301 Moved")) as server:
        answer = send(Recipe("GET", server.url, follows_redirects=True), owner=alice)

    assert answer.problem == "The server redirects again and again. At most 5 redirects are followed."
    assert server.connections == 6


@pytest.mark.parametrize(
    ("location", "problem"),
    [
        ("file:///etc/passwd", "Only https:// and http:// can be called."),
        ("http://user:password@127.0.0.1/", "Put no user name or password into the URL."),
        ("http://[::1/", "The server redirects to an address that cannot be read."),
        ("http://xn--a.example/", "The name of the server holds characters that no name has."),
        ("//10.0.0.1/", "There is no public server at this address."),
        (f"/?leak={TOKEN}", "The server redirects to an address with an API access token in it."),
        (f"//{TOKEN}.example.com/", "The server redirects to an address with an API access token in it."),
        (f"/{encoded(encoded(TOKEN))}", "The server redirects to an address with an API access token in it."),
    ],
)
def test_a_redirect_is_checked_as_a_url_is(alice: User, location: str, problem: str) -> None:
    with far(response(b"", f"Location: {location}", status="302 Found")) as server:
        answer = send(Recipe("GET", server.url, follows_redirects=True), owner=alice)

    assert (answer.problem or "").startswith(problem)
    assert server.connections == 1


def test_a_redirect_leads_out_of_https_never(alice: User, authority: certificates.Authority) -> None:
    there = response(b"", "Location: http://127.0.0.1/", status="302 Found")
    with Far(answers(there), tls=authority.server("127.0.0.1")) as server:
        recipe = Recipe("GET", server.url, follows_redirects=True)
        answer = send(recipe, owner=alice, ssl_context=authority.client())

    assert answer.problem == (
        "The server redirects from https to http, where others could read along. That is not followed."
    )


# Our own token


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
    answer = send(recipe, owner=alice)

    assert (answer.status, answer.problem) == (
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

    answer = send(fill(recipe, values), owner=alice)

    assert answer.problem == own_token_sent()


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
