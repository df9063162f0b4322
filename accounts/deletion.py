"""Deleting an account with all that hangs on it, for good."""

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import notices, outbox
from accounts.clients import Client
from accounts.forms import DeleteAccountForm
from accounts.identity import fresh_proof
from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.sessions import still_signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_proof
def delete_account(request: SignedInRequest) -> HttpResponse:
    """Say what will stop, and delete the account of one who types its e-mail."""
    form = DeleteAccountForm(request.POST if request.method == "POST" else None, user=request.user)
    if not form.is_valid():
        return render(request, "accounts/delete_account.html", {"form": form})
    delete(request)
    messages.success(request, _("Your account and everything in it is deleted."))
    response = redirect("account_login")
    response["Clear-Site-Data"] = '"cache"'
    return response


def delete(request: SignedInRequest) -> None:
    """Log out and delete the person: the rows of every app that are theirs go with them, by their foreign keys."""
    with still_signed_in(request):
        # Locked, so that nothing new can be hung on the account meanwhile.
        person = User.objects.select_for_update().get(pk=request.user.pk)
        # All but the one that tells of this, which is not written yet.
        outbox.forget_all_of(person)
        notices.tell_of_deletion(person, Client.of(request))
        logout(request)
        person.delete()
