"""The second step of a log-in: allauth's, where it needs more than our templates."""

import time
from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStageController
from allauth.mfa.base import views as allauth
from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from accounts.mfa import webauthn
from accounts.mfa.factors import factors_of
from accounts.models import CLOCKS_DIFFER_BY
from accounts.web.actions import action


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


class AuthenticateView(allauth.AuthenticateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer only what this account has, and ask for a passkey by our ceremony, in the place of allauth's."""
        person = self.stage.login.user
        factors = factors_of(person)
        options = webauthn.begin_authentication(self.request, person) if factors["passkeys"] else None
        return {
            "form": self.auth_form,
            "webauthn_form": self.webauthn_form,
            "factors": factors,
            "js_data": {"request_options": options},
        }


authenticate = AuthenticateView.as_view()


@login_not_required
def second_step(request: HttpRequest) -> HttpResponseBase:
    """Take a factor, but only for the password and the epoch with which the log-in began; otherwise begin anew."""
    stage = LoginStageController.enter(request, SecondStep.key)
    if stage and not stage.still_holds():
        response: HttpResponseBase = stage.abort()
        return response
    return authenticate(request)


@login_not_required
@action("account_login")
def start_again(request: HttpRequest) -> HttpResponse:
    """Forget who has given a password here; the log-in page itself would lead back to the second step."""
    clear_login(request)
    return redirect("account_login")
