"""Rate limits over real servers that share a database and nothing else."""

import ast
import re
import socket
import sys
from pathlib import Path
from secrets import token_urlsafe

import httpx
import pytest
from environ import Env
from pytest_django.fixtures import Settings

from botpenguin.operations.settings_checks import check_limits_are_shared
from tests.server import Server, environment, run

PRINT_CACHES = "from botpenguin.settings import CACHES; print(CACHES)"
ASK_THE_CACHE = """
import time
from django.core.cache import cache
from botpenguin.database import outages

began_at = time.monotonic()
try:
    cache.get("anything")
except Exception as error:
    print(outages.is_outage(error), time.monotonic() - began_at)
"""


def log_in(server: Server, ip: str, email: str, password: str) -> int:
    """Try to log in as a client at this address; return the status."""
    with server.client() as client:
        client.headers["X-Forwarded-For"] = ip
        form = client.get("/account/login/").text
        [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form))
        posted = {"login": email, "password": password, "csrfmiddlewaretoken": token}
        return client.post("/account/login/", data=posted).status_code


def report(server: Server, ip: str) -> httpx.Response:
    with server.client() as client:
        return client.post("/api/v7/token/report-exposed", json={"tokens": ["none"]}, headers={"X-Forwarded-For": ip})


@pytest.mark.release
@pytest.mark.server
def test_two_servers_refuse_an_attacker_together_and_let_the_owner_in(tmp_path: Path) -> None:
    settings = {"TRUSTED_PROXIES": "127.0.0.1", "WORKERS": "1", "MAIL_WORKER": "off"}
    with Server(tmp_path, **settings) as one, Server(tmp_path, **settings) as other:
        email, password = one.first_account

        guessed = [log_in((one, other)[number % 2], "198.51.100.7", email, "guessed wrong") for number in range(10)]
        owner = [log_in(server, "203.0.113.9", email, password) for server in (one, other)]
        reports = [report((one, other)[number % 2], "198.51.100.7") for number in range(11)]

    assert guessed == [200] * 5 + [429] * 5
    assert owner == [302, 302]
    assert [answer.status_code for answer in reports] == [200] * 10 + [429]
    assert reports[-1].headers["Retry-After"] == "60"
    assert reports[-1].json()["message"] == "Too many requests. Try again in 60 seconds."


@pytest.mark.parametrize(
    ("backend", "shown"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", ["CACHE_URL names a cache that processes do not share."]),
        ("django.core.cache.backends.dummy.DummyCache", ["CACHE_URL names a cache that processes do not share."]),
        ("accounts.throttling.redis.Cache", []),
    ],
)
def test_a_cache_that_processes_do_not_share_is_refused(settings: Settings, backend: str, shown: list[str]) -> None:
    settings.CACHES = {"default": {"BACKEND": backend}}

    assert [message.msg for message in check_limits_are_shared(None) if message.is_serious()] == shown


@pytest.mark.parametrize("url", ["dbcache://shared_cache", "filecache:///srv/cache", "pymemcache://127.0.0.1:11211"])
def test_a_cache_that_pickles_is_refused(settings: Settings, url: str) -> None:
    settings.CACHES = {"default": Env.cache_url_config(url)}

    assert [error.msg for error in check_limits_are_shared(None)] == [
        "CACHE_URL names a cache whose values are pickles."
    ]


def test_the_cache_that_is_there_without_a_setting_is_ours(settings: Settings) -> None:
    ours = {"BACKEND": "accounts.throttling.cache.DatabaseCache", "KEY_FUNCTION": "accounts.throttling.cache.make_key"}

    assert settings.CACHES["default"] == ours
    assert check_limits_are_shared(None) == []


def test_no_setting_brings_pickles_into_redis(tmp_path: Path) -> None:
    url = "redis://127.0.0.1:6379/0?serializer=django.core.cache.backends.redis.RedisSerializer&socket_timeout=3"
    settings = environment(tmp_path, CACHE_URL=url, SECRET_KEY=token_urlsafe(48), TOKEN_KEYS=token_urlsafe(32))
    asked = run(sys.executable, "-c", PRINT_CACHES, env=settings)

    [caches] = ast.literal_eval(asked.stdout).values()
    assert caches["OPTIONS"] == {
        "socket_connect_timeout": 1,
        "socket_timeout": 3,
        "serializer": "accounts.throttling.cache.JSONSerializer",
    }


def test_a_redis_that_says_nothing_is_given_up_after_a_second(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = environment(tmp_path, CACHE_URL=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        run(sys.executable, "-m", "botpenguin.bootstrap", env=settings)
        asked = run(sys.executable, "manage.py", "shell", "--no-imports", "-c", ASK_THE_CACHE, env=settings)

    verdict, seconds = asked.stdout.split()
    assert verdict == "True"
    assert 1 <= float(seconds) < 20
