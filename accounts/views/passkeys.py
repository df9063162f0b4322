"""Passkeys: add, name and remove them, log in with one, and reauthenticate with one."""

from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.utils import passthrough_next_redirect_url
from allauth.account.views import BaseReauthenticateView
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.flows import auto_generate_recovery_codes
from allauth.mfa.webauthn import views as allauth
from allauth.mfa.webauthn.internal import flows
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.forms.mfa import AddPasskeyForm, PasskeyNameForm
from accounts.mfa import webauthn
from accounts.orm.changes import Gone
from accounts.quotas import PASSKEYS
from accounts.reauthentication import recently_authenticated
from accounts.sessions import delete_some_expired, still_logged_in
from accounts.views.security import record_added, require_page_or_form
from accounts.web.actions import action
from accounts.web.requests import LoggedInRequest


@require_page_or_form
@recently_authenticated
@never_cache
def add_passkey(request: LoggedInRequest) -> HttpResponse:
    form = AddPasskeyForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        try:
            with still_logged_in(request):
                added, new_codes = form.save(), auto_generate_recovery_codes(request)
                record_added(request, added, new_codes)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The passkey is added. It logs you in without your password."))
            return redirect("recovery-codes" if new_codes else "security")
    options = webauthn.begin_registration(request, request.user)
    usage = PASSKEYS.usage(webauthn.passkeys_of(request.user).count())
    return render(request, "accounts/add_passkey.html", {"form": form, "options": options, "usage": usage})


@require_page_or_form
@recently_authenticated
def passkey(request: LoggedInRequest, pk: int) -> HttpResponse:
    """Show a passkey, and change its name."""
    own = get_object_or_404(Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN)
    form = PasskeyNameForm(request.POST if request.method == "POST" else {"name": own.wrap().name})
    if request.method == "POST" and form.is_valid():
        rename(own, form.cleaned_data["name"])
        messages.success(request, _("Name saved."))
        return redirect("security")
    return render(request, "accounts/passkey.html", {"form": form, "passkey": own})


def rename(passkey: Authenticator, name: str) -> None:
    """Rename a passkey. Raises `Gone` where it was removed meanwhile."""
    with transaction.atomic():
        # Locked and read again: its data hold more than the name.
        current = Authenticator.objects.select_for_update().filter(pk=passkey.pk).first()
        if current is None:
            raise Gone("The passkey was removed meanwhile.")
        Authenticator.objects.filter(pk=passkey.pk).update(data=current.data | {"name": name})


@action("security")
@recently_authenticated
def remove_passkey(request: LoggedInRequest, pk: int) -> HttpResponse:
    own = get_object_or_404(Authenticator, pk=pk, user=request.user, type=Authenticator.Type.WEBAUTHN)
    with still_logged_in(request):
        flows.remove_authenticator(request, own)
    return redirect("security")


class LoginView(allauth.LoginWebAuthnView):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return a challenge to a script, and redirect other clients to the log-in page."""
        if not get_account_adapter().is_ajax(request):
            return redirect("account_login")
        delete_some_expired()
        return JsonResponse({"request_options": webauthn.begin_authentication(request)})

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the error on the log-in page, and keep the page to return to."""
        super().form_invalid(form)
        log_in = reverse("account_login")
        return redirect(passthrough_next_redirect_url(self.request, log_in, REDIRECT_FIELD_NAME))


class ReauthenticateView(allauth.ReauthenticateWebAuthnView):
    request: LoggedInRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Begin our ceremony. Skips allauth's own method, which would begin another."""
        context: dict[str, Any] = BaseReauthenticateView.get_context_data(self, **kwargs)
        options = webauthn.begin_authentication(self.request, self.request.user)
        return context | {"js_data": {"request_options": options}}

    def form_invalid(self, form: Any) -> HttpResponse:
        """Show the error on the page itself; allauth redirects to the log-in page."""
        return self.render_to_response(self.get_context_data(form=form))


limit_challenges = ratelimit.decorator(app="allauth.mfa", action="passkey_challenge", limit_get=True)
log_in = limit_challenges(LoginView.as_view())
reauthenticate = ReauthenticateView.as_view()
