"""The pages of allauth's second step and of its proofs by a factor, where they need more than our templates."""

from typing import Any

from allauth.mfa.base import views as allauth

from accounts.factors import factors_of


class AuthenticateView(allauth.AuthenticateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Offer only what this account has."""
        return super().get_context_data(**kwargs) | {"factors": factors_of(self.stage.login.user)}


second_step = AuthenticateView.as_view()
