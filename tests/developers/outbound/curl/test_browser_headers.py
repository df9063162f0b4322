"""Headers that each sender writes itself are left out of a pasted call."""

import pytest

from developers.outbound import curl

A = "https://a.test"


@pytest.mark.parametrize(
    "headers",
    [
        *("Host: a.test", "authority: a.test", ":authority: a.test", "method: GET", ":path: /x?y=1", "path: /x?y=1"),
        *("scheme: https", ":scheme: https", "Content-Length: 5", "Connection: keep-alive", "Accept-Encoding: gzip"),
        *("sec-ch-ua-platform: x", "Sec-Fetch-Site: none", "Sec-GPC: 1", "TE: trailers", "Transfer-Encoding: chunked"),
    ],
)
def test_headers_of_the_connection_are_left_out(headers: str) -> None:
    imported = curl.read(f"curl '{A}/x?y=1' -H 'X: 1' -H '{headers}'")

    name = f":{headers[1:].partition(':')[0]}" if headers.startswith(":") else headers.partition(":")[0]
    assert [each.name for each in imported.recipe.headers] == ["X"]
    assert imported.left_out == (f"Headers that each sender writes itself are left out: {name}.",)


@pytest.mark.parametrize("header", ["Method: other", "path: /y", "Scheme: x", "Security: x", "Sec-Token: x", "DNT: 1"])
def test_headers_that_only_look_like_those_of_browsers_stay(header: str) -> None:
    imported = curl.read(f"curl '{A}/x?y=1' -H '{header}' -H 'no colon'")

    assert [f"{each.name}: {each.value}" for each in imported.recipe.headers] == [header]
    assert imported.left_out == ("Header 2 is left out: it has no colon.",)


def test_accept_is_taken_away_as_curl_takes_it_away() -> None:
    imported = curl.read(f"curl {A} -H Accept: -H X-Own:")

    assert [(header.name, header.value) for header in imported.recipe.headers] == [("Accept", "")]
    assert imported.left_out == ()
