"""What a quota shows and refuses."""

import pytest
from django.utils.translation import gettext_lazy as _
from pytest_django.fixtures import Settings

from accounts.quotas import Quota, QuotaExceeded

BOTS = Quota("QUOTA_BOTS", _("You have %(used)s of %(most)s bots."))
BYTES = Quota("QUOTA_API_BYTES", _("Your APIs take %(used)s of %(most)s."), is_in_bytes=True)


@pytest.mark.parametrize(("used", "more"), [(0, 1), (999, 1), (0, 1000), (1000, 0), (5000, 0), (5000, -1)])
def test_a_number_that_fits_or_does_not_grow_is_accepted(settings: Settings, used: int, more: int) -> None:
    settings.QUOTA_BOTS = 1000

    BOTS.check(used, more)


@pytest.mark.parametrize(
    ("used", "more", "sentences"),
    [
        (1000, 1, "You have 1,000 of 1,000 bots. Delete some to make room."),
        (1500, 1, "You have 1,500 of 1,000 bots. Delete some to make room."),
        (0, 1001, "You have 0 of 1,000 bots. This would add 1,001."),
        (990, 11, "You have 990 of 1,000 bots. This would add 11. Delete some to make room."),
    ],
)
def test_one_too_many_is_refused_in_sentences(settings: Settings, used: int, more: int, sentences: str) -> None:
    settings.QUOTA_BOTS = 1000

    with pytest.raises(QuotaExceeded) as refusal:
        BOTS.check(used, more)

    assert str(refusal.value) == sentences


def test_bytes_are_written_for_people(settings: Settings) -> None:
    settings.QUOTA_API_BYTES = 10 * 1024 * 1024

    with pytest.raises(QuotaExceeded) as refusal:
        BYTES.check(9 * 1024 * 1024, 2 * 1024 * 1024)

    assert str(refusal.value).replace("\xa0", " ") == (
        "Your APIs take 9.0 MB of 10.0 MB. This would add 2.0 MB. Delete some to make room."
    )


@pytest.mark.parametrize(
    ("used", "is_near", "is_full"), [(799, False, False), (800, True, False), (1000, True, True), (1001, True, True)]
)
def test_a_page_shows_a_quota_from_four_fifths_on(settings: Settings, used: int, is_near: bool, is_full: bool) -> None:
    settings.QUOTA_BOTS = 1000

    usage = BOTS.usage(used)

    assert (usage.text, usage.is_near, usage.is_full) == (f"You have {used:,} of 1,000 bots.", is_near, is_full)
