import logging
from collections.abc import Iterator
from io import StringIO
from logging.config import DictConfigurator

import pytest
from django.conf import settings
from django.test import Client as Browser

from developers import tokens


@pytest.fixture
def log() -> Iterator[StringIO]:
    """The log as the project would write it to standard error."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    configurator = DictConfigurator(settings.LOGGING)
    handler.setFormatter(configurator.configure_formatter(configurator.config["formatters"]["line"]))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("path", ["/api/v7/{}", "/api/v7/token/{}/", "/developers/{}"])
def test_a_token_in_the_path_of_a_failure_is_logged_as_its_mask(log: StringIO, path: str) -> None:
    secret = tokens.generate()

    logging.getLogger("django.request").error("Internal Server Error: %s", path.format(secret.open()))

    assert log.getvalue().endswith(f"ERROR django.request: Internal Server Error: {path.format(secret)}\n")


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/account/password/reset/key/1-d0ab-51f2e9/", "/account/password/reset/key/…/"),
        ("/account/confirm-email/MQ:1vP_k:Xy-3Zq/?next=/", "/account/confirm-email/…/?next=/"),
    ],
)
def test_the_key_of_a_mailed_link_is_logged_as_an_ellipsis(log: StringIO, path: str, logged: str) -> None:
    logging.getLogger("django.request").error("Internal Server Error: %s", path)

    assert log.getvalue().endswith(f"Internal Server Error: {logged}\n")


@pytest.mark.parametrize("path", ["/api/v7/token", "/api/v7/{}", "/developers/{}"])
def test_an_unknown_path_is_one_short_line_in_the_log(log: StringIO, path: str) -> None:
    Browser().get(path.format(tokens.generate().open()))

    [line] = log.getvalue().splitlines()
    assert " INFO botpenguin.requests: GET " in line
    assert tokens.PREFIX not in line
    assert len(line) < 200


def test_tokens_in_messages_and_tracebacks_are_logged_as_their_masks(log: StringIO) -> None:
    one, other = tokens.generate(), tokens.generate()

    try:
        raise ValueError(f"unexpected {one.open()}")
    except ValueError:
        logging.getLogger("anything").exception("Client %s,%s failed", one.open(), other.open())

    assert f"ERROR anything: Client {one},{other} failed\n" in log.getvalue()
    assert f"ValueError: unexpected {one}\n" in log.getvalue()
    assert one.open() not in log.getvalue()
