"""My Account, and logging out."""

from allauth.account import views as allauth
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.forms.account import EndSessionForm, LanguageForm, MailsForm, NameForm
from accounts.models import SessionQuerySet, User, languages
from accounts.reauthentication import recently_authenticated
from accounts.security_log import Kind, record
from accounts.sessions import other_sessions, start_epoch, still_logged_in
from accounts.web.actions import action
from accounts.web.clients import Client
from accounts.web.requests import LoggedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
def my_account(request: LoggedInRequest) -> HttpResponse:
    form = NameForm(request.POST or None, initial={"name": request.user.name})
    if request.method == "POST" and form.is_valid():
        User.objects.filter(pk=request.user.pk).update(name=form.cleaned_data["name"])
        messages.success(request, _("Name saved."))
        return redirect("my-account")
    language = LanguageForm(initial={"language": get_language()}) if len(languages()) > 1 else None
    context = {"form": form, "language": language, "mails": MailsForm(instance=request.user)}
    return render(request, "accounts/my_account.html", context)


@action("my-account")
def choose_mails(request: LoggedInRequest) -> HttpResponse:
    """Take which mails a person gets that nobody needs."""
    User.objects.filter(pk=request.user.pk).update(mails_new_uses="mails_new_uses" in request.POST)
    messages.success(request, _("Choice saved."))
    return redirect("my-account")


@recently_authenticated
def change_email(request: LoggedInRequest) -> HttpResponseBase:
    """Take a new address, valid once its link is followed. The response does not show whether it is taken."""
    response: HttpResponseBase = allauth.email(request)
    return response


@action("security")
def end_session(request: LoggedInRequest) -> HttpResponse:
    """End one other session. Like a revoke it needs no reauthentication, since it discloses nothing."""
    form = EndSessionForm(request.POST)
    chosen = other_sessions(request).filter(pk=form.cleaned_data["session"] if form.is_valid() else "")
    ended = _end(request, chosen, Kind.SESSION_ENDED)
    messages.success(request, _("That browser is logged out.") if ended else _("That browser was already logged out."))
    return redirect("security")


@action("security")
def end_other_sessions(request: LoggedInRequest) -> HttpResponse:
    with still_logged_in(request):
        _end(request, other_sessions(request), Kind.SESSIONS_ENDED)
        start_epoch(request.user)
        update_session_auth_hash(request, request.user)
    messages.success(request, _("Logged out everywhere else."))
    return redirect("security")


def _end(request: LoggedInRequest, sessions: SessionQuerySet, kind: Kind) -> bool:
    """End sessions of the person, and record that in their security log. Return whether there were any."""
    with still_logged_in(request):
        ended = bool(sessions.delete()[0])
        if ended:
            record(kind, request.user, Client.of(request))
    return ended


def log_out(request: HttpRequest) -> HttpResponseBase:
    """Log out, and clear the browser's cache of pages."""
    response: HttpResponseBase = allauth.logout(request)
    if not request.user.is_authenticated:
        response["Clear-Site-Data"] = '"cache"'
    return response
