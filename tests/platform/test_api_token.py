from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import envelope
from developers import issuance
from developers.models import ApiToken
from tests.cast import PHONE, logged_in, token_text

pytestmark = pytest.mark.matrix

ADDRESS = "/api/v7/token"


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_token_shows_its_owner(alice: User, bob: User) -> None:
    token = ApiToken.objects.get(user=alice)

    response = Browser().get(ADDRESS, headers=bearing(token_text(alice)))

    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "message": "",
        "data": {
            "email": "alice@example.com",
            "hint": token.hint,
            "issuedAt": token.issued_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "lastUsedAt": None,
        },
        "code": 200,
    }


def test_the_last_use_shown_is_the_one_before(alice: User) -> None:
    ApiToken.objects.update(last_used_at=datetime(2026, 11, 24, 14, 2, 9, 123456, tzinfo=UTC))

    response = Browser().get(ADDRESS, headers=bearing(token_text(alice)))

    assert response.json()["data"]["lastUsedAt"] == "2026-11-24T14:02:09.123Z"


def test_an_answer_is_stored_nowhere_sets_no_cookie_and_varies_by_the_language(alice: User) -> None:
    response = logged_in(alice).get(ADDRESS, headers=bearing(token_text(alice)) | {"X-Request-ID": "call-1"})

    assert dict(response.headers) == {
        "X-Request-ID": "call-1",
        "Content-Type": "application/json; charset=utf-8",
        "RateLimit-Policy": '"token";q=600;w=60',
        "RateLimit": '"token";r=599;t=60',
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
        "Content-Language": "en",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Content-Length": str(len(response.content)),
    }
    assert not response.cookies


def test_a_call_in_the_steady_state_is_one_select_also_beside_a_session(alice: User, bob: User) -> None:
    ApiToken.objects.update(last_used_at=timezone.now())
    browser, headers = logged_in(bob), bearing(token_text(alice))
    browser.get(ADDRESS, headers=headers)

    with CaptureQueriesContext(connection) as queries:
        response = browser.get(ADDRESS, headers=headers)

    assert response.json()["data"]["email"] == "alice@example.com"
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


def test_a_session_opens_nothing(alice: User) -> None:
    response = logged_in(alice).get(ADDRESS)

    assert response.status_code == 401


def test_a_token_opens_no_page_and_no_session(alice: User) -> None:
    browser = Browser()

    response = browser.get("/developers/api-access-token/", headers=bearing(token_text(alice)))

    assert (response.status_code, response["Location"]) == (
        302,
        "/account/login/?next=%2Fdevelopers%2Fapi-access-token%2F",
    )
    assert "sessionid" not in browser.cookies


def test_a_revoke_bites_at_the_next_call(alice: User) -> None:
    old = token_text(alice)
    before = Browser().get(ADDRESS, headers=bearing(old))

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=True)

    assert before.status_code == 200
    refused = Browser().get(ADDRESS, headers=bearing(old))
    at = envelope.timestamp(outcome.token.issued_at)
    sentence = f"This API access token was revoked at {at}. Copy the current one from the Developers page."
    assert refused.json() == {
        "success": False,
        "message": sentence,
        "data": [sentence],
        "code": 401,
        "error": "token_revoked",
    }
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"] == (
        f'Bearer realm="BotPenguin", error="invalid_token", error_description="{sentence}"'
    )
    assert Browser().get(ADDRESS, headers=bearing(token_text(alice))).status_code == 200


def test_a_good_token_is_good_over_https_only_where_https_is_on(alice: User, settings: Settings) -> None:
    settings.HTTPS = settings.SECURE_SSL_REDIRECT = True

    response = Browser().get(ADDRESS, headers=bearing(token_text(alice)), secure=True)

    assert response.status_code == 200


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=UTC), "2026-01-02T03:04:05.999Z"),
        (
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.get_fixed_timezone(timedelta(hours=5))),
            "2026-01-01T22:04:05.000Z",
        ),
    ],
)
def test_timestamps_are_in_utc_with_milliseconds(moment: datetime, written: str) -> None:
    assert envelope.timestamp(moment) == written
