"""The programs on the page of the token, all of them on a page of their own, and their labels."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from developers import program_labels
from developers.issuance import revoke
from developers.models import ProgramLabel
from developers.programs import OTHERS, UNNAMED
from tests.cast import LAPTOP, logged_in
from tests.developers.test_program_uses import make
from tests.developers.views.token_page import HTMX, PAGE, text, use

pytestmark = pytest.mark.matrix

ALL = f"{PAGE}programs/"
LABEL = f"{ALL}label/"
MINUTE = timedelta(minutes=1)


def section(response: Any) -> str:
    """Return the markup of the section "Used by"."""
    page: str = response.content.decode()
    return page.partition('<section id="used-by"')[2].partition("</section>")[0]


def words(response: Any) -> str:
    return text(response).partition("Used by")[2].partition("Try it")[0].strip()


def names(response: Any) -> list[str]:
    return re.findall(r'<bdi class="used-by__name">([^<]*)</bdi>', response.content.decode())


def label(owner: User, program: str, label: str, **more: str) -> Any:
    return logged_in(owner).post(LABEL, {"program": program, "label": label} | more)


def messages_of(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_a_row_says_who_from_where_when_and_how_often(alice: User) -> None:
    now = timezone.now()
    make(alice, "n8n", "192.0.2.1", now - 3 * MINUTE, count=1_234_567)
    make(alice, "n8n", "192.0.2.2", now - 4 * MINUTE, count=1_012, is_refused=True)
    make(alice, "n8n", "2001:db8::/64", now - 5 * MINUTE)

    row = words(logged_in(alice).get(PAGE)).replace("\xa0", " ")

    assert "n8n 192.0.2.1 192.0.2.2 1 more address 2001:db8::/64" in row
    assert "3 minutes ago 1,234,568 in 30 days 1,012 refused" in row
    assert "The names are the programs’ own claims. Read each number as “at least”." in row


@pytest.mark.parametrize(
    ("days", "alternative"),
    [
        ({0: 1_234}, r"Calls on 1 day of 30: 1,234 on \d+ \w{3}"),
        ({0: 5, 3: 2_000, 29: 7}, r"Calls on 3 days of 30; the most, 2,000, on \d+ \w{3}"),
        ({30: 9, 1: 2}, r"Calls on 1 day of 30: 2 on \d+ \w{3}"),
    ],
)
def test_the_bars_have_a_text_alternative_and_no_style(alice: User, days: dict[int, int], alternative: str) -> None:
    for ago, count in days.items():
        make(alice, "n8n", at=timezone.now() - timedelta(days=ago), count=count)

    drawn = section(logged_in(alice).get(PAGE))

    assert re.findall(r'<svg [^>]*role="img"[^>]* aria-label="([^"]+)"', drawn)
    assert re.search(f'aria-label="{alternative}"', drawn)
    assert len(re.findall(r"M\d+ 24V\d", drawn)) == sum(ago < 30 for ago in days)
    assert not re.search(r"style=|<script|<style", drawn)


def test_ten_programs_are_drawn_and_all_of_them_on_their_own_page(alice: User) -> None:
    now = timezone.now()
    for number in range(11):
        make(alice, f"program {number}", at=now - number * MINUTE)
    browser = logged_in(alice)

    few, every = browser.get(PAGE), browser.get(ALL)

    assert names(few) == [f"program {number}" for number in range(10)]
    assert f'href="{ALL}"' in section(few)
    assert names(every) == [f"program {number}" for number in range(11)]


def test_ten_programs_need_no_other_page(alice: User) -> None:
    for number in range(10):
        make(alice, f"program {number}")

    few = logged_in(alice).get(PAGE)

    assert len(names(few)) == 10
    assert f'href="{ALL}"' not in section(few)


def test_fifty_programs_stand_on_a_page(alice: User) -> None:
    now = timezone.now()
    for number in range(53):
        make(alice, f"program {number}", at=now - number * MINUTE)
    browser = logged_in(alice)

    pages = [names(browser.get(ALL, {"page": page})) for page in (1, 2, 9)]

    assert [len(page) for page in pages] == [50, 3, 3]
    assert pages[1] == pages[2] == ["program 50", "program 51", "program 52"]


def test_nothing_uses_it_yet_leads_to_the_first_steps(alice: User) -> None:
    page = logged_in(alice).get(PAGE)

    assert re.search(r"Nothing uses it yet\.\s+<a href=\"#first-steps-title\">Get started</a>", section(page))


def test_where_a_token_of_before_was_used_nothing_uses_it_yet_leads_to_the_first_call(alice: User) -> None:
    use(alice)
    revoke(alice, 1, LAPTOP, even_if_used=True)

    page = logged_in(alice).get(PAGE)

    assert words(page) == "Nothing uses it yet. Make the first call"
    assert 'href="#try-it-title"' in section(page)


def test_a_use_of_the_last_minute_is_announced(alice: User, bob: User) -> None:
    use(alice)
    make(bob, "his")
    browser = logged_in(alice)

    shown = [words(browser.get(PAGE)), text(browser.get(ALL))]

    assert all("No program in the last 30 days. A call appears here within a minute." in page for page in shown)
    assert not any("his" in page.split() for page in shown)


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "https://evil.example", '"><a href=x>', "مزامنة العملاء", "a" * 40, "&amp;"]
)
def test_a_name_is_text_of_its_own_direction_and_never_a_link(alice: User, name: str) -> None:
    make(alice, name)
    make(alice, "curl")
    ProgramLabel.objects.create(user=alice, program="curl", label=name)

    page = logged_in(alice).get(PAGE)

    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert names(page) == [escaped, escaped]
    assert re.findall(r'href="([^"]*)"', section(page)) == []
    assert "<script" not in section(page)


def test_the_page_with_ten_programs_takes_six_queries(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = logged_in(alice)
    for number in range(12):
        make(alice, f"program {number}", f"192.0.2.{number}")
    for generation in range(1, 9):
        revoke(alice, generation, LAPTOP, even_if_used=True)

    with django_assert_num_queries(6):
        browser.get(f"{PAGE}?replaced=3")


def test_showing_the_token_reads_no_programs(alice: User) -> None:
    browser = logged_in(alice)

    with CaptureQueriesContext(connection) as queries:
        browser.post(f"{PAGE}show/", headers=HTMX)

    assert queries.captured_queries
    assert not [query for query in queries.captured_queries if "developers_tokenuse" in query["sql"]]


@pytest.mark.parametrize(("more", "page"), [({}, PAGE), ({"all": ""}, ALL)])
def test_a_label_stands_before_the_name_and_stays_after_a_revoke(alice: User, more: dict[str, str], page: str) -> None:
    make(alice, "n8n")
    browser = logged_in(alice)

    response = browser.post(LABEL, {"program": "n8n", "label": " CRM sync "} | more)
    revoke(alice, 1, LAPTOP, even_if_used=True)

    assert (response.status_code, response["Location"]) == (302, page)
    shown = browser.get(page)
    assert "n8n is labeled “CRM sync” now." in text(shown)
    assert names(shown) == ["CRM sync"]
    assert '<bdi class="soft">n8n</bdi>' in shown.content.decode()
    assert 'value="CRM sync"' in shown.content.decode()


@pytest.mark.parametrize(
    ("program", "given", "message"),
    [
        ("n8n", "", "n8n has no label now."),
        ("n8n", " \u200b ", "n8n has no label now."),
        ("n8n", "ب" * 40, f"n8n is labeled “{'ب' * 40}” now."),
        ("n8n", "x" * 41, "A label has at most 40 characters."),
        ("n8n", "a\0b", "Null characters are not allowed."),
        (UNNAMED, "Cron", "Unnamed program is labeled “Cron” now."),
    ],
)
def test_a_label_is_answered_in_a_sentence(alice: User, program: str, given: str, message: str) -> None:
    make(alice, program)

    response = label(alice, program, given)

    assert messages_of(response) == [message]


@pytest.mark.parametrize("program", [OTHERS, "unknown", "x" * 41, "a\0", "his", " n8n"])
def test_what_is_no_program_of_the_owner_gets_no_label(alice: User, bob: User, program: str) -> None:
    make(alice, OTHERS)
    make(alice, "n8n")
    make(bob, "his")

    response = label(alice, program, "CRM sync")

    assert response.status_code == 404
    assert not ProgramLabel.objects.exists()


def test_a_label_too_many_is_refused_in_a_sentence(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_labels, "MOST_LABELS", 0)
    make(alice, "n8n")

    response = label(alice, "n8n", "CRM sync")

    assert messages_of(response) == ["You have 0 labels. Remove one to make room."]


def test_the_rest_beyond_the_bounds_has_no_form_for_a_label(alice: User) -> None:
    make(alice, OTHERS)

    drawn = section(logged_in(alice).get(PAGE))

    assert "Other programs" in drawn
    assert "<form" not in drawn
