"""Old tokens that are still in use, on the page of the token."""

import re

import pytest

from accounts.models import User
from tests.cast import logged_in
from tests.developers.old_tokens import add_old_tokens
from tests.developers.uses import add_use
from tests.developers.views.token_page import PAGE, text

pytestmark = pytest.mark.matrix
LINE = "20 revoked tokens were refused within the last week"


def test_twenty_old_tokens_in_use_are_one_line_that_unfolds(alice: User) -> None:
    add_old_tokens(alice, 30, 20, "n8n")

    response = logged_in(alice).get(PAGE)

    [section] = re.findall(r'aria-labelledby="still-in-use-title".*?</section>', response.content.decode(), re.DOTALL)
    before, unfolded, rest = section.partition("<details")
    folded = rest.partition("</details>")
    assert unfolded
    assert f"<summary>{LINE}</summary>" in folded[0]
    assert folded[0].count("1,234,567 times") == 20
    assert "times" not in before + folded[2]
    assert text(response).count("Still in use somewhere") == 1


def test_old_tokens_whose_only_program_has_moved_are_no_line(alice: User) -> None:
    add_old_tokens(alice, 30, 20, "n8n")
    add_use(alice, "n8n", generation=31)
    # A refusal outranks the new token for a day.
    alice.token_uses.filter(is_refused=True).update(last_at="2026-01-02T00:00Z", first_at="2026-01-01T00:00Z")

    response = logged_in(alice).get(PAGE)

    assert "Still in use somewhere" not in text(response)
