from datetime import timedelta
from functools import partial
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from post_office.models import Email

from accounts.models import User
from developers import issuance
from developers.models import ApiToken, RevokedToken
from tests.cast import LAPTOP, logged_in, token_events, token_text
from tests.interleaving import just_before


def revoke_tokens(*arguments: str) -> str:
    output = StringIO()
    call_command("revoke_tokens", *arguments, stdout=output)
    return output.getvalue()


def generations() -> dict[str, int]:
    return dict(ApiToken.objects.values_list("user__email", "generation"))


def test_the_token_of_one_user_is_revoked_and_its_owner_mailed(alice: User, bob: User) -> None:
    old = token_text(alice)

    output = revoke_tokens("--user", "Alice@Example.com")

    assert output == "1 tokens revoked. Their owners are notified by email.\n"
    assert generations() == {"alice@example.com": 2, "bob@example.org": 1}
    assert token_text(alice) != old
    assert RevokedToken.objects.get().reason == RevokedToken.Reason.OPERATOR
    assert Email.objects.get().to == ["alice@example.com"]
    assert token_events().filter(kind="token-revoked").get().client == "manage.py"


def test_the_owner_reads_on_the_page_and_in_the_mail_who_revoked_it(alice: User) -> None:
    hint = alice.api_token.hint
    revoke_tokens("--user", alice.email)

    page = logged_in(alice).get("/developers/api-access-token/").content.decode()

    assert f'Your token ending <span class="mono" dir="ltr">{hint}</span> was revoked today at' in page
    assert "by the operator of this server." in page
    assert "The operator of this server revoked it." in Email.objects.get().message
    assert "The operator of this server revoked it." in Email.objects.get().html_message


def test_the_tokens_of_everybody_are_revoked(alice: User, bob: User) -> None:
    output = revoke_tokens("--all")

    assert output == "2 tokens revoked. Their owners are notified by email.\n"
    assert generations() == {"alice@example.com": 2, "bob@example.org": 2}


@pytest.mark.parametrize("zone", ["", "Z", "+00:00"])
def test_tokens_issued_before_a_time_are_revoked(alice: User, bob: User, zone: str) -> None:
    ApiToken.objects.filter(user=alice).update(issued_at=timezone.now() - timedelta(days=3))
    moment = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")

    output = revoke_tokens("--issued-before", moment + zone)

    assert output == "1 tokens revoked. Their owners are notified by email.\n"
    assert generations() == {"alice@example.com": 2, "bob@example.org": 1}


def test_a_token_that_its_owner_has_renewed_meanwhile_stays(alice: User, bob: User) -> None:
    renew = partial(issuance.revoke, alice, 1, LAPTOP, even_if_used=True)

    with just_before(r'SELECT .*"developers_apitoken".* LIMIT 1\b', renew) as met:
        output = revoke_tokens("--all")

    assert met
    assert output == "1 tokens revoked. Their owners are notified by email.\n"
    assert generations() == {"alice@example.com": 2, "bob@example.org": 2}


def test_a_dry_run_only_counts(alice: User, bob: User) -> None:
    output = revoke_tokens("--all", "--dry-run")

    assert output == "2 tokens would be revoked.\n"
    assert generations() == {"alice@example.com": 1, "bob@example.org": 1}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--user", "nobody@example.com"), "There is no account with the email nobody@example.com."),
        (("--issued-before", "soon"), "soon is not a date or time such as 2026-11-24 or 2026-11-24T14:02Z."),
        ((), "Error: one of the arguments --user --all --issued-before is required"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(arguments: tuple[str, ...], problem: str) -> None:
    with pytest.raises(CommandError) as refused:
        revoke_tokens(*arguments)

    assert str(refused.value) == problem
