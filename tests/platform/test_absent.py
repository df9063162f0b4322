"""Known paths of BotPenguin's API that this server does not have: 404, and a sentence that says what is missing."""

import re

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import absent, reference
from botpenguin.platform.api.errors import OF_REFUSALS
from developers.bearer.verification import RefusalReason
from tests.cast import logged_in, token_text
from tests.platform.calls import BASE, NOBODY, Caller
from tests.platform.test_errors import INVALID, WELL_FORMED, assert_error
from tests.server import ROOT

pytestmark = pytest.mark.matrix

MESSAGES = "This server sends no messages."
TEMPLATES = f"{MESSAGES} It has no templates either."
CHATS = f"{MESSAGES} Contacts are at /inbox/users."
PARTNERS = "This server has no partners and no customers of partners."
UNKNOWN = "There is nothing at this path. Paths have no trailing slash."
# As clients and documentation of others name them.
PUBLISHED = [
    ("GET", f"/whatsapp-automation/plugin/templates/{NOBODY}", TEMPLATES),
    ("GET", f"/whatsapp-automation/plugin/make-template-dynamic-fields/{NOBODY}", TEMPLATES),
    ("POST", "/whatsapp-automation/plugin/send-template-message", TEMPLATES),
    ("POST", "/whatsapp-automation/wa/send-message?apiKey=abc", MESSAGES),
    ("POST", "/whatsapp-automation/wa/send-template?apiKey=abc", MESSAGES),
    ("POST", "/telegram-automation/messages/v2/send-message", MESSAGES),
    ("POST", "/integrations/custom-app/send-message-to-plugin", MESSAGES),
    ("PUT", "/inbox/direct/lead", CHATS),
    ("GET", "/inbox/direct/chats", CHATS),
    ("GET", "/ext/get-user-token?userId=1", PARTNERS),
    ("POST", "/customer", PARTNERS),
    ("POST", "/customer/create", PARTNERS),
    ("GET", "/customer/list?page=1&sort=createdAt", PARTNERS),
]
SPELLINGS = [
    ("/inbox/direct", CHATS),
    ("/inbox/direct/", CHATS),
    ("/inbox/direct//lead/", CHATS),
    ("/inbox/direct/lead/" + "x" * 5000, CHATS),
    ("/Inbox/DIRECT/lead", CHATS),
    ("/inbox%2Fdirect%2flead", CHATS),
    ("/%69nbox/direct/l%C3%A9ad", CHATS),
    ("/inbox/direct/a%00b%0D%0AX-Evil:%201", CHATS),
    ("/inbox/direct/%ff%fe", CHATS),
    ("/ext/%F0%9F%90%A7?a=b&a=%00", PARTNERS),
    ("/EXT", PARTNERS),
    ("/customer/;x=1", PARTNERS),
    ("/integrations/custom-app/Send-Message-To-Plugin/1", MESSAGES),
]
OTHERS = [
    *("/extra", "/customers", "/customer-list", "/e", "/inbox/direction", "/inbox/directs/lead", "/inbox/"),
    *("/whatsapp-automation/", "/whatsapp-automation/plugins", "/whatsapp-automation/pluginx/templates"),
    *("//ext", "/x/ext", "/integrations/custom-app", "/integrations/custom-app/send-message", "/ext.json"),
    *("/telegram-automation", "/inbox/users/direct/lead", "/%20ext"),
]


@pytest.mark.parametrize(("method", "path", "sentence"), PUBLISHED)
def test_a_published_path_that_is_absent_is_404_and_says_what_is_missing(
    as_alice: Caller, method: str, path: str, sentence: str
) -> None:
    response = as_alice.send(method, path, {"botId": NOBODY})

    assert_error(response, 404, "not_offered", sentence)


@pytest.mark.parametrize(("path", "sentence"), SPELLINGS)
def test_so_is_every_path_below_it_however_it_is_spelled(as_alice: Caller, path: str, sentence: str) -> None:
    response = as_alice.send("POST", path)

    assert_error(response, 404, "not_offered", sentence)


@given(st.sampled_from(sorted(absent.ABSENT)), st.text(max_size=50))
def test_any_text_below_an_absent_path_has_its_sentence(known: str, text: str) -> None:
    convert = absent.AbsentPath().to_python

    assert {convert(f"{spelled}/{text}") for spelled in (known, known.upper(), known.title())} == {known}


@given(st.sampled_from(sorted(absent.ABSENT)), st.text(alphabet=st.characters(exclude_characters="/"), min_size=1))
def test_any_text_at_the_end_of_an_absent_path_makes_another_path(known: str, text: str) -> None:
    # Below another absent path.
    assume(text.lower() not in absent.ABSENT)
    for path in (known + text, text + known, f"{text}/{known}"):
        with pytest.raises(ValueError, match=re.escape(path)):
            absent.AbsentPath().to_python(path)


