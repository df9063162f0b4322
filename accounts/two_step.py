"""The pages of allauth's second step and of its proofs by a factor, where they need more than our templates."""

from typing import Any

from allauth.account.internal.stagekit import clear_login
from allauth.mfa.base import views as allauth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.acts import act_on
from accounts.factors import factors_of


class AuthenticateView(allauth.AuthenticateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer only what this account has."""
        return super().get_context_data(**kwargs) | {"factors": factors_of(self.stage.login.user)}


second_step = AuthenticateView.as_view()


@login_not_required
@act_on("account_login")
def start_again(request: HttpRequest) -> HttpResponse:
    """Forget who has given a password here; the log-in page itself would lead back to the second step."""
    clear_login(request)
    return redirect("account_login")
