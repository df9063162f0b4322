from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from post_office.models import Email

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.security_log import Detail, Kind
from developers import issuance, tokens, usage
from developers.issuance import Verdict
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, PHONE, logged_in, token_events, token_text
from tests.server import ROOT

pytestmark = pytest.mark.django_db


def activity(user: User) -> list[tuple[str, int | None]]:
    return [(event.kind, event.generation) for event in token_events().filter(user=user).order_by("pk")]


def damage(user: User) -> None:
    ApiToken.objects.filter(user=user).update(ciphertext="damaged")


@pytest.mark.parametrize(
    "write",
    [
        "ApiToken.objects.update(last_used_ip=None)",
        "RevokedToken.objects.all().delete()",
        "connection.cursor().execute('DELETE FROM developers_apitoken')",
    ],
)
def test_whoever_else_writes_a_table_of_the_token_fails_every_test(write: str) -> None:
    elsewhere = compile(write, ROOT / "developers/views/token.py", "exec")

    with pytest.raises(pytest.fail.Exception, match=r"^developers/views/token\.py writes a table of the token, which "):
        exec(elsewhere, globals() | {"connection": connection})  # noqa: S102 - as if it stood there


def test_a_first_visit_makes_a_token_and_says_so() -> None:
    carol = User.objects.create_user("carol@example.net")

    token = issuance.token_of(carol, LAPTOP)

    assert tokens.is_well_formed(token_text(carol))
    assert (token.generation, token.hint) == (1, token_text(carol)[-4:])
    assert (token.last_used_at, token.last_used_ip, token.last_used_client) == (None, None, None)
    event = token_events().get()
    assert (event.user, event.kind, event.generation, event.hint) == (carol, Kind.TOKEN_ISSUED, 1, token.hint)
    assert (event.at, event.ip, event.client) == (token.issued_at, LAPTOP.ip, LAPTOP.user_agent)


def test_later_visits_find_the_same_token(alice: User) -> None:
    before = token_text(alice)

    issuance.token_of(alice, PHONE)

    assert token_text(alice) == before
    assert activity(alice) == [(Kind.TOKEN_ISSUED, 1)]


def test_issuing_to_a_user_with_a_token_returns_that_token(alice: User) -> None:
    before = token_text(alice)

    token = issuance.issue(alice, PHONE)

    assert token == ApiToken.objects.get(user=alice)
    assert token_text(alice) == before
    assert activity(alice) == [(Kind.TOKEN_ISSUED, 1)]


def test_revoking_replaces_the_token(alice: User, bob: User) -> None:
    before, bobs = token_text(alice), token_text(bob)

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert outcome.verdict is Verdict.REPLACED
    assert outcome.token == ApiToken.objects.get(user=alice)
    assert (outcome.token.generation, outcome.token.hint) == (2, token_text(alice)[-4:])
    assert token_text(alice) != before
    assert token_text(bob) == bobs


def test_revoking_keeps_what_the_page_shows_of_the_old_token(alice: User) -> None:
    usage.record_use(alice.pk, 1, LAPTOP)
    old = ApiToken.objects.get(user=alice)

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=True)

    revoked = RevokedToken.objects.get()
    assert outcome.revoked == revoked
    assert (revoked.user, revoked.generation, revoked.hint, revoked.key_id) == (alice, 1, old.hint, old.key_id)
    assert bytes(revoked.digest) == bytes(old.digest)
    assert revoked.last_used_at == old.last_used_at
    assert (revoked.last_used_ip, revoked.last_used_client) == (LAPTOP.ip, LAPTOP.user_agent)
    assert (revoked.revoked_at, revoked.reason) == (outcome.token.issued_at, "owner")
    assert (revoked.refused_count, revoked.last_refused_at) == (0, None)


def test_revoking_forgets_the_last_use_of_the_new_token(alice: User) -> None:
    usage.record_use(alice.pk, 1, LAPTOP)

    token = issuance.revoke(alice, 1, PHONE, even_if_used=True).token

    assert (token.last_used_at, token.last_used_ip, token.last_used_client) == (None, None, None)


def test_revoking_writes_what_was_revoked_and_what_was_issued(alice: User) -> None:
    issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert activity(alice) == [(Kind.TOKEN_ISSUED, 1), (Kind.TOKEN_REVOKED, 1), (Kind.TOKEN_ISSUED, 2)]
    event = token_events().get(kind=Kind.TOKEN_REVOKED)
    assert (event.ip, event.client, event.detail) == (PHONE.ip, PHONE.user_agent, "")


def test_revoking_twice_with_one_form_replaces_the_token_once(alice: User) -> None:
    first = issuance.revoke(alice, 1, PHONE, even_if_used=False)
    current = token_text(alice)

    second = issuance.revoke(alice, 1, LAPTOP, even_if_used=True)

    assert second.verdict is Verdict.ALREADY_REPLACED
    assert (second.token, second.revoked) == (first.token, first.revoked)
    assert token_text(alice) == current
    assert Email.objects.count() == 1
    assert len(activity(alice)) == 3


@pytest.mark.parametrize("generation", [0, 2, 99, 2**31 - 2])
def test_revoking_a_generation_that_never_was_changes_nothing(alice: User, generation: int) -> None:
    before = token_text(alice)

    outcome = issuance.revoke(alice, generation, PHONE, even_if_used=True)

    assert (outcome.verdict, outcome.revoked) == (Verdict.ALREADY_REPLACED, None)
    assert outcome.token.generation == 1
    assert token_text(alice) == before
    assert activity(alice) == [(Kind.TOKEN_ISSUED, 1)]