@pytest.mark.parametrize("path", OTHERS)
def test_a_path_that_only_looks_like_one_is_unknown(as_alice: Caller, path: str) -> None:
    response = as_alice.send("GET", path)

    assert_error(response, 404, "not_found", UNKNOWN)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_any_method_is_answered_alike(as_alice: Caller, method: str) -> None:
    response = as_alice.send(method, "/ext/get-user-token")

    assert response.status_code == 404
    assert "Allow" not in response
    if method == "HEAD":
        assert (response.content, int(response["Content-Length"]) > len(PARTNERS)) == (b"", True)
    else:
        assert_error(response, 404, "not_offered", PARTNERS)


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        ("", ""),
        ("{", "application/json"),
        ("a=b", "application/x-www-form-urlencoded"),
        (b"\xff\x00", "application/json"),
        (b"\x1f\x8b", "application/octet-stream"),
        ("[" * 2000, "text/plain"),
        ("x" * 3 * 1024 * 1024, "application/json"),
    ],
    ids=["none", "cut off", "form", "not UTF-8", "gzip", "deep", "large"],
)
def test_no_body_is_read(as_alice: Caller, text: str | bytes, content_type: str) -> None:
    response = as_alice.send_text("POST", "/whatsapp-automation/wa/send-message", text, content_type)

    assert_error(response, 404, "not_offered", MESSAGES)


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({}, RefusalReason.MISSING),
        ({"Authorization": "Basic YTpi"}, RefusalReason.MISSING),
        # What other APIs of BotPenguin take is no token here.
        ({"apiKey": WELL_FORMED}, RefusalReason.MISSING),
        ({"x-bp-token": WELL_FORMED}, RefusalReason.MISSING),
        ({"Authorization": "Bearer abc"}, RefusalReason.MALFORMED),
        ({"Authorization": f"Bearer {WELL_FORMED}", "authtype": "Token"}, RefusalReason.WRONG_AUTHTYPE),
    ],
)
@pytest.mark.parametrize("path", ["/inbox/direct/lead", "/EXT/", "/customer/%00"])
def test_the_token_is_checked_first(path: str, headers: dict[str, str], refusal: RefusalReason) -> None:
    response = Browser().post(BASE + path, headers=headers)

    assert_error(response, 401, OF_REFUSALS[refusal].key, refusal)
    expected = 'Bearer realm="BotPenguin"' if refusal is RefusalReason.MISSING else INVALID.format(refusal)
    assert response["WWW-Authenticate"] == expected


def test_a_token_that_was_revoked_is_401_and_says_so(alice: User, as_alice: Caller) -> None:
    logged_in(alice).post("/developers/api-access-token/revoke/", {"generation": 1, "even_if_used": "on"})

    response = as_alice.send("GET", "/whatsapp-automation/plugin/templates/1")

    assert response.status_code == 401
    assert response.json()["message"].startswith("This API access token was revoked at 20")


def test_requests_are_counted_as_those_of_operations(alice: User, settings: Settings) -> None:
    settings.API_RATE_LIMIT = 3
    sender = Caller(token_text(alice))

    answers = [sender.send("GET", path) for path in ("/ext", "/token", "/inbox/direct", "/customer", "/token")]

    assert [answer.status_code for answer in answers] == [404, 200, 404, 429, 429]
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0", "r=0"]
    assert int(answers[3]["Retry-After"]) > 0


def test_unknown_tokens_are_limited_by_address(db: None, settings: Settings) -> None:
    settings.API_REFUSED_LIMIT = 1

    answers = [Browser().get(f"{BASE}/ext", headers={"Authorization": f"Bearer {WELL_FORMED}"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [401, 429]
    assert answers[1].json()["message"].startswith("Too many unknown tokens from this address.")


def test_it_takes_the_queries_of_the_bearer_check_and_no_other(as_alice: Caller) -> None:
    as_alice.send("GET", "/token")

    with CaptureQueriesContext(
        connection,
    ) as queries:
        as_alice.send("POST", "/integrations/custom-app/send-message-to-plugin", {"text": "Hello!"})

    assert len(queries) == 1


def test_no_operation_is_at_an_absent_path() -> None:
    served = {path.strip("/").lower() for path in reference.document()["paths"]}

    assert {path for path in served for known in absent.ABSENT if f"{path}/".startswith(f"{known}/")} == set()


def test_the_readme_lists_every_absent_path_and_every_operation_that_botpenguin_has() -> None:
    readme = (ROOT / "README.md").read_text()
    own = ("/token", "/bots", "/third-party-apis")
    shared = {path for path in reference.document()["paths"] if not path.startswith(own)}

    assert {path for path in shared if f"`{path}`" not in readme} == set()
    assert {known for known in absent.ABSENT if f"`/{known}`" not in readme} == set()
