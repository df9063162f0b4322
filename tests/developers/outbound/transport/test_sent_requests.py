"""What is reported of the requests that went out is what the server got."""

from dataclasses import replace

import pytest

from accounts.models import User
from developers.outbound.recipe import Recipe, RecipeField, parameters_of
from developers.outbound.transport.responses import SentRequest
from developers.outbound.transport.sending import send
from tests.developers.outbound import certificates
from tests.developers.outbound.servers import LocalServer, responding, response, serving

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]


def written(sent: SentRequest) -> bytes:
    """Write the head of a request as HTTP has it."""
    target = sent.url.partition("://")[2].partition("/")[2]
    lines = [f"{sent.method} /{target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.headers)]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def own(*headers: tuple[str, str]) -> tuple[RecipeField, ...]:
    return tuple(RecipeField(name, value) for name, value in headers)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("GET", "/"),
        Recipe("GET", ""),
        Recipe("DELETE", "/ü/%20/a b".replace(" ", "+"), parameters_of("pretty&a=%20&&b=ö")),
        Recipe("POST", "/orders", body='{"a": "é"}'),
        Recipe("POST", "/orders", body_kind="none"),
        Recipe("PUT", "/", body="a=b", body_kind="form", headers=own(("content-TYPE", "text/x"))),
        Recipe("PATCH", "/", body="", body_kind="text"),
        Recipe("GET", "/", headers=own(("Accept", "a/b"), ("USER-agent", "me"), ("X-Twice", "1"), ("x-twice", "2"))),
        Recipe("GET", "/", headers=own(("X-Empty", ""), ("X-Blank", "  a  b "), ("X-Wide", "ж😀"))),
    ],
)
def test_the_head_that_is_reported_is_the_one_that_the_server_got(alice: User, recipe: Recipe) -> None:
    with serving(response(b"{}")) as server:
        received = send(replace(recipe, url=server.url + recipe.url), owner=alice)

    assert [written(sent) for sent in received.sent] == [server.requests[0].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"]
    assert received.sent[0].headers[0] == ("Host", server.url.removeprefix("http://"))


def test_each_request_of_a_redirect_is_reported_as_it_went_out(alice: User) -> None:
    hops = [response(b"", f"Location: /{hop}", status=f"{status} See") for hop, status in ((1, 307), (2, 303))]
    recipe = Recipe("POST", "", headers=own(("X-Key", "k")), body="{}", follows_redirects=True)
    with serving(*hops, response(b"{}")) as server:
        received = send(replace(recipe, url=server.url), owner=alice)

    assert [written(sent) for sent in received.sent] == [
        request.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" for request in server.requests
    ]
    assert [sent.method for sent in received.sent] == ["POST", "POST", "GET"]


def test_a_request_over_tls_is_reported_too(alice: User, authority: certificates.Authority) -> None:
    with LocalServer(responding(response(b"{}")), tls=authority.server("127.0.0.1")) as server:
        received = send(Recipe("GET", f"{server.url}/x"), owner=alice, ssl_context=authority.client())

    assert [sent.url for sent in received.sent] == [f"{server.url}/x"]


@pytest.mark.parametrize("url", ["nowhere", "http://127.0.0.1:1", "http://10.0.0.1", "https://{port}"])
def test_where_no_request_went_out_none_is_reported(alice: User, url: str) -> None:
    with LocalServer(lambda peer: None) as server:
        received = send(Recipe("GET", url.format(port=server.url.removeprefix("http://"))), owner=alice)

    assert (received.status, received.sent, bool(received.problem)) == (None, (), True)


def test_a_request_without_a_response_is_reported(alice: User) -> None:
    with serving(b"") as server:
        received = send(Recipe("GET", f"{server.url}/x"), owner=alice)

    assert (received.status, [sent.url for sent in received.sent]) == (None, [f"{server.url}/x"])
