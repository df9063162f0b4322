"""The guide to the token says what people ask, and is reached from the token's page."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.models import ApiToken
from tests.cast import logged_in
from tests.server import ROOT

PICTURES = ROOT / "static/img/guide"
# Pixels of a picture for one of CSS.
SCALE = 1.5
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
        "Your token is already there, in the box. It was made for you.",
        "The token stops working at once, and a new one is made at once.",
        "Treat the token like a password. Share it only with people you trust",
        "Each account has exactly one token that works.",
        "It gives access to every bot of the account",
        "No. The token can do everything that the API offers.",
        "From that moment on, everybody who has the old token is refused.",
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


@pytest.mark.parametrize("step", ["navigation", "token", "copied", "revoke"])
def test_every_picture_of_the_guide_is_there_for_phones_and_in_the_dark(alice: User, step: str) -> None:
    page = logged_in(alice).get(GUIDE).content.decode()

    [picture] = [each for each in re.findall("<picture>.*?</picture>", page, re.DOTALL) if f"/{step}-" in each]
    named = r'img/guide/([a-z-]+)[^"]*\.webp" width="(\d+)" height="(\d+)"'
    found = re.findall(named, picture)
    assert [name for name, *_ in found] == [
        f"{step}-narrow-dark",
        f"{step}-narrow-light",
        f"{step}-wide-dark",
        f"{step}-wide-light",
    ]
    assert re.findall('media="([^"]+)"', picture) == [
        "(max-width: 47.99rem) and (prefers-color-scheme: dark)",
        "(max-width: 47.99rem)",
        "(prefers-color-scheme: dark)",
    ]
    assert re.search(f'<img [^>]*{named} loading="lazy" alt="[^"]+">', picture)
    for name, width, height in found:
        assert size_of(PICTURES / f"{name}.webp") == (int(width) * SCALE, int(height) * SCALE)


def size_of(picture: Path) -> tuple[int, int]:
    """Return the pixels of a WebP file (RFC 9649, section 2.7)."""
    header = picture.read_bytes()[:30]
    assert (header[:4], header[8:16]) == (b"RIFF", b"WEBPVP8X")
    width, height = (1 + int.from_bytes(header[at : at + 3], "little") for at in (24, 27))
    return width, height


def test_the_guide_has_no_picture_that_it_does_not_show_and_all_are_small(alice: User) -> None:
    page = logged_in(alice).get(GUIDE).content.decode()

    shown = re.findall(r"img/guide/([a-z-]+)", page)
    assert sorted(shown) == sorted(file.stem for file in PICTURES.iterdir())
    assert sum(file.stat().st_size for file in PICTURES.iterdir()) < 200_000


def test_what_the_guide_names_is_on_the_page_of_the_token(alice: User) -> None:
    ApiToken.objects.update(last_used_at=timezone.now())
    browser = logged_in(alice)

    guide = browser.get(GUIDE).content.decode()
    shown = browser.get(TOKEN_PAGE).content.decode()
    # Asks first, since the token is in use.
    shown += browser.post(f"{TOKEN_PAGE}revoke/", {"generation": 1}).content.decode()

    named = {unescape(name) for name in re.findall("<strong>([^<]+)</strong>", guide)}
    assert named == {"More", "Developer", "Developers", "API Access Token", "Copy", "Revoke API Token"}
    pictured = {"Show", "Copied", "Keep this token", "Revoke and replace"}
    described = " ".join(re.findall('alt="([^"]+)"', guide))
    assert [word for word in pictured if word not in described] == []
    texts = {" ".join(text.split()) for text in re.findall(">([^<>]+)<", shown)}
    assert (named | pictured) - texts == set()
