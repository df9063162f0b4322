"""The forms of the page of the token."""

from django import forms
from django.utils.translation import gettext, gettext_lazy

from accounts.forms.fields import NameField
from developers.programs import LABEL_LENGTH, NAME_LENGTH, OTHERS


class RevokeForm(forms.Form):
    """The generation shown on the page, and whether the user has confirmed revoking a token in use."""

    generation = forms.IntegerField(min_value=1, max_value=2**31 - 2)
    even_if_used = forms.BooleanField(required=False)


class ProgramLabelForm(forms.Form):
    """A program, by its kept name, and what its owner calls it; an empty label takes it away."""

    program = forms.CharField(max_length=NAME_LENGTH, required=False, strip=False)
    label = NameField(
        max_length=LABEL_LENGTH,
        required=False,
        error_messages={"max_length": gettext_lazy("A label has at most %(limit_value)d characters.")},
    )

    def clean_program(self) -> str:
        program: str = self.cleaned_data["program"]
        if program == OTHERS:
            raise forms.ValidationError(gettext("These are several programs."))
        return program
