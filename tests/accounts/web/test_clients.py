from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory, override_settings
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.web.clients import Client, client_ip, describe_user_agent, trust_proxies
from botpenguin.operations.settings_checks import check_trusted_proxies

PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.1"]
FORWARDING = {
    "x_forwarded_for": "203.0.113.9",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "evil.example.net",
    "forwarded": "for=203.0.113.9;proto=https",
}


def settled(settings: Settings, peer: str, headers: dict[str, str], proxies: list[str] | None = None) -> HttpRequest:
    """Return the request as views get it from the middleware."""
    settings.TRUSTED_PROXIES = PROXIES if proxies is None else proxies
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    trust_proxies(view)(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))
    return seen[0]


def test_without_trusted_proxies_the_peer_is_the_client(settings: Settings) -> None:
    request = settled(settings, "198.51.100.4", FORWARDING, proxies=[])

    assert client_ip(request) == "198.51.100.4"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("198.51.100.4", "203.0.113.9", "198.51.100.4"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("192.0.2.1", "203.0.113.9", "203.0.113.9"),
        ("192.0.2.2", "203.0.113.9", "192.0.2.2"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1,203.0.113.9,10.0.0.2 , 10.0.0.3", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "203.0.113.9, not an address, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "::ffff:10.0.0.2", "10.0.0.2"),
        ("2001:db8:ffff::1", "2001:DB8::7", "2001:db8::7"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("fe80::1%eth0", "203.0.113.9", "fe80::1"),
        ("", "203.0.113.9", None),
        ("unix:", "203.0.113.9", None),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_no_trusted_proxy(
    settings: Settings, peer: str, forwarded_for: str | None, client: str | None
) -> None:
    headers = {} if forwarded_for is None else {"x_forwarded_for": forwarded_for}

    assert client_ip(settled(settings, peer, headers)) == client


@pytest.mark.parametrize(
    ("entry", "client"),
    [
        ("203.0.113.7:51008", "203.0.113.7"),
        ('"203.0.113.7:80"', "203.0.113.7"),
        ("'203.0.113.7'", "203.0.113.7"),
        ("\t203.0.113.7 ", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:DB8:0::1]", "2001:db8::1"),
        ('"[2001:db8::1]"', "2001:db8::1"),
        ('"[2001:db8::1]:65535"', "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8:1:2:3:4:5:443", "2001:db8:1:2:3:4:5:443"),
        ("[fe80::1%25eth0]:8080", "fe80::1"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
    ],
)
def test_a_client_is_found_however_its_proxy_writes_the_address(
    settings: Settings, caplog: pytest.LogCaptureFixture, entry: str, client: str
) -> None:
    request = settled(settings, "10.0.0.1", {"x_forwarded_for": f"198.51.100.1, {entry}, 10.0.0.2:443"})

    assert client_ip(request) == client
    assert caplog.messages == []


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "unknown",
            "_hidden",
            "for=203.0.113.7",
            "203.0.113.7:",
            "203.0.113.7:http",
            "203.0.113.7:123456",
            "[203.0.113.7",
        ),
        *('"203.0.113.7', "[]:80", '""', " ", "203.0.113.999", "203.0.113.7 198.51.100.1", "\x1b[31m\r\n2026 INFO x"),
    ],
)
def test_an_entry_that_is_no_address_ends_the_reading_and_is_logged_once(
    settings: Settings, caplog: pytest.LogCaptureFixture, entry: str
) -> None:
    settings.TRUSTED_PROXIES = PROXIES
    seen: list[HttpRequest] = []
    middleware = trust_proxies(lambda request: seen.append(request) or HttpResponse())  # type: ignore[func-returns-value]

    for _ in range(3):
        forwarded = f"198.51.100.1, {entry}, 10.0.0.2:443"
        middleware(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded))

    assert [client_ip(request) for request in seen] == ["10.0.0.2"] * 3
    assert caplog.messages == [
        f"The proxy 10.0.0.2 passes on {entry.strip()!a} in X-Forwarded-For, which is no address."
    ]
    assert caplog.messages[0].isprintable()


