"""Asking before something is deleted."""

from django import forms
from django.http import HttpRequest


class ConfirmForm(forms.Form):
    """Whether a person has answered the question that was asked first."""

    is_sure = forms.BooleanField(required=False)


def is_confirmed(request: HttpRequest) -> bool:
    form = ConfirmForm(request.POST)
    return form.is_valid() and bool(form.cleaned_data["is_sure"])
