"""Programs choose their names: none is a formula, a link, a line of its own or turned around where people read it."""

import csv
import re
from html import unescape
from io import StringIO
from unicodedata import category

import pytest
from django.test import Client as Browser
from django.test import RequestFactory
from post_office.models import Email

from accounts.models import User
from accounts.security_log import Kind
from accounts.web.clients import Client
from developers import issuance, notices, usage
from developers.activity import record_event
from developers.bearer import verification
from developers.models import ApiToken, RevokedToken, TokenUse
from developers.new_uses import NewUse
from developers.programs import program_name, program_of
from tests.accounts.web.test_spreadsheets import begins_formula
from tests.cast import PHONE, logged_in, token_text
from tests.developers.test_program_uses import make
from tests.developers.views.token_page import PAGE

# As the server decodes the bytes of a header.
SAMPLES = [
    "=1+1/1",
    "+1-555/1",
    "-2+3/1",
    "@SUM(A1)/1",
    "\t=1/1",
    '=HYPERLINK("http://evil.example","x")/1',
    "＝1+1/1".encode().decode("latin-1"),
    "cur\u202eexe.tac\u2066/1".encode().decode("latin-1"),
    "x;=1+1/1",
    "a\0b/1",
    "sync\r\nBcc: x@evil.example\r\n\r\nhello/1",
    "sync\u2028\x85\x0b=1/1".encode().decode("latin-1"),
    "https://evil.example/login/1",
    "evil.example/1",
    "//evil.example/1",
    "javascript:alert(1)/1",
    "</bdi><a href=//evil.example>x</a>/1",
    "{{settings.SECRET_KEY}}/1",
    "\x1b[31mroot/1",
]
URL = re.compile(r"(https?:)?//[\w.-]+|\bevil\.example\b")
PAGES = [PAGE, f"{PAGE}programs/", "/account/security/log/", "/admin/developers/apitoken/{}/change/"]
OWN = "https://app.example.com"


def is_plain(text: str) -> bool:
    return not [each for each in text if category(each) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]


@pytest.fixture
def counted(alice: User) -> list[str]:
    """The kept names of the samples, after a call with each in a User-Agent that was accepted and one that was not."""
    old = token_text(alice)
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    browser = Browser()
    for sample in SAMPLES:
        for token in (old, token_text(alice)):
            headers = {"Authorization": f"Bearer {token}", "User-Agent": sample}
            browser.get("/api/v7/token", headers=headers)
    verification.use_counts.flush()
    return list(TokenUse.objects.values_list("program", flat=True).distinct())


def test_kept_names_are_one_line_of_plain_characters(counted: list[str]) -> None:
    assert len(counted) > 3
    assert [name for name in counted if not is_plain(name) or begins_formula(name) or "/" in name] == []


def test_no_name_is_a_formula_in_the_file_of_the_log(alice: User, counted: list[str]) -> None:
    # As another version may have kept them.
    for sample in SAMPLES:
        if "\0" not in sample:
            make(alice, sample[:40], "=1+1")

    rows = list(csv.reader(StringIO(logged_in(alice).get("/account/security/log/download/").content.decode())))

    assert {row[-1] for row in rows} >= {program_name(name) for name in counted}
    assert [cell for row in rows for cell in row if begins_formula(cell)] == []


def test_no_name_is_a_link_or_markup_on_a_page(alice: User, counted: list[str]) -> None:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    ApiToken.objects.update(last_used_client=SAMPLES[-3])
    browser = logged_in(alice)

    pages = [browser.get(path.format(alice.pk)).content.decode() for path in PAGES]

    for page in pages:
        assert [link for link in re.findall(r'(?:href|src|action)="([^"]*)"', page) if "evil" in link] == []
        assert "<a href=//" not in page
        assert all(is_plain(unescape(name)) for name in re.findall("<bdi[^>]*>([^<]*)</bdi>", page))


def test_no_name_is_a_line_or_a_link_in_a_mail(alice: User) -> None:
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    User.objects.filter(pk=alice.pk).update(mails_new_uses=True)
    old, token = RevokedToken.objects.get(), ApiToken.objects.select_related("user").get(user=alice)
    event = record_event(Kind.TOKEN_REFUSED, old, PHONE)

    for sample in SAMPLES:
        Email.objects.all().delete()
        TokenUse.objects.all().delete()
        make(alice, program_of(sample), is_refused=True)
        usage.record_refusals(old.pk, 1, Client.of(RequestFactory().get("/", headers={"User-Agent": sample})))
        old.refresh_from_db()
        notices.token_still_in_use(old, event)
        new = NewUse(Kind.TOKEN_NEW_PROGRAM, token, Client("192.0.2.1", program_name(program_of(sample))))
        new.mail(new.record())

        mails = Email.objects.all()
        assert len(mails) == 2
        for mail in mails:
            assert "\nBcc" not in mail.message
            assert is_plain(mail.message.replace("\n", ""))
            texts = f"{mail.message} {re.sub('<[^>]+>', '', unescape(mail.html_message))}"
            assert [each[0] for each in URL.finditer(texts) if each[0] != OWN] == []


def test_no_name_begins_a_line_of_the_log(counted: list[str], caplog: pytest.LogCaptureFixture) -> None:
    lines = [record.getMessage() for record in caplog.get_records("setup")]

    assert len([line for line in lines if line.startswith("GET /api/v7/token 401")]) == len(SAMPLES)
    assert [line for line in lines if not is_plain(line) or "evil" in line] == []
