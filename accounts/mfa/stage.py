"""The stage of a log-in at which allauth asks for a second factor."""

import time
from typing import Any

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpResponse

from accounts.models import CLOCKS_DIFFER_BY


class SecondStep(AuthenticateStage):
    """Waits for a factor, while the password is the one that was given and the account has a factor."""

    def handle(self) -> tuple[Any, bool]:
        self.state["password"] = self._password()
        handled: tuple[Any, bool] = super().handle()
        return handled

    def exit(self) -> HttpResponse:
        """Continue the log-in. The stage has read the person again since the view called `still_holds`."""
        leave: Any = super().exit if self.still_holds() else self.abort
        response: HttpResponse = leave()
        return response

    def still_holds(self) -> bool:
        # A time in the future is from before the clock was set back, so the age of the password is unknown.
        is_past = self.login.initiated_at <= time.time() + CLOCKS_DIFFER_BY.total_seconds()
        return is_past and self.state.get("password") == self._password() and self._should_handle(self.request)

    def _password(self) -> str:
        """Return the fingerprint of the password that Django uses in sessions, or "" where the person was deleted."""
        return self.login.user.get_session_auth_hash() if self.login.user else ""
