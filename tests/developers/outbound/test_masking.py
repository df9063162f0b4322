"""Logs keep nothing of secrets, however many there are and however they are encoded."""

import base64
import json
from collections.abc import Callable

import pytest

from accounts.models import User
from developers import tokens
from developers.outbound.masking import KEPT_OF_A_LINE, MOST_SPELLINGS
from developers.outbound.models import KEPT_OF_A_BODY, ApiLog
from developers.outbound.recipe import MASK, Recipe, RecipeField
from developers.outbound.running import try_out
from tests.cast import LAPTOP
from tests.developers.outbound.servers import response, serving

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]

TEXT = "Content-Type: text/plain"


def logged(owner: User, recipe: Recipe) -> ApiLog:
    return try_out(owner, "Masked", recipe, {}, client=LAPTOP).log


def bytes_of(log: ApiLog) -> int:
    """Return the bytes that a log's texts, and its lists as JSON, take in the database."""
    values = [getattr(log, field.attname) for field in ApiLog._meta.fields]
    texts = [json.dumps(value) if isinstance(value, list) else str(value) for value in values]
    return sum(len(text.encode()) for text in texts)


def test_a_call_with_more_secrets_than_can_be_looked_for_is_logged_without_texts(alice: User) -> None:
    many = json.dumps([f"secret {number}" for number in range(MOST_SPELLINGS)])
    reply = response(b"plain", TEXT, "X-Plain: plain", "X-Empty:")
    with serving(reply) as server:
        log = logged(alice, Recipe("POST", server.url, (RecipeField("a", "plain"),), body=many, body_is_secret=True))

    assert (log.status, log.url, log.request_body, log.response_body) == (200, MASK, MASK, MASK)
    assert [MASK, MASK] in log.response_headers
    assert [MASK, ""] in log.response_headers


def test_of_one_secret_written_again_and_again_the_log_keeps_the_rest(alice: User) -> None:
    words = " ".join(["secret-word"] * 600)
    same = json.dumps({"rows": ["hidden text"] * 2000})
    recipe = Recipe("POST", "", headers=(RecipeField("X", words, is_secret=True),), body=same, body_is_secret=True)
    with serving(response(b"secret-word, hidden text and the rest", TEXT)) as server:
        log = logged(alice, Recipe("POST", server.url, headers=recipe.headers, body=same, body_is_secret=True))

    assert log.response_body == f"{MASK}, {MASK} and the rest"


def test_a_body_nested_as_deeply_as_json_may_be_hides_its_texts(alice: User) -> None:
    body = "[" * 900 + '"hidden text"' + "]" * 900
    with serving(response(b"hidden text, shown text", TEXT)) as server:
        log = logged(alice, Recipe("POST", server.url, body=body, body_is_secret=True))

    assert log.response_body == f"{MASK}, shown text"


@pytest.mark.parametrize(
    ("more", "expected"),
    [(0, []), (1, [["…", "1 more came and is not stored."]]), (19_000, [["…", "19000 more came and are not stored."]])],
)
def test_a_hundred_headers_of_a_response_are_kept_and_the_others_are_counted(
    alice: User, more: int, expected: list[list[str]]
) -> None:
    with serving(response(b"{}", *["a:"] * (98 + more))) as server:
        run = try_out(alice, "Headers", Recipe("GET", server.url), {}, client=LAPTOP)

    assert run.response.headers == (("Content-Length", "2"), ("Connection", "close"), *[("a", "")] * 98)
    assert run.log.response_headers == [*map(list, run.response.headers), *expected]


@pytest.mark.parametrize(
    "line",
    [
        "Set-Cookie : sid=hush",
        "Set-Cookie sid=hush",
        "Set-Cookie:\r\n sid=hush",
        "Set-Cookie\t: sid=hush",
        "X-Token: \0hush",
        "Session Key: hush",
        "\u0436-token: hush",
    ],
)
def test_the_secret_of_a_header_that_breaks_the_rules_is_masked(alice: User, line: str) -> None:
    with serving(response(b"{}", line)) as server:
        log = logged(alice, Recipe("GET", server.url))

    assert (log.status, log.response_headers[-1][1]) == (200, MASK)
    assert "hush" not in json.dumps(log.response_headers)


def test_long_lines_are_kept_by_their_beginnings(alice: User) -> None:
    parameters = (RecipeField("q", "x" * 8000), RecipeField("r", "x" * 8000), RecipeField("s", "x" * 8000))
    headers = (RecipeField("X-Long", "{{a}}" * 10),)
    recipe = Recipe("GET", "http://127.0.0.1", parameters, headers)

    run = try_out(alice, "Long", recipe, {"a": "x" * 5000}, client=LAPTOP)

    assert run.response.problem == "Keep it to 8,000 characters."
    assert run.log.url == f"http://127.0.0.1?q={'x' * 8000}&r={'x' * 8000}&s={'x' * 8000}"[:KEPT_OF_A_LINE]
    assert run.log.request_headers == [["X-Long", "x" * KEPT_OF_A_LINE]]