def test_revoking_before_the_first_visit_only_makes_the_first_token() -> None:
    carol = User.objects.create_user("carol@example.net")

    outcome = issuance.revoke(carol, 1, PHONE, even_if_used=True)

    assert (outcome.verdict, outcome.token.generation, outcome.revoked) == (Verdict.ALREADY_REPLACED, 1, None)
    assert activity(carol) == [(Kind.TOKEN_ISSUED, 1)]


def test_a_used_token_is_left_alone_until_asked(alice: User) -> None:
    usage.record_use(alice.pk, 1, LAPTOP)
    before = token_text(alice)

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert (outcome.verdict, outcome.revoked) == (Verdict.IN_USE, None)
    assert (outcome.token.last_used_ip, outcome.token.last_used_client) == (LAPTOP.ip, LAPTOP.user_agent)
    assert token_text(alice) == before
    assert activity(alice) == [(Kind.TOKEN_ISSUED, 1)]
    assert RevokedToken.objects.count() == Email.objects.count() == 0


def test_an_unreadable_token_is_replaced_and_the_event_says_so(alice: User) -> None:
    damage(alice)

    outcome = issuance.revoke(alice, 1, PHONE, even_if_used=False)

    assert outcome.verdict is Verdict.REPLACED
    assert tokens.is_well_formed(token_text(alice))
    assert token_events().get(kind=Kind.TOKEN_REVOKED).detail == Detail.UNREADABLE


def test_a_revoke_forgets_revoked_tokens_ninety_days_after_they_were_last_tried(alice: User) -> None:
    for generation in range(1, 5):
        issuance.revoke(alice, generation, PHONE, even_if_used=False)
    long_ago, lately = timezone.now() - timedelta(days=91), timezone.now() - timedelta(days=89)
    RevokedToken.objects.filter(generation__lte=3).update(revoked_at=long_ago)
    RevokedToken.objects.filter(generation=2).update(refused_count=1, last_refused_at=long_ago)
    RevokedToken.objects.filter(generation=3).update(refused_count=1, last_refused_at=lately)

    issuance.revoke(alice, 5, PHONE, even_if_used=False)

    assert sorted(RevokedToken.objects.values_list("generation", flat=True)) == [3, 4, 5]


def test_a_revoke_keeps_the_twenty_latest_of_its_owner_and_all_of_others(alice: User, bob: User) -> None:
    issuance.revoke(bob, 1, PHONE, even_if_used=False)

    for generation in range(1, 24):
        issuance.revoke(alice, generation, PHONE, even_if_used=False)

    assert sorted(alice.revoked_tokens.values_list("generation", flat=True)) == list(range(4, 24))
    assert [row.generation for row in bob.revoked_tokens.all()] == [1]


@pytest.mark.parametrize("kind", [Kind.TOKEN_SHOWN, Kind.TOKEN_COPIED])
def test_revealing_opens_the_token_and_records_it(alice: User, kind: Kind) -> None:
    secret = issuance.reveal(alice, kind, PHONE)

    assert secret.open() == token_text(alice)
    event = token_events().order_by("pk").last()
    assert event is not None
    assert (event.kind, event.generation, event.ip, event.client) == (kind, 1, PHONE.ip, PHONE.user_agent)


def test_swapped_rows_reveal_nothing_and_are_logged_without_any_token(
    alice: User, bob: User, caplog: pytest.LogCaptureFixture
) -> None:
    texts = [token_text(alice), token_text(bob)]
    one, other = ApiToken.objects.get(user=alice), ApiToken.objects.get(user=bob)
    ApiToken.objects.filter(user=bob).update(digest=bytes(32))
    ApiToken.objects.filter(user=alice).update(digest=other.digest, ciphertext=other.ciphertext)
    ApiToken.objects.filter(user=bob).update(digest=one.digest, ciphertext=one.ciphertext)

    for user in (alice, bob):
        with pytest.raises(Unreadable):
            issuance.reveal(user, Kind.TOKEN_COPIED, PHONE)

    assert caplog.messages == [
        f"The token of user {user.pk}, generation 1, is not shown: its ciphertext belongs to another row."
        for user in (alice, bob)
    ]
    assert not any(text[5:17] in caplog.text for text in texts)
    assert activity(alice) == activity(bob) == [(Kind.TOKEN_ISSUED, 1)]


def test_everybody_s_tokens_are_replaced_however_many_are_read_at_once(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuance, "BATCH", 1)
    old = token_text(alice), token_text(bob)

    replaced = issuance.revoke_all(ApiToken.objects.all(), LAPTOP, RevokedToken.Reason.OPERATOR)

    assert replaced == 2
    assert {token_text(alice), token_text(bob)} & set(old) == set()


def test_the_owner_reads_on_the_page_and_in_the_mail_that_a_backup_was_restored(alice: User) -> None:
    hint = alice.api_token.hint
    issuance.revoke_all(ApiToken.objects.all(), LAPTOP, RevokedToken.Reason.RESTORED)

    page = logged_in(alice).get("/developers/api-access-token/").content.decode()

    assert "A backup of this server was restored today at" in page
    assert f'Your token ending <span class="mono" dir="ltr">{hint}</span> was revoked with all others.' in page
    letter = Email.objects.get()
    assert ["A backup of this server was restored" in text for text in (letter.message, letter.html_message)] == [
        True,
        True,
    ]
