"""The form of the page of the token."""

from django import forms


class RevokeForm(forms.Form):
    """The generation shown on the page, and whether the user has confirmed revoking a token in use."""

    generation = forms.IntegerField(min_value=1, max_value=2**31 - 2)
    even_if_used = forms.BooleanField(required=False)
