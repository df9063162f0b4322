import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from developers import admin
from developers.admin import ApiTokenAdmin
from developers.models import ApiToken, RevokedToken
from tests.cast import PASSWORD, logged_in, token_text

pytestmark = pytest.mark.matrix

TOKENS = "/admin/developers/apitoken/"


@pytest.fixture
def operator(db: None) -> Browser:
    return logged_in(User.objects.create_superuser("operator@example.com", PASSWORD))


def test_tokens_are_listed_with_owner_hint_generation_and_times(operator: Browser, alice: User, bob: User) -> None:
    page = operator.get(TOKENS).content.decode()

    for token in (alice.api_token, bob.api_token):
        assert f'<td class="field-hint">{token.hint}</td>' in page
        assert token.user.email in page


def test_a_token_is_found_by_its_owners_email(operator: Browser, alice: User, bob: User) -> None:
    page = operator.get(f"{TOKENS}?q=alice@").content.decode()

    assert (alice.email in page, bob.email in page) == (True, False)


def test_no_page_shows_token_digest_or_ciphertext(operator: Browser, alice: User) -> None:
    token = alice.api_token
    secrets = [token_text(alice), bytes(token.digest).hex(), token.ciphertext, token.key_id]

    pages = [operator.get(path).content.decode() for path in ("/admin/", TOKENS, f"{TOKENS}{alice.pk}/change/")]

    assert [secret for secret in secrets for page in pages if secret in page] == []


@pytest.mark.parametrize("field", ["ciphertext", "digest", "key_id", "hint", "user__password", "user__email"])
def test_the_list_is_searched_and_not_filtered(operator: Browser, alice: User, field: str) -> None:
    """Filters would reveal, one character at a time, values that no page shows."""
    responses = [operator.get(TOKENS, {f"{field}{lookup}": "a"}) for lookup in ("", "__startswith", "__gte")]

    assert [answer.status_code for answer in responses] == [400] * 3
    assert "That request did not make sense" in responses[0].content.decode()


def test_the_one_action_revokes(operator: Browser, alice: User, bob: User) -> None:
    old = token_text(alice)

    response = operator.post(TOKENS, {"action": "revoke", "_selected_action": [alice.pk]}, follow=True)

    assert "1 token is revoked. Its owner is notified." in response.content.decode()
    assert token_text(alice) != old
    assert RevokedToken.objects.get().reason == RevokedToken.Reason.OPERATOR
    assert ApiToken.objects.get(user=bob).generation == 1
    assert re.findall(r'<option value="(\w+)">', response.content.decode()) == ["revoke"]


def revoke_all_listed(operator: Browser) -> str:
    choice = {"action": "revoke", "_selected_action": [User.objects.latest("pk").pk], "select_across": "1"}
    return operator.post(f"{TOKENS}?q=@example.", choice, follow=True).content.decode()


def test_of_many_chosen_tokens_some_are_revoked_at_once_and_the_page_says_how_many_are_left(
    operator: Browser, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "MOST_REVOKED", 1)
    ApiToken.objects.filter(user=bob).update(issued_at=timezone.now() - timedelta(days=1))

    pages, generations = [], []
    for _ in range(2):
        pages.append(revoke_all_listed(operator))
        generations.append([ApiToken.objects.get(user=user).generation for user in (alice, bob)])

    assert generations == [[1, 2], [2, 2]]
    for page in pages:
        assert "1 token is revoked. Its owner is notified." in page
        assert "1 of the chosen tokens are not revoked yet: at most 1 are at once" in page


def test_as_many_tokens_as_a_page_lists_are_revoked_at_once_each_in_a_transaction_of_its_own(
    operator: Browser, alice: User, bob: User
) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = revoke_all_listed(operator)

    assert ApiTokenAdmin(ApiToken, admin.site).list_per_page == admin.MOST_REVOKED
    assert "2 tokens are revoked." in page
    assert "not revoked yet" not in page
    read = [query["sql"] for query in queries.captured_queries if 'FROM "developers_apitoken"' in query["sql"]]
    assert [sql for sql in read if "COUNT(" not in sql and "LIMIT" not in sql and '_id" = ' not in sql] == []


@pytest.mark.parametrize("path", [f"{TOKENS}add/", f"{TOKENS}1/delete/"])
def test_nothing_is_added_or_deleted(operator: Browser, alice: User, path: str) -> None:
    response = operator.post(path.replace("/1/", f"/{alice.pk}/"))

    assert response.status_code == 403
    assert ApiToken.objects.get(user=alice).generation == 1


def test_nothing_is_changed(operator: Browser, alice: User) -> None:
    response = operator.post(f"{TOKENS}{alice.pk}/change/", {"hint": "0000", "generation": 7})

    assert response.status_code == 403
    assert ApiToken.objects.get(user=alice).generation == 1


def test_only_tokens_are_there(operator: Browser) -> None:
    page = operator.get("/admin/").content.decode()

    assert re.findall(r'<tr class="model-(\w+)', page) == ["apitoken"]


@pytest.mark.parametrize("path", ["/admin/", TOKENS])
def test_whoever_is_no_superuser_meets_our_refusal(alice: User, path: str) -> None:
    response = logged_in(alice).get(path, follow=True)

    assert response.status_code == 403
    assert "You can't open this page" in unescape(response.content.decode())


@pytest.mark.parametrize(
    ("path", "page"),
    [("/admin/password_change/", "/account/password/change/"), ("/admin/logout/", "/account/logout/")],
)
def test_passwords_and_log_out_are_left_to_the_accounts_own_pages(operator: Browser, path: str, page: str) -> None:
    responses = [operator.get(path), operator.post(path)]

    assert [response["Location"] for response in responses] == [page, page]


def test_logged_out_visitors_log_in_where_everybody_does(db: None) -> None:
    response = Browser().get(TOKENS)

    assert (response.status_code, response["Location"]) == (302, f"/account/login/?{urlencode({'next': TOKENS})}")
