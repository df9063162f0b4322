"""The links that confirm an address, for a sign-up or a change of email, and the page that sends one again.

A link proves access to the mailbox, but the owner of a mailbox may follow a link that somebody else has requested. So
the link alone is enough only in the browser that requested it. Elsewhere the page also asks for the password of the
sign-up or the account, or for a sign-up for a new one.
"""

from functools import partial
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core.internal import ratelimit
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import sign_ups
from accounts.email_addresses import shown
from accounts.forms.account import SendAgainForm
from accounts.forms.email_confirmation import AccountPasswordForm, NewPasswordForm, SignUpPasswordForm
from accounts.models import SignUp
from accounts.throttling.rate_limits import APP
from accounts.web.responses import after_response

limit_asking = ratelimit.decorator(app=APP, action="confirm_again")


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "password1")
@never_cache
def confirm_email(request: HttpRequest, key: str) -> HttpResponse:
    waiting, change = sign_ups.from_key(key), EmailConfirmationHMAC.from_key(key)
    if waiting:
        return _sign_up(request, waiting)
    if change and change.email_address.user.is_active:
        return _change(request, change.email_address)
    if request.method == "POST":
        # The link stopped working while its page was open. The page says so.
        return redirect(request.path)
    return render(request, "account/email_confirm.html")


@login_not_required
@limit_asking  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def send_again(request: HttpRequest) -> HttpResponse:
    """Take an address. The response does not show whether a confirmation waits there."""
    form = SendAgainForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        after_response(request, partial(sign_ups.mail_again, request, form.cleaned_data["email"]))
        return redirect("confirmation-sent-again")
    return render(request, "account/send_confirmation_again.html", {"form": form})


@login_not_required
@require_safe
def sent_again(request: HttpRequest) -> HttpResponse:
    return render(request, "account/confirmation_sent_again.html")


def _sign_up(request: HttpRequest, waiting: SignUp) -> HttpResponse:
    if sign_ups.is_from(request, waiting):
        if request.method == "POST":
            return _confirm_sign_up(request, waiting, waiting.password)
        return render(request, "account/email_confirm.html", {"email": waiting.email})
    known = SignUpPasswordForm(_posted(request, "password"), request=request, waiting=waiting)
    new = NewPasswordForm(_posted(request, "password1"), email=waiting.email)
    for form in (known, new):
        if form.is_valid():
            return _confirm_sign_up(request, waiting, form.hashed())
    context = {"email": waiting.email, "known": known, "new": new}
    return render(request, "account/email_confirm_elsewhere.html", context)


def _confirm_sign_up(request: HttpRequest, waiting: SignUp, password: str) -> HttpResponse:
    if not sign_ups.confirm(request, waiting, password):
        return redirect(request.path)
    if request.user.is_authenticated:
        logout(request)
    messages.success(request, _("%(email)s is confirmed. Log in to continue.") % {"email": shown(waiting.email)})
    return redirect("account_login")


def _change(request: HttpRequest, address: EmailAddress) -> HttpResponse:
    context = {"email": address.email, "is_change": True, "is_taken": not address.can_set_verified()}
    is_theirs = request.user.pk == address.user_id
    form = None
    if not is_theirs and not context["is_taken"]:
        form = AccountPasswordForm(_posted(request, "password"), request=request, user=address.user)
    if request.method == "POST" and (is_theirs or (form and form.is_valid())):
        return _confirm_change(request, address, is_theirs=is_theirs)
    page = "account/email_confirm_elsewhere.html" if form else "account/email_confirm.html"
    return render(request, page, context | {"known": form})


def _confirm_change(request: HttpRequest, address: EmailAddress, *, is_theirs: bool) -> HttpResponse:
    if request.user.is_authenticated and not is_theirs:
        logout(request)
    try:
        with transaction.atomic():
            confirmed = get_adapter(request).confirm_email(request, address)
    except (IntegrityError, Http404):
        confirmed = False
    if not confirmed:
        return redirect(request.path)
    return redirect("my-account" if is_theirs else "account_login")


def _posted(request: HttpRequest, field: str) -> Any:
    """Return the posted data if it is for the form with this field."""
    return request.POST if field in request.POST else None
