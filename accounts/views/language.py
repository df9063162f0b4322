"""The choice of a language: of the account, and of the browser for pages before log-in."""

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.forms.account import LanguageForm
from accounts.models import User
from accounts.web import languages
from accounts.web.actions import action


@login_not_required
@action("my-account")
def choose_language(request: HttpRequest) -> HttpResponse:
    """Take a language, and return to the page on which it was chosen."""
    back = request.POST.get(REDIRECT_FIELD_NAME, "")
    response = redirect(back if get_adapter(request).is_safe_url(back) else "my-account")
    form = LanguageForm(request.POST)
    if not form.is_valid():
        return response
    language = form.cleaned_data["language"]
    languages.remember(response, language)
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(language=language)
        with translation.override(language):
            messages.success(request, _("Language saved."))
    return response
