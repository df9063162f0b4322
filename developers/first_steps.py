"""The first steps with a token, and which of them have happened. They are shown until a program has used a token."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.security_log import Event, Kind
from developers import activity
from developers.models import ApiToken, RevokedToken, TokenUse
from developers.programs import BROWSER, address_name, program_name, program_of

REVEALED = (Kind.TOKEN_SHOWN, Kind.TOKEN_COPIED)
# A use is listed within a minute, if the machine is not busy.
LISTED_WITHIN = timedelta(minutes=2)


class Step(NamedTuple):
    number: int
    is_done: bool
    is_next: bool


@dataclass(frozen=True)
class FirstSteps:
    """What has happened to a token so far.

    `revealed`: when it was last copied or shown. `use`: its first use, by a program rather than by a browser.
    `is_command_copied`: whether the open page copied the command that sets the variable.
    """

    token: ApiToken
    revealed: Event | None
    use: TokenUse | None = None
    is_command_copied: bool = False

    @cached_property
    def has_program(self) -> bool:
        """Whether a program that is no browser has sent the token."""
        if self.use:
            return self.use.program != BROWSER
        return bool(self.token.last_used_at) and program_of(self.token.last_used_client or "") != BROWSER

    @cached_property
    def steps(self) -> Sequence[Step]:
        """Copy it, put it into a variable, call the API, see the use."""
        done = [
            bool(self.revealed),
            self.has_program or self.is_command_copied,
            bool(self.token.last_used_at),
            bool(self.use),
        ]
        first = done.index(False) if False in done else None
        return [Step(place + 1, is_done, place == first) for place, is_done in enumerate(done)]

    @property
    def done(self) -> int:
        return sum(step.is_done for step in self.steps)

    @property
    def is_over(self) -> bool:
        return self.done == len(self.steps)

    @property
    def user(self) -> tuple[str, str]:
        """The program and the address of the use, for people."""
        return (program_name(self.use.program), address_name(self.use.address)) if self.use else ("", "")

    @property
    def version(self) -> str:
        """Return a digest of what the steps say: times are shown with the date from the next day on.

        A later call changes nothing, for it would redraw the programs while their owner writes a label.
        """
        revealed = self.revealed and (self.revealed.kind, self.revealed.at)
        said = (timezone.localdate(), self.done, revealed, self.user, self.has_program, self.is_command_copied)
        return blake2b(repr(said).encode(), digest_size=8).hexdigest()


def first_steps(
    token: ApiToken, revoked_tokens: Iterable[RevokedToken], events: Iterable[Event], programs: Callable[[], Any]
) -> FirstSteps | None:
    """Return the steps if no token of the owner was used, or its first use is not listed yet.

    `programs`: returns those that are listed; called only where it matters.
    """
    if any(revoked.last_used_at or revoked.refused_count for revoked in revoked_tokens):
        return None
    if token.last_used_at and timezone.now() - token.last_used_at > LISTED_WITHIN:
        return None
    return None if programs() else FirstSteps(token, _revealed(token, events))


def steps_so_far(owner: User, token: ApiToken, *, is_command_copied: bool) -> FirstSteps:
    """Return the steps for a page that is open since before the first use."""
    uses = TokenUse.objects.filter(user=owner, generation=token.generation, is_refused=False)
    use = uses.annotate(is_of_browser=Q(program=BROWSER)).order_by("is_of_browser", "first_at", "pk").first()
    return FirstSteps(token, _revealed(token, activity.recent_events(owner, REVEALED, 1)), use, is_command_copied)


def _revealed(token: ApiToken, events: Iterable[Event]) -> Event | None:
    """Return the last event of the token being copied or shown, of events with the newest first."""
    return next((event for event in events if event.kind in REVEALED and event.at >= token.issued_at), None)
