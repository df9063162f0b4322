"""The log of a call holds its requests as they were sent, with secrets masked."""

import pytest

from accounts.models import User
from developers.outbound.models import ApiLog
from developers.outbound.recipe import MASK, Recipe, RecipeField, parameters_of
from developers.outbound.running import KEPT_OF_A_URL, try_out
from tests.cast import LAPTOP, token_text
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.servers import response, serving

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]


def logged(owner: User, recipe: Recipe) -> ApiLog:
    return ApiLog.objects.get(pk=try_out(owner, "Masked", recipe, {}, client=LAPTOP).log.pk)


def test_a_log_holds_each_header_that_was_sent(alice: User) -> None:
    headers = (RecipeField("X-A", SECRET, is_secret=True), RecipeField("x-a", "b"), RecipeField("Cookie", "c=d"))
    with serving(response(b"{}")) as server:
        log = logged(alice, Recipe("POST", server.url, headers=headers, body="{}"))

    host = server.url.removeprefix("http://")
    assert log.request_headers == [
        ["Host", host],
        ["accept", "*/*"],
        ["user-agent", "BotPenguin"],
        ["content-type", "application/json"],
        ["X-A", MASK],
        ["x-a", MASK],
        ["Cookie", MASK],
        ["accept-encoding", "gzip, deflate"],
        ["connection", "close"],
        ["Content-Length", "2"],
    ]
    assert log.hops == [["POST", f"{server.url}/", 200]]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("a=b&token=t1", f"a=b&token={MASK}"),
        ("%74oken=t+%31&pretty", f"%74oken={MASK}&pretty"),
        (f"q={SECRET}x", f"q={MASK}x"),
        ("b=1&own=a+b%20c%22", f"b=1&own={MASK}"),
        ("own=&a", "own=&a"),
        ("&&a==&", "&&a==&"),
        ("a=?token=t1", "a=?token=t1"),
        ("session", "session"),
    ],
)
def test_secret_parameters_are_masked_in_the_url_as_it_was_sent(alice: User, query: str, shown: str) -> None:
    parameters = tuple(
        RecipeField(part.name, part.value, part.name == "own", part.raw) for part in parameters_of(query)
    )
    headers = (RecipeField("X-A", SECRET, is_secret=True),)
    with serving(response(b"{}")) as server:
        log = logged(alice, Recipe("GET", f"{server.url}/ü", parameters, headers))

    assert log.hops == [["GET", f"{server.url}/%C3%BC?{shown}", 200]]


def test_each_request_of_a_redirect_is_logged_without_the_tokens_of_its_address(alice: User) -> None:
    there = f"/there?access_token=abc&n=1&echo={SECRET}"
    last = f"/last?own={token_text(alice)}&{'x' * 3000}"
    hops = [response(b"", f"Location: {to}", status="307 Again") for to in (there, last)]
    headers = (RecipeField("X-A", SECRET, is_secret=True),)
    with serving(*hops, response(b"{}")) as server:
        followed = logged(alice, Recipe("GET", server.url, headers=headers, follows_redirects=True))
        unfollowed = logged(alice, Recipe("GET", server.url, headers=headers))
    with serving(hops[0]) as other:
        log = logged(alice, Recipe("GET", other.url, headers=headers))

    assert followed.hops == [["GET", f"{server.url}/", 307], ["GET", there_masked(server.url), 307]]
    assert "with an API access token in it" in followed.problem
    assert (unfollowed.status, unfollowed.hops) == (200, [["GET", f"{server.url}/", 200]])
    assert ["Location", there_masked("")] in log.response_headers
    assert max(len(url.encode()) for _method, url, _status in followed.hops) <= KEPT_OF_A_URL


def there_masked(url: str) -> str:
    return f"{url}/there?access_token={MASK}&n=1&echo={MASK}"


def test_what_is_unusual_in_a_response_is_logged(alice: User) -> None:
    with serving(b"HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n{}") as server:
        log = logged(alice, Recipe("GET", server.url))

    assert log.notes == ["Some headers break the rules of HTTP. They are shown as far as they can be read."]


def test_a_call_that_was_not_sent_is_logged_with_the_headers_it_has(alice: User) -> None:
    log = logged(alice, Recipe("GET", "nowhere", headers=(RecipeField("Cookie", "a=b"), RecipeField("X-A", "b"))))

    assert (log.hops, log.request_headers) == ([], [["Cookie", MASK], ["X-A", "b"]])


def test_the_size_of_a_log_counts_its_requests_and_notes() -> None:
    log = ApiLog(hops=[], notes=[])
    before = log.measure()

    log.hops, log.notes = [["GET", "u" * 100, 200]], ["n" * 50]

    assert 150 <= log.measure() - before < 200


def test_the_log_shows_the_parts_that_were_sent_with_their_boundary(alice: User) -> None:
    with serving(response(b"hunter22")) as server:
        fields = (RecipeField("api_key", "hunter22"), RecipeField("name", "{{name}}"))
        recipe = Recipe("POST", server.url, body_kind="multipart", body_fields=fields)
        ran = try_out(alice, "Orders", recipe, {"name": "Zoë"}, client=LAPTOP)

    sent = server.requests[0].partition(b"\r\n\r\n")[2].decode()
    assert ran.log.request_body == sent.replace("hunter22", MASK)
    assert [value for name, value in ran.log.request_headers if name.lower() == "content-type"] == [
        f"multipart/form-data; boundary={sent.split()[0].removeprefix('--')}"
    ]
    assert ran.log.response_body == MASK
