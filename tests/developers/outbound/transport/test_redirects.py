"""Redirects: which are followed, and what another server gets."""

import pytest

from accounts.models import User
from developers.outbound.recipe import METHODS, Recipe, RecipeField
from developers.outbound.transport.sending import send
from tests.developers.outbound import certificates
from tests.developers.outbound.servers import LocalServer, Peer, responding, response, serving
from tests.developers.outbound.transport.own_token import TOKEN, encoded

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]


def test_a_redirect_is_reported_and_not_followed(alice: User) -> None:
    with serving(response(b"", "Location: /there?x=1", status="302 Found")) as server:
        received = send(Recipe("GET", f"{server.url}/here"), owner=alice)

    assert (received.status, received.redirected_to) == (302, (f"{server.url}/there?x=1",))
    assert received.explanation == "The server points to another address, which was not followed."
    assert server.connections == 1


def test_where_redirects_are_not_followed_one_that_cannot_be_read_is_shown(alice: User) -> None:
    with serving(response(b'"moved"', "Location: http://[::1/", status="301 Moved")) as server:
        received = send(Recipe("GET", server.url), owner=alice)

    assert (received.status, received.problem, received.data, received.redirected_to) == (301, None, "moved", ())
    assert ("Location", "http://[::1/") in received.headers


# RFC 9110, section 15.4, and what curl does without -X.
AGAIN = {
    301: {"POST": "GET"},
    302: {"POST": "GET"},
    303: {"POST": "GET", "PUT": "GET", "PATCH": "GET", "DELETE": "GET"},
    307: {},
    308: {},
}


@pytest.mark.parametrize("status", AGAIN)
@pytest.mark.parametrize("method", METHODS)
def test_a_redirect_is_followed_where_that_was_chosen(alice: User, status: int, method: str) -> None:
    with serving(response(b"", "Location: /there#part", status=f"{status} S"), response(b'"there"')) as server:
        recipe = Recipe(
            method, f"{server.url}/here", headers=(RecipeField("X-Key", "k"),), body="{}", follows_redirects=True
        )
        received = send(recipe, owner=alice)

    again = AGAIN[status].get(method, method)
    changed = f"A redirect turned {method} into {again}. No body was sent again."
    assert (received.status, received.data) == (200, "there")
    assert received.redirects == ((status, f"{server.url}/there#part", again),)
    assert received.notes == ((changed,) if again != method else ())
    assert server.requests[1].startswith(again.encode() + b" /there HTTP/1.1\r\n")
    assert b"X-Key: k" in server.requests[1]
    # 303 and a POST that becomes a GET leave the body out.
    has_body = again == method and status != 303
    assert server.requests[1].endswith(b"\r\n\r\n{}") is has_body
    assert (b"content-type: application/json" in server.requests[1]) is has_body


@pytest.mark.parametrize(
    ("locations", "path"),
    [
        ([b"/there"], b"/there"),
        ([b"there?a=b#c"], b"/there?a=b"),
        ([b"/first", b"/second"], b"/first"),
        ([b"/caf\xc3\xa9"], b"/caf%C3%A9"),
        ([b"/caf\xe9"], b"/caf%E9"),
        ([b"/caf%E9?q=%20+%2f"], b"/caf%E9?q=%20+%2f"),
        ([b"/a b"], b"/a%20b"),
        ([b"?page=2"], b"/?page=2"),
        ([b""], None),
        ([], None),
    ],
)
def test_the_first_location_is_followed_byte_for_byte(locations: list[bytes], path: bytes | None) -> None:
    lines = b"".join(b"Location: " + location + b"\r\n" for location in locations)
    redirect = response(b"{}", status="302 Found").replace(b"\r\n", b"\r\n" + lines, 1)
    with serving(redirect, response(b'"there"')) as server:
        received = send(Recipe("GET", server.url, follows_redirects=True), owner=1)

    asked = [request.split(b" ")[1] for request in server.requests]
    assert asked == ([b"/", path] if path else [b"/"])
    assert received.data == ("there" if path else {})
    assert len(received.redirects) == len(asked) - 1


def test_each_redirect_of_several_says_its_method(alice: User) -> None:
    hops = [response(b"", f"Location: /{status}", status=f"{status} S") for status in (308, 307, 302, 301)]
    with serving(*hops, response(b'"there"')) as server:
        received = send(Recipe("POST", server.url, body='{"a": 1}', follows_redirects=True), owner=alice)

    lines = [request.split(b" HTTP")[0] for request in server.requests]
    assert lines == [b"POST /", b"POST /308", b"POST /307", b"GET /302", b"GET /301"]
    assert [(status, method) for status, _url, method in received.redirects] == [
        (308, "POST"),
        (307, "POST"),
        (302, "GET"),
        (301, "GET"),
    ]
    assert received.notes == ("A redirect turned POST into GET. No body was sent again.",)


