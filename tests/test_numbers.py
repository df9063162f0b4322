"""Numbers and ids of no object, in every address and form that takes one: not found, refused, or an ordinary page."""

import re
from http import HTTPStatus
from urllib.parse import quote

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client as Browser
from django.urls import get_resolver

from accounts.models import User
from developers import issuance
from developers.models import ApiToken
from tests.cast import LAPTOP, PASSWORD, logged_in, token_text
from tests.test_project import routes

# Too large for a column, for a machine, or for Python to read; below nothing; digits that are not ASCII; no text.
NUMBERS = ["9" * 26, str(2**63), "9" * 5000, "z" * 13, "-1", "١٢", "1.5", "a\0"]
# Of each kind of error one: where a database, Python or text has its bounds.
POSTED = ["9" * 26, "9" * 5000, "a\0"]
TOKENS = "/admin/developers/apitoken/"
PARAMETER = re.compile(r"<[^>]+>")
WITH_PARAMETERS = sorted({route for route in routes(get_resolver()) if PARAMETER.search(route) and "(" not in route})
NOT_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}

# A mailed link that does not work says so, and the admin sends its old addresses on.
ANSWERED = {HTTPStatus.OK, HTTPStatus.FOUND, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
SENTENCES = {
    "/account/confirm-email/<str:key>/": ANSWERED,
    "/account/password/reset/key/<base36:uidb36>-<str:key>/": ANSWERED,
    f"{TOKENS}<path:object_id>/": {HTTPStatus.FOUND},
}


@pytest.fixture
def owner(db: None) -> User:
    user = User.objects.create_superuser("operator@example.com", PASSWORD)
    issuance.issue(user, LAPTOP)
    return user


@pytest.fixture
def operator(owner: User) -> Browser:
    return logged_in(owner)


@pytest.mark.matrix
@pytest.mark.no_cover
@pytest.mark.parametrize("route", WITH_PARAMETERS)
def test_an_address_with_a_number_or_id_that_nobody_has_is_not_found(
    operator: Browser, owner: User, route: str
) -> None:
    paths, posted = (
        [PARAMETER.sub(quote(number, safe=""), route) for number in numbers] for numbers in (NUMBERS, POSTED)
    )
    headers = {"Authorization": f"Bearer {token_text(owner)}"} if route.startswith("/api/") else {}
    expected = SENTENCES.get(route, NOT_THERE)

    answers = [operator.get(path, headers=headers) for path in paths]
    answers += [operator.post(path, {}, "application/json", headers=headers) for path in posted]

    assert {answer.status_code for answer in answers} <= expected


@pytest.mark.parametrize("path", [f"{TOKENS}{'9' * 26}/change/", f"{TOKENS}999/change/", f"{TOKENS}x/history/"])
def test_no_token_is_found_in_the_admin_by_what_is_no_id_of_one(operator: Browser, path: str) -> None:
    assert operator.get(path).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("number", NUMBERS, ids=ascii)
def test_the_admin_looks_up_no_object_by_the_number_of_its_kind(operator: Browser, number: str) -> None:
    kind = ContentType.objects.get_for_model(ApiToken).pk

    assert operator.get(f"/admin/r/{kind}/{quote(number)}/").status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize("number", [*NUMBERS, "0", "abc"], ids=ascii)
def test_an_action_on_what_is_no_token_revokes_none(operator: Browser, number: str) -> None:
    response = operator.post(TOKENS, {"action": "revoke", "_selected_action": [number], "index": number})

    assert response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.FOUND}
    assert ApiToken.objects.get().generation == 1


@pytest.mark.matrix
@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("page", "names"),
    [
        (TOKENS, "p o q e all _popup _facets"),
        ("/account/security/log/", "page kind"),
        ("/account/security/log/download/", "kind"),
        ("/developers/third-party-apps-api/", "page q"),
        ("/developers/third-party-apps-api/logs/", "page api"),
        ("/developers/api-access-token/", "confirmed replaced already-replaced"),
        ("/developers/api-access-token/programs/", "page"),
        ("/inbox/", "page q segment"),
        ("/bots/", "page"),
    ],
)
def test_a_list_takes_any_number_for_a_page_or_a_filter(operator: Browser, page: str, names: str) -> None:
    answers = [operator.get(page, {name: number}, follow=True) for name in names.split() for number in NUMBERS]

    assert {answer.status_code for answer in answers} == {HTTPStatus.OK}


@pytest.mark.parametrize("number", NUMBERS, ids=ascii)
def test_a_form_takes_any_number_and_changes_nothing(operator: Browser, number: str) -> None:
    answers = [
        operator.post("/developers/api-access-token/revoke/", {"generation": number, "even_if_used": "on"}),
        operator.post("/account/sessions/end/", {"session": number}),
        operator.post("/developers/third-party-apps-api/new/rows/", {"remove_row": f"headers-{number}"}),
        operator.post("/developers/third-party-apps-api/new/rows/", {f"headers-{number}-name": "x"}),
    ]

    assert [answer.status_code for answer in answers if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR] == []
    assert ApiToken.objects.get().generation == 1
