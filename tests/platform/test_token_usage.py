"""`GET /token/usage`: a program reads which programs use the account's tokens, and nothing of other accounts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from developers import issuance
from developers.bearer import verification
from developers.models import ProgramLabel
from tests.cast import PHONE, token_text
from tests.developers.test_program_uses import make
from tests.platform.calls import Caller, caller


def test_programs_addresses_and_counts_are_in_the_envelope(alice: User, bob: User, as_alice: Caller) -> None:
    at = timezone.now().replace(microsecond=123_000)
    make(alice, "python-requests", "2001:db8::/64", at, count=3)
    make(alice, "python-requests", "2001:db8::/64", at + timedelta(minutes=1), generation=0, is_refused=True)
    make(bob, "hers", at=at)

    answer = as_alice.send("GET", "/token/usage")

    first, last = (f"{time.astimezone(UTC):%FT%T}.123Z" for time in (at, at + timedelta(minutes=1)))
    totals = {"accepted": 3, "refused": 1, "firstAt": first, "lastAt": last}
    totals |= {"currentSince": first, "lastRefusedAt": last}
    address = {"address": "2001:db8::/64", **totals}
    assert answer.json() == {
        "success": True,
        "message": "",
        "data": {
            "days": 35,
            "programs": [{"program": "python-requests", "label": "", "addresses": [address], **totals}],
        },
        "code": 200,
    }


@pytest.mark.parametrize("label", ["CRM sync", "مزامنة العملاء", '<b>"&', "=1+1", "a\u2028b", "👩‍💻", "null", "x" * 40])
def test_a_program_has_the_label_of_its_owner_alone(alice: User, bob: User, as_alice: Caller, label: str) -> None:
    ProgramLabel.objects.create(user=alice, program="n8n", label=label)
    ProgramLabel.objects.create(user=alice, program="gone", label="Old CRM")
    ProgramLabel.objects.create(user=bob, program="curl", label="his")
    for program in ("n8n", "curl"):
        make(alice, program)

    programs = as_alice.data("GET", "/token/usage")["programs"]

    assert {each["program"]: each["label"] for each in programs} == {"n8n": label, "curl": ""}


def test_an_account_without_calls_has_no_programs(as_alice: Caller) -> None:
    assert as_alice.data("GET", "/token/usage") == {"days": 35, "programs": []}


def test_a_call_is_listed_after_the_flush_and_the_new_token_after_a_revoke(alice: User) -> None:
    old = caller(alice)
    old.send("GET", "/token", **{"User-Agent": "n8n/1.64"})
    issuance.revoke(alice, 1, PHONE, even_if_used=True)
    old.send("GET", "/token", **{"User-Agent": "n8n/1.64"})
    verification.use_counts.flush()

    [program] = Caller(token_text(alice)).data("GET", "/token/usage")["programs"]

    assert (program["program"], program["accepted"], program["refused"]) == ("n8n", 1, 1)
    assert program["currentSince"] is None
    assert datetime.fromisoformat(program["lastRefusedAt"]) >= datetime.fromisoformat(program["firstAt"])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}])
def test_without_a_token_nothing_is_listed(db: None, headers: dict[str, str]) -> None:
    answer = Caller("").send("GET", "/token/usage", **headers)

    assert answer.status_code == 401
    assert answer.json()["success"] is False