@pytest.mark.parametrize(("status", "method"), [("301 A", "PUT"), ("302 B", "PATCH"), ("308 C", "DELETE")])
def test_a_redirect_that_is_refused_is_shown(alice: User, status: str, method: str) -> None:
    with serving(response()) as second:
        away = response(b'"moved"', f"Location: {second.url}/", status=status)
        with serving(away) as first:
            refused = send(Recipe(method, first.url, body="{}", follows_redirects=True), owner=alice)

    assert (refused.status, refused.text, refused.is_success) == (int(status[:3]), '"moved"', False)
    assert ("Location", f"{second.url}/") in refused.headers
    assert refused.redirects == ((int(status[:3]), f"{second.url}/", ""),)
    assert (refused.problem or "").endswith("which must not get the body. That is not followed.")
    assert second.connections == 0


# All kinds of headers that a person may set, also those that the sender writes itself.
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


def own_lines(server: LocalServer) -> list[str]:
    """Return the headers of a call that has none of its own."""
    host = f"Host: 127.0.0.1:{server.port}"
    return ["accept-encoding: gzip, deflate", "accept: */*", "connection: close", host, "user-agent: BotPenguin"]


@pytest.mark.parametrize("status", ["301 A", "302 B", "303 C", "307 D", "308 E"])
def test_another_server_gets_no_header_that_was_set_up_for_the_first(alice: User, status: str) -> None:
    with (
        serving(response(b'"there"')) as second,
        serving(response(b"", f"Location: {second.url}/", status=status)) as first,
    ):
        received = send(Recipe("GET", first.url, headers=SET_UP, follows_redirects=True), owner=alice)

    assert received.data == "there"
    assert sum("set-up" in line for line in lines(first.requests[0])) == len(SET_UP)
    assert lines(second.requests[0]) == own_lines(second)


def test_nor_does_the_first_once_another_one_leads_back_to_it(alice: User) -> None:
    back: list[bytes] = []

    def redirect_back(peer: Peer) -> None:
        peer.read_request()
        peer.send(back[0])

    with LocalServer(redirect_back) as second:
        away = response(b"", f"Location: {second.url}/", status="302 Found")
        with serving(away, response(b'"back"')) as first:
            back.append(response(b"", f"Location: {first.url}/back", status="302 Found"))
            received = send(Recipe("GET", first.url, headers=SET_UP, follows_redirects=True), owner=alice)

    assert received.data == "back"
    assert lines(first.requests[1]) == own_lines(first)


def test_another_scheme_is_another_server(alice: User, authority: certificates.Authority) -> None:
    with (
        LocalServer(responding(response(b'"secure"')), tls=authority.server("127.0.0.1")) as secure,
        serving(response(b"", f"Location: {secure.url}/", status="301 Moved")) as plain,
    ):
        recipe = Recipe("GET", plain.url, headers=SET_UP, follows_redirects=True)
        received = send(recipe, owner=alice, ssl_context=authority.client())

    assert received.data == "secure"
    assert lines(secure.requests[0]) == own_lines(secure)


def test_another_server_gets_no_body(alice: User) -> None:
    with serving(response()) as second, serving(response(b"", f"Location: {second.url}/", status="307 M")) as first:
        refused = send(Recipe("POST", first.url, body='{"a": 1}', follows_redirects=True), owner=alice)

    assert refused.problem == (
        "The server redirects to another one, which must not get the body. That is not followed."
    )
    assert second.connections == 0


def test_redirects_without_an_end_are_given_up(alice: User) -> None:
    with serving(response(b"", "Location: /again", status="301 Moved")) as server:
        received = send(Recipe("GET", server.url, follows_redirects=True), owner=alice)

    assert received.problem == "The server redirects again and again. At most 5 redirects are followed."
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
    with serving(response(b"", f"Location: {location}", status="302 Found")) as server:
        received = send(Recipe("GET", server.url, follows_redirects=True), owner=alice)

    assert (received.problem or "").startswith(problem)
    assert server.connections == 1


def test_a_redirect_leads_out_of_https_never(alice: User, authority: certificates.Authority) -> None:
    there = response(b"", "Location: http://127.0.0.1/", status="302 Found")
    with LocalServer(responding(there), tls=authority.server("127.0.0.1")) as server:
        recipe = Recipe("GET", server.url, follows_redirects=True)
        received = send(recipe, owner=alice, ssl_context=authority.client())

    assert received.problem == (
        "The server redirects from https to http, where others could read along. That is not followed."
    )
