"""The second step of a log-in: what allauth's view needs besides templates."""

from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStageController
from allauth.mfa.base import views as allauth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from accounts.mfa import webauthn
from accounts.mfa.factors import factors_of
from accounts.mfa.stage import SecondStep
from accounts.web.actions import action


class AuthenticateView(allauth.AuthenticateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer only the factors of this account, and begin our ceremony for passkeys instead of allauth's."""
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
    """Take a factor, or start again where the password or the epoch has changed since the log-in began."""
    stage = LoginStageController.enter(request, SecondStep.key)
    if stage and not stage.still_holds():
        response: HttpResponseBase = stage.abort()
        return response
    return authenticate(request)


@login_not_required
@action("account_login")
def start_again(request: HttpRequest) -> HttpResponse:
    """Cancel the log-in under way; the log-in page would redirect back to the second step."""
    clear_login(request)
    return redirect("account_login")
