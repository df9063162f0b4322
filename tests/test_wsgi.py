"""The server makes requests of malformed headers."""

from io import BytesIO
from typing import Any

import pytest
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from botpenguin.http.requests import Request
from botpenguin.wsgi import application

# At each of them Python's parser of mail headers raises, or Django where it decodes what is left of it.
RAISING = [
    "a*=nonsense''%41",
    "charset*=utf-8''%00",
    "charset=hex",
    "charset=idna",
    "charset=undefined",
    "a*=x; a*1=y",
    f"a*{'9' * 5000}=x",
]
PARAMETERS = st.lists(
    st.builds(
        "{}{}={}".format,
        st.sampled_from(["a", "charset", "boundary", "q", ""]),
        st.sampled_from(["", "*", "*0", "*0*", "*1", "*01*"]),
        st.sampled_from(["x", '"x', "utf-8''%41", "utf-8''%00", "hex''%41", "idna''%ff", "''", "hex"])
        | st.binary(max_size=20).map(lambda raw: raw.decode("latin-1")),
    ),
    max_size=4,
).map("; ".join)


def request_with(content_type: str = "", body: bytes = b"", **headers: str) -> Request:
    given = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    environ: dict[str, Any] = RequestFactory().post("/").environ | {"QUERY_STRING": "a=%C3%A9"} | given | headers
    return Request(environ)


def test_the_server_makes_its_requests_so() -> None:
    assert application.request_class is Request


@given(PARAMETERS)
def test_whatever_follows_the_media_type_a_request_has_that_type_and_its_query(parameters: str) -> None:
    request = request_with(f"Application/JSON; {parameters}")

    assert (request.content_type, request.GET["a"]) == ("application/json", "é")


@pytest.mark.parametrize("length", ["²", "-1", "1_0", " 7", "7, 7", "nan", "9" * 5_000])
def test_a_request_whose_length_is_no_number_has_no_body(length: str) -> None:
    request = request_with("application/json", b"{}", CONTENT_LENGTH=length)

    assert (request.body, request.META["CONTENT_LENGTH"]) == (b"", "0")


@given(PARAMETERS)
def test_whatever_a_client_accepts_a_request_can_be_answered(parameters: str) -> None:
    request = request_with(HTTP_ACCEPT=f"text/html; {parameters}")

    assert request.get_preferred_type(["text/html", "application/json"]) in ("text/html", "application/json", None)


@pytest.mark.parametrize("parameters", RAISING)
def test_a_form_is_in_utf_8_whatever_charset_it_names(parameters: str) -> None:
    request = request_with(f"application/x-www-form-urlencoded; {parameters}", b"name=%C3%89lodie")

    assert request.POST["name"] == "Élodie"


def test_a_form_in_parts_is_read_and_one_whose_boundary_cannot_be_read_is_refused() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xc3\x89lodie\r\n--x--\r\n'

    good = request_with("multipart/form-data; boundary=x; charset=latin-1", part)
    bad = request_with("multipart/form-data; boundary=x; a*=nonsense''%41", part)

    assert good.POST["name"] == "Élodie"
    with pytest.raises(MultiPartParserError):
        bad.POST["name"]


def test_a_request_without_a_query_has_an_empty_one_that_nobody_can_change() -> None:
    queries = [Request(RequestFactory().get(path).environ).GET for path in ("/", "/?", "/?a=b")]

    assert [query.dict() for query in queries] == [{}, {}, {"a": "b"}]
    with pytest.raises(AttributeError, match="immutable"):
        queries[0]["a"] = "b"
