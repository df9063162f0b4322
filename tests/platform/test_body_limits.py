"""Unreadable bodies get our own error, with `DEBUG` on or off, and never a 5xx."""

import json
from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from tests.memory import MIB, peak_of
from tests.platform.calls import Caller, row
from tests.platform.test_errors import assert_error

pytestmark = pytest.mark.matrix

PATH = "/inbox/users"
TOO_DEEP = "The body is nested too deeply."
TOO_LARGE_NUMBER = "The body has a number that is too large."


@pytest.fixture(params=[False, True], ids=["debug off", "debug on"])
def debug(request: pytest.FixtureRequest, settings: Settings) -> None:
    settings.DEBUG = request.param


@pytest.mark.usefixtures("debug")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "The body is not JSON: see line 1, column 2."),
        ('{"page": 1}\n}', "The body is not JSON: see line 2, column 1."),
        ("page=1", "The body is not JSON: see line 1, column 1."),
        ('{"a": "\n"}', "The body is not JSON: see line 1, column 8."),
        ('{"page": NaN}', "The body is not JSON: it has no NaN."),
        ('{"page": -Infinity}', "The body is not JSON: it has no -Infinity."),
        ('{"page": 1e999}', TOO_LARGE_NUMBER),
        ('{"page": ' + "1" * 10_000 + "}", TOO_LARGE_NUMBER),
        ("[" * 100_000, TOO_DEEP),
        ('{"a":' * 100_000, TOO_DEEP),
        (b'{"a": "\xff"}', "The body is not in UTF-8."),
        (b'{"a": "\xed\xa0\x80"}', "The body is not in UTF-8."),
        ("{}".encode("utf-16"), "The body is not in UTF-8."),
    ],
)
def test_a_body_that_is_no_json_is_400(as_alice: Caller, text: str | bytes, sentence: str) -> None:
    assert_error(as_alice.send_text("POST", PATH, text), 400, "body_unreadable", sentence)


@pytest.mark.parametrize(
    "piece",
    [
        "[]",
        '{"":' * 900 + "0" + "}" * 900,
        *(pytest.param(piece, marks=pytest.mark.release) for piece in ("{}", "[[]]", "[" * 900 + "]" * 900)),
    ],
)
def test_a_body_of_brackets_takes_little_memory(as_alice: Caller, piece: str) -> None:
    text = f'{{"x": [{",".join([piece] * (1_000_000 // (len(piece) + 1)))}]}}'

    response, peak = peak_of(lambda: as_alice.send_text("POST", PATH, text))

    assert_error(response, 413, "body_too_large", "The body has too many lists and objects. Send less at once.")
    assert peak < 16 * MIB


@pytest.mark.release
@pytest.mark.parametrize("piece", ['{"":0}', '["ab"]', '"ab"', "1000", "1.5", '"é"'])
def test_accepted_json_fits_the_memory_of_a_request(as_alice: Caller, piece: str) -> None:
    text = f'{{"x": [{",".join([piece] * (1_000_000 // (len(piece.encode()) + 1)))}]}}'

    response, peak = peak_of(lambda: as_alice.send_text("POST", PATH, text))

    assert response.status_code == 200
    assert peak < 50 * MIB


@pytest.mark.usefixtures("debug")
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"]
)
def test_another_type_is_415(as_alice: Caller, content_type: str) -> None:
    assert_error(
        as_alice.send_text("POST", PATH, "{}", content_type),
        415,
        "media_type_unsupported",
        "Send the body as application/json.",
    )


@pytest.mark.no_cover
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON;charset=UTF-8", "application/json; charset=nonsense", "a/b+json", ""],
)
@pytest.mark.parametrize("text", ["{}", b"\xef\xbb\xbf{}", " \n{} "])
def test_json_is_accepted_under_each_of_its_names(as_alice: Caller, content_type: str, text: str | bytes) -> None:
    assert as_alice.send_text("POST", PATH, text, content_type).status_code == 200


def test_a_whole_number_may_have_a_point(as_alice: Caller) -> None:
    assert as_alice.send_text("POST", PATH, '{"page": 2.0}').status_code == 200
    assert as_alice.send_text("POST", PATH, '{"page": 2.5}').status_code == 422


@pytest.mark.usefixtures("debug")
def test_a_body_of_more_than_a_mebibyte_is_413(as_alice: Caller) -> None:
    most = 1024 * 1024
    text = '{"page": 1' + " " * (most - 11) + "}"

    assert len(text) == most
    assert as_alice.send_text("POST", PATH, text).status_code == 200
    assert_error(
        as_alice.send_text("POST", PATH, text + " "),
        413,
        "body_too_large",
        "The request body is too large. Send less at once.",
    )


def test_long_keys_of_a_client_are_quoted_in_part(as_alice: Caller) -> None:
    status, (sentence,) = as_alice.refusal("POST", f"{PATH}/import", [row("Asha", attributes={"x" * 5000: 1})])

    assert status == 400
    assert sentence == (
        f"Row 1: profile.userDetails.attributes.{'x' * 100}.[key] should be a key of 1 to 100 characters."
    )


def test_only_the_first_errors_of_a_row_are_reported(as_alice: Caller) -> None:
    attributes: dict[str, list[str]] = {f"{number}": [] for number in range(100)}

    status, (sentence,) = as_alice.refusal("POST", f"{PATH}/import", [row("Asha", attributes=attributes)])

    assert status == 400
    assert sentence.count("attributes.") == 5
    assert sentence.endswith("; 95 more.")


@pytest.mark.no_cover
@pytest.mark.parametrize("key", ["\0{}", "{}"])
def test_too_many_attributes_are_reported_by_their_number(as_alice: Caller, key: str) -> None:
    attributes: dict[str, list[str]] = {key.format(number): [] for number in range(5_000)}

    refusal = as_alice.refusal("POST", f"{PATH}/import", [row("Asha", attributes=attributes)])

    assert refusal == (400, ["Row 1: profile.userDetails.attributes should have at most 100 items."])


@pytest.mark.usefixtures("debug")
def test_a_query_of_a_thousand_and_one_parameters_is_400(as_alice: Caller) -> None:
    response = as_alice.send("POST", f"{PATH}/import?{'a=1&' * 1001}", [row("Asha")])

    assert_error(response, 400, "too_many_parameters", "The query has too many parameters to be read. Send fewer.")


@pytest.mark.usefixtures("debug")
def test_a_constraint_that_is_violated_only_when_writing_is_409(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = "tests.platform.urls"

    response = Browser().get("/api/failing/raced")

    assert_error(response, 409, "conflict", "Another request has changed the same thing. Read it and try again.")
    assert caplog.messages[:-1] == ["GET '/api/failing/raced' met a constraint: IntegrityError"]
    assert "asha@example.com" not in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\0", "\ud800", 10**30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["page", "tags", "searchText", "createdAt", "name", "platform", "ids", "profile", "attributes"])


@pytest.mark.no_cover
@given(
    body=JSON | st.dictionaries(KEYS, JSON),
    path=st.sampled_from(["/bots", PATH, f"{PATH}/import"]),
    is_debug=st.booleans(),
)
@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_no_json_breaks_anything(as_alice: Caller, settings: Settings, body: Any, path: str, is_debug: bool) -> None:
    settings.DEBUG = is_debug

    response = as_alice.send_text("POST", path, json.dumps(body))

    assert response.status_code in (200, 201, 400, 422)
    assert json.loads(response.content)["code"] == response.status_code