def test_a_log_is_bounded_in_bytes_whatever_is_sent_and_comes(alice: User) -> None:
    # In JSON each takes 12 bytes, and a letter of the response's headers six.
    wide = "\U0001f427" * 7_000
    fields = tuple(RecipeField(f"X-{number}", wide) for number in range(9))
    headers = [f"X-{number}: {'ä' * 400}" for number in range(98)]
    with serving(response(b"x" * 200_000, *headers, f"Content-Encoding: {'x' * 40_000}")) as failing:
        failed = logged(alice, Recipe("POST", failing.url, headers=fields, body=f'"{wide}"'))
    with serving(response(b"x" * 200_000, *headers)) as server:
        log = logged(alice, Recipe("POST", server.url, headers=fields, body=f'"{wide}"'))

    assert max(bytes_of(failed), bytes_of(log)) < 256 * 1024
    assert [name for name, _value in log.request_headers] == ["Host", "accept", "user-agent", "content-type", "…"]
    assert log.request_headers[-1] == ["…", "12 more were sent and are not stored."]
    assert [header[0] for header in log.response_headers[-2:]] == ["X-12", "…"]


@pytest.mark.parametrize("before", range(0, 130, 13))
def test_nothing_of_a_secret_is_left_where_a_text_is_cut(alice: User, before: int) -> None:
    secret = f"{'0123456789abcdef' * 8}!"
    text = "x" * before + secret * 8000
    headers = (RecipeField("Key", secret), RecipeField("X-One-Letter", "7", is_secret=True))
    with serving(response(text.encode(), TEXT)) as server:
        log = logged(alice, Recipe("GET", server.url, headers=headers))

    assert log.response_body.replace(MASK, "") == "x" * before


def test_a_text_that_is_cut_is_kept_as_far_as_nothing_is_hidden(alice: User) -> None:
    with serving(response(b"x" * 100_000, TEXT)) as server:
        log = logged(alice, Recipe("GET", server.url, headers=(RecipeField("Key", "hush-hush"),)))

    assert log.response_body == "x" * KEPT_OF_A_BODY


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('{"password": 123456, "total": 9876}', f'{{"password": {MASK}, "total": 9876}}'),
        ('{"pin": 1.50e3, "otp": "7"}', f'{{"pin": {MASK}, "otp": "{MASK}"}}'),
        ('{"pin": 123, "otp": "", "max_tokens": 1000, "token": true}', None),
        ('{"credentials": {"id": "ab", "parts": [{"value": "s3cr3t"}]}}', f'"parts": [{{"value": "{MASK}"}}]}}}}'),
        ('{"credentials": [["s3cr3t"], 4711]}', f'{{"credentials": [["{MASK}"], {MASK}]}}'),
    ],
)
def test_values_under_the_name_of_a_secret_are_hidden_in_the_body_and_in_its_echo(
    alice: User, body: str, kept: str | None
) -> None:
    with serving(response(body.encode(), TEXT)) as server:
        log = logged(alice, Recipe("POST", server.url, body=body))

    assert log.request_body.endswith(kept or body)
    assert log.response_body == log.request_body


def test_of_a_secret_body_numbers_are_hidden_too(alice: User) -> None:
    with serving(response(b"[4711, 12, 3.1415]")) as server:
        log = logged(alice, Recipe("POST", server.url, body='{"a": 4711, "b": [12, 3.1415]}', body_is_secret=True))

    assert log.response_body == f"[{MASK}, 12, {MASK}]"


@pytest.mark.parametrize(
    "encode",
    [
        lambda token: base64.encodebytes(base64.encodebytes(token.encode())),
        lambda token: token.replace("_", "%25255F").encode(),
        lambda token: "".join(f"&#{ord(letter)};" for letter in token).encode(),
        lambda token: token.encode("utf-16"),
        lambda token: token.encode().hex().encode(),
    ],
)
def test_nothing_is_logged_of_a_response_with_an_encoded_token(alice: User, encode: Callable[[str], bytes]) -> None:
    token = tokens.generate().open()
    with serving(response(b"Your token: " + encode(token), TEXT)) as server:
        log = logged(alice, Recipe("GET", server.url))

    assert log.response_body in (MASK, "")
    assert log.url == server.url
