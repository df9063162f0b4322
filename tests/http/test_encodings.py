"""Content codings: chosen by the weights of the client, each with conditions of its own."""

import gzip
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings as project
from django.test import Client as Browser
from django.test import override_settings
from pytest_django import Settings

from botpenguin.http.encodings import accepted
from tests import prepared
from tests.server import ROOT

pytestmark = pytest.mark.matrix

# Brotli ships no types.
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "br": import_module("brotli").decompress,
    "gzip": gzip.decompress,
    "identity": bytes,
}


@pytest.fixture(scope="module")
def root() -> Path:
    """The folder of the static files, as `make run` leaves it."""
    found = prepared.state()
    assert found
    return found / "static"


@pytest.fixture(scope="module")
def stylesheet(root: Path) -> str:
    [path] = root.glob("css/base.*.css")
    return f"/static/css/{path.name}"


@pytest.fixture(scope="module")
def browser(root: Path, stylesheet: str) -> Browser:
    """A browser for all tests: its first request lists every static file, and no test changes one."""
    storages = project.STORAGES | {"staticfiles": {"BACKEND": "botpenguin.http.static_files.StaticFilesStorage"}}
    with override_settings(STATIC_ROOT=root, STORAGES=storages):
        browser = Browser()
        browser.head(stylesheet)
    return browser


@pytest.fixture(scope="module")
def etags(browser: Browser, stylesheet: str) -> dict[str, str]:
    """The ETag of the stylesheet in each coding."""
    answers = {coding: browser.head(stylesheet, headers={"Accept-Encoding": coding}) for coding in UNPACK}
    assert {coding: coding_of(answer.headers) for coding, answer in answers.items()} == {c: c for c in UNPACK}
    return {coding: answer.headers["ETag"] for coding, answer in answers.items()}


def coding_of(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Encoding", "identity")


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", []),
        ("gzip, deflate, br, zstd", ["br", "gzip"]),
        ("br;q=0, gzip", ["gzip"]),
        ("gzip;q=0, br", ["br"]),
        ("br;q=0.000, GZIP ; Q=0.5", ["gzip"]),
        ("br;q=0.5, gzip", ["gzip", "br"]),
        ("br;q=0.5, gzip;q=0.5", ["br", "gzip"]),
        ("gzip;q=0.001", ["gzip"]),
        ("*", ["br", "gzip"]),
        ("*;q=0", []),
        ("*;q=0, gzip", ["gzip"]),
        ("br;q=0, *", ["gzip"]),
        ("identity", []),
        ("identity;q=0", []),
        ("identity;q=0, gzip", ["gzip"]),
        ("identity, gzip;q=0.5, br", ["br"]),
        ("identity;q=0.5, *;q=0", []),
        ("gzip;q=nan, br;q=2", []),
        ("gzip;q=-0, br;q=1_0", []),
        ("gzip;q=", []),
        (",,;q=1, gzip;;", []),
        ("brotli, x-br, not-gzip, gzipped", []),
        ("\t br \t;\t q=1 \t", ["br"]),
    ],
)
def test_a_coding_is_accepted_by_its_weight(header: str, codings: list[str]) -> None:
    assert accepted(header) == codings


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, br", "br"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0", "identity"),
        ("gzip;q=0, br;q=0", "identity"),
        ("*;q=0", "identity"),
        # Where nothing is accepted, what every client can read is better than an error.
        ("identity;q=0", "identity"),
        ("identity;q=0, br", "br"),
    ],
)
def test_a_static_file_comes_in_a_coding_that_is_accepted(
    browser: Browser, stylesheet: str, header: str, coding: str
) -> None:
    answer = browser.get(stylesheet, headers={"Accept-Encoding": header})

    assert (answer.status_code, coding_of(answer.headers), answer.headers["Vary"]) == (200, coding, "Accept-Encoding")
    assert UNPACK[coding](answer.getvalue()) == (ROOT / "static/css/base.css").read_bytes()


def test_every_coding_has_an_etag_of_its_own(etags: dict[str, str]) -> None:
    assert len({*etags.values()}) == len(UNPACK)
    assert [etag for etag in etags.values() if not (etag.startswith('"') and etag.endswith('"'))] == []


@pytest.mark.no_cover
@pytest.mark.parametrize("asked", UNPACK)
@pytest.mark.parametrize("held", UNPACK)
def test_only_the_coding_that_would_be_sent_is_not_modified(
    browser: Browser, stylesheet: str, etags: dict[str, str], held: str, asked: str
) -> None:
    answer = browser.head(stylesheet, headers={"Accept-Encoding": asked, "If-None-Match": etags[held]})

    assert answer.status_code == (304 if held == asked else 200)
    assert (answer.headers["ETag"], answer.headers["Vary"]) == (etags[asked], "Accept-Encoding")


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{br}", 304),
        ("W/{br}", 304),
        ('"other", {gzip}, {br}', 304),
        ("*", 304),
        ('"other", {gzip}', 200),
        ("W/{gzip}", 200),
        ("", 200),
        ("nonsense", 200),
    ],
)
def test_a_condition_may_be_a_list_of_etags(
    browser: Browser, stylesheet: str, etags: dict[str, str], condition: str, status: int
) -> None:
    answer = browser.head(stylesheet, headers={"Accept-Encoding": "br", "If-None-Match": condition.format(**etags)})

    assert answer.status_code == status


def test_a_date_is_a_condition_where_no_etag_is(browser: Browser, stylesheet: str) -> None:
    date = browser.head(stylesheet).headers["Last-Modified"]

    answers = [
        browser.head(stylesheet, headers={"If-Modified-Since": when} | etag)
        for when, etag in [(date, {}), ("Thu, 01 Jan 1970 00:00:00 GMT", {}), (date, {"If-None-Match": '"other"'})]
    ]

    assert [answer.status_code for answer in answers] == [304, 200, 200]


@pytest.mark.parametrize("held", UNPACK)
def test_a_range_is_answered_with_the_whole_file_so_that_no_codings_are_joined(
    browser: Browser, stylesheet: str, etags: dict[str, str], held: str
) -> None:
    headers = {"Accept-Encoding": "gzip", "Range": "bytes=10-", "If-Range": etags[held]}

    answer = browser.get(stylesheet, headers=headers)

    assert answer.status_code == 200
    assert len(answer.getvalue()) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("name", [".collected", "staticfiles.json", "css/.hidden", ".git/config", "./staticfiles.json"])
def test_what_lies_beside_static_files_is_not_served(
    db: None, settings: Settings, tmp_path: Path, name: str, *, debug: bool
) -> None:
    settings.STATIC_ROOT, settings.DEBUG = tmp_path, debug
    for path in (tmp_path / name, tmp_path / "css/page.css"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")

    hidden, page = (Browser().get(f"/static/{path}") for path in (name, "css/page.css"))

    page.close()
    assert (hidden.status_code, page.status_code) == (404, 200)


@pytest.mark.parametrize(("header", "coding"), [("gzip", "gzip"), ("gzip;q=0", "identity"), ("br, *;q=0", "identity")])
def test_a_page_is_packed_for_who_accepts_it(db: None, header: str, coding: str) -> None:
    answer = Browser().get("/account/login/", headers={"Accept-Encoding": header})

    assert (answer.status_code, coding_of(answer.headers)) == (200, coding)
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert b"<h1" in UNPACK[coding](answer.content)
