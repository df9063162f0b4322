"""The guide to the token says what people ask, and is reached from the token's page."""

import re
import struct
from html import unescape
from urllib.parse import quote

import pytest
from django.test import Client as Browser
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.cast import logged_in
from tests.server import ROOT

TOKEN_PAGE, GUIDE = "/developers/api-access-token/", "/developers/api-access-token/guide/"


def text_of(page: str) -> str:
    return unescape(" ".join(re.sub(r"<[^>]+>", "", page[page.index("<main") : page.index("</main>")]).split()))


def test_the_questions_of_the_token_page_lead_to_the_guide(alice: User) -> None:
    page = logged_in(alice).get(TOKEN_PAGE).content.decode()

    assert f'<a href="{GUIDE}">How to use the API access token</a>' in page


def test_the_guide_has_six_steps_and_six_questions(alice: User) -> None:
    page = logged_in(alice).get(GUIDE).content.decode()

    steps = re.search("<ol.*?</ol>", page, re.DOTALL)
    assert steps
    assert steps[0].count("<li") == 6
    assert re.findall("<h2[^>]*>([^<]+)", page) == [
        "What it is",
        "Why use it",
        "Six steps",
        "Keep it safe",
        "Questions",
    ]
    assert re.findall("<h3[^>]*>([^<]+)", page) == [
        "What is the token for?",
        "How do I get a new one?",
        "Can I have more than one?",
        "Does it belong to a bot or to the account?",
        "Can I limit what it may do?",
        "What if somebody else has seen it?",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "A unique, secret text that stands for your account.",
        "a program needs the token, never your email or password.",
        "Choose Developer. The page is headed Developers.",
        "Open the second tab, API Access Token.",
        "it was made for you, and stands in the box.",
        "The token stops working at once, and a new one is made at once.",
        "Treat the token like a password. Share it only with people you trust",
        "Each account has exactly one token that works.",
        "It gives access to every bot of the account",
        "No. The token may do everything that the API offers.",
    ],
)
def test_the_guide_says_what_the_public_guide_says(alice: User, sentence: str) -> None:
    page = logged_in(alice).get(GUIDE).content.decode()

    assert sentence in text_of(page)


def test_the_guide_names_the_support_address_where_one_is_set(alice: User, settings: Settings) -> None:
    browser = logged_in(alice)

    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "", 0
    without = text_of(browser.get(GUIDE).content.decode())
    settings.SUPPORT_EMAIL, settings.SUPPORT_ANSWER_HOURS = "help@example.com", 48
    named = text_of(browser.get(GUIDE).content.decode())

    assert "Need help?" not in without
    assert named.endswith("Need help? Write to help@example.com. We answer within 48 business hours.")


def test_the_guide_asks_for_a_log_in(alice: User) -> None:
    answer = Browser().get(GUIDE)

    assert (answer.status_code, answer["Location"]) == (302, f"/account/login/?next={quote(GUIDE, safe='')}")


def test_every_picture_of_the_guide_is_there_in_its_size_and_has_a_text(alice: User) -> None:
    page = logged_in(alice).get(GUIDE).content.decode()

    pictures = re.findall(
        r'<img [^>]*img/guide/([a-z]+)[^>"]*\.png" width="(\d+)" height="(\d+)"[^>]* alt="([^"]+)"', page
    )
    assert [name for name, *_ in pictures] == ["navigation", "token", "copied", "revoke"]
    for name, width, height, _alt in pictures:
        header = (ROOT / f"static/img/guide/{name}.png").read_bytes()[:24]
        assert struct.unpack(">8x4x4sII", header) == (b"IHDR", int(width), int(height))
