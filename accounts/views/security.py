"""My Account → Security: second factors and sessions. allauth has the rules; pages and reauthentication are ours."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal import flows as recovery
from allauth.mfa.totp.internal import flows as totp
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.forms.mfa import ENCRYPTED_SECRET, ActivateTOTPForm
from accounts.mfa.factors import factors_of, qr_squares
from accounts.reauthentication import recently_authenticated
from accounts.security_log import Kind, record
from accounts.sessions import sessions_context, still_logged_in
from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest

require_page_or_form = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def security(request: LoggedInRequest) -> HttpResponse:
    context = {"factors": factors_of(request.user)}
    context |= sessions_context(request)
    return render(request, "accounts/security.html", context)


@require_page_or_form
@recently_authenticated
@never_cache
def set_up_authenticator(request: LoggedInRequest) -> HttpResponse:
    """Show a new secret, and store it once a code proves that an app has it."""
    if factors_of(request.user)["totp"]:
        return redirect("security")
    form = ActivateTOTPForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        del request.session[ENCRYPTED_SECRET]
        with still_logged_in(request):
            if factors_of(request.user)["totp"]:
                return redirect("security")
            app, new_codes = totp.activate_totp(request, form)
            record_added(request, app, new_codes)
        return redirect("recovery-codes" if new_codes else "security")
    address = get_adapter().build_totp_url(request.user, form.secret)
    return render(request, "accounts/set_up_authenticator.html", {"form": form, "qr": qr_squares(address)})


@require_page_or_form
@recently_authenticated
def remove_authenticator(request: LoggedInRequest) -> HttpResponse:
    authenticator = get_object_or_404(Authenticator, user=request.user, type=Authenticator.Type.TOTP)
    if request.method == "POST":
        with still_logged_in(request):
            totp.deactivate_totp(request, authenticator)
        return redirect("security")
    return render(request, "accounts/remove_authenticator.html")


@require_safe
@recently_authenticated
def recovery_codes(request: LoggedInRequest) -> HttpResponse:
    """Show how many codes are left. No response to a GET holds the codes."""
    factors = factors_of(request.user)
    if not factors["recovery_codes"]:
        return redirect("security")
    return render(request, "accounts/recovery_codes.html", {"factors": factors})


@action("recovery-codes")
@recently_authenticated
@never_cache
def show_recovery_codes(request: LoggedInRequest) -> HttpResponse:
    """Show the codes once."""
    with still_logged_in(request):
        # Locked: one column holds both that they were shown and which are used.
        Authenticator.objects.select_for_update().filter(user=request.user).first()
        codes, are_new = recovery.view_recovery_codes(request)
    if codes is None or not are_new:
        messages.error(request, _("These codes have been shown already. Make new ones."))
        return redirect("recovery-codes")
    try:
        unused = codes.get_unused_codes()
    except ValidationError as error:
        messages.error(request, error.message)
        return redirect("recovery-codes")
    return render(request, "accounts/recovery_codes.html", {"codes": unused})


@action("recovery-codes")
@recently_authenticated
def make_recovery_codes(request: LoggedInRequest) -> HttpResponse:
    """Replace the codes by new ones."""
    if recovery.can_generate_recovery_codes(request.user):
        with still_logged_in(request):
            recovery.generate_recovery_codes(request)
            record(Kind.CODES_RENEWED, request.user, Client.of(request))
    return redirect("recovery-codes")


def record_added(request: LoggedInRequest, *factors: Authenticator | None) -> None:
    """Record new factors in the security log. Call it inside the transaction that made them."""
    for factor in filter(None, factors):
        record(Kind.FACTOR_ADDED, request.user, Client.of(request), factor.type)
