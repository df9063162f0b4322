"""What the page posts."""

from django import forms


class RevokeForm(forms.Form):
    """The generation that the page showed, and whether the person has confirmed that the token is in use."""

    generation = forms.IntegerField(min_value=1, max_value=2**31 - 2)
    even_if_used = forms.BooleanField(required=False)
