"""My Account → Delete account."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import deletion
from accounts.forms.account import DeleteAccountForm
from accounts.reauthentication import recently_authenticated
from accounts.web.requests import LoggedInRequest


@require_http_methods(["GET", "HEAD", "POST"])
@recently_authenticated
def delete_account(request: LoggedInRequest) -> HttpResponse:
    """Show what will stop, and delete the account once the person has typed its email."""
    form = DeleteAccountForm(request.POST if request.method == "POST" else None, user=request.user)
    if not form.is_valid():
        return render(request, "accounts/delete_account.html", {"form": form})
    deletion.delete(request)
    messages.success(request, _("Your account is deleted. What was in it is removed within minutes."))
    response = redirect("account_login")
    response["Clear-Site-Data"] = '"cache"'
    return response