@given(st.text(max_size=60).filter(lambda text: "," not in text))
def test_nothing_that_a_client_writes_changes_its_address(written: str) -> None:
    with override_settings(TRUSTED_PROXIES=PROXIES):
        seen: list[HttpRequest] = []
        middleware = trust_proxies(lambda request: seen.append(request) or HttpResponse())  # type: ignore[func-returns-value]
        forwarded = f"{written}, 203.0.113.9:51008, [2001:db8:ffff::2]:443"
        middleware(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded))

    assert client_ip(seen[0]) == "203.0.113.9"


def test_forwarding_headers_of_an_untrusted_peer_are_dropped(settings: Settings) -> None:
    request = settled(settings, "198.51.100.4", FORWARDING)

    assert not [name for name in request.META if "FORWARDED" in name]


def test_forwarding_headers_of_a_trusted_proxy_stay(settings: Settings) -> None:
    request = settled(settings, "10.0.0.1", FORWARDING)

    assert request.META["HTTP_X_FORWARDED_PROTO"] == "https"


@pytest.mark.parametrize(("peer", "status"), [("10.0.0.1", 401), ("198.51.100.4", 403)])
def test_only_a_trusted_proxy_can_say_that_a_request_came_by_https(settings: Settings, peer: str, status: int) -> None:
    settings.HTTPS = True
    settings.TRUSTED_PROXIES = PROXIES
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    response = Browser().get("/api/v7/token", headers={"x-forwarded-proto": "https"}, REMOTE_ADDR=peer)

    assert response.status_code == status


def test_a_network_may_be_named_by_an_address_in_it(settings: Settings) -> None:
    request = settled(settings, "10.1.2.3", FORWARDING, proxies=["10.0.0.1/8"])

    assert client_ip(request) == "203.0.113.9"


@pytest.mark.parametrize("wrong", ["", "proxy.example.net", "10.0.0.0/33", "*"])
def test_an_invalid_network_stops_the_start_with_a_sentence(settings: Settings, wrong: str) -> None:
    sentence = f"TRUSTED_PROXIES holds {wrong!r}, which is neither an address nor a network such as 10.0.0.0/8."
    with pytest.raises(ImproperlyConfigured) as caught:
        settled(settings, "10.0.0.1", {}, proxies=[wrong])

    checked = check_trusted_proxies(None)

    assert str(caught.value) == sentence
    assert [(message.id, message.msg) for message in checked] == [("botpenguin.E002", sentence)]


@pytest.mark.parametrize(
    ("header", "recorded"),
    [
        ("curl/8.5.0", "curl/8.5.0"),
        ("x" * 500, "x" * 200),
        ("a\x00b\x1b[31m\x85c", "ab[31mc"),
        ("\xa0 \xa0", ""),
        ("Ünïcode/1.0", "Ünïcode/1.0"),
    ],
)
def test_a_user_agent_is_recorded_short_and_printable(header: str, recorded: str) -> None:
    request = RequestFactory().get("/", HTTP_USER_AGENT=header)

    assert Client.of(request) == Client("127.0.0.1", recorded)


def test_a_request_without_a_user_agent_has_an_empty_one() -> None:
    assert Client.of(RequestFactory().get("/")).user_agent == ""


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("", ""),
        ("   ", ""),
        ("curl/8.5.0", "curl 8.5"),
        ("python-requests/2.32.3", "python-requests 2.32"),
        ("n8n", "n8n"),
        ("/", ""),
        ("Make/2 (https://example.com)", "Make 2"),
        ("Mozilla/5.0", "Mozilla 5.0"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, macOS"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36",
            "Chrome, Windows",
        ),
    ],
)
def test_programs_are_named_in_few_words(user_agent: str, name: str) -> None:
    assert describe_user_agent(user_agent) == name


@given(st.text(max_size=200))
def test_any_recorded_user_agent_can_be_named(header: str) -> None:
    """The page shows the client, and must not fail."""
    request: Any = RequestFactory().get("/", HTTP_USER_AGENT=header)

    assert isinstance(describe_user_agent(Client.of(request).user_agent), str)
