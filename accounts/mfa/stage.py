"""The stage of a log-in at which allauth asks for a second factor."""

import time
from typing import Any

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpResponse

from accounts.models import CLOCKS_DIFFER_BY


class SecondStep(AuthenticateStage):
    """Waits for a factor, as long as the password is the one that was given and there is a factor to wait for."""

    def handle(self) -> tuple[Any, bool]:
        self.state["password"] = self._password()
        handled: tuple[Any, bool] = super().handle()
        return handled

    def exit(self) -> HttpResponse:
        """Go on with the log-in. This stage has read the person anew since the view asked whether it still holds."""
        leave: Any = super().exit if self.still_holds() else self.abort
        response: HttpResponse = leave()
        return response

    def still_holds(self) -> bool:
        # A password that was given in the future was given before the clock was set back, nobody knows when.
        is_past = self.login.initiated_at <= time.time() + CLOCKS_DIFFER_BY.total_seconds()
        return is_past and self.state.get("password") == self._password() and self._should_handle(self.request)

    def _password(self) -> str:
        """Name the person's password by what Django names it by in sessions; nothing where the person is gone."""
        return self.login.user.get_session_auth_hash() if self.login.user else ""
