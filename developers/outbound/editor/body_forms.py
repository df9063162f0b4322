"""The rows of a body that is a form."""

from urllib.parse import quote_plus

from django import forms
from django.utils.translation import gettext_lazy

from developers.outbound.editor.forms import (
    CODE,
    KEY,
    KEY_LENGTH,
    LINE_BREAKS,
    TOO_LONG,
    WORDS,
    ParameterForm,
    line,
    line_feeds,
)
from developers.outbound.validation import LONGEST_VALUE


class BodyFieldForm(ParameterForm):
    """A field of a form, with the spelling that it had where it was pasted, as long as nobody changes it.

    Unlike a parameter it keeps its blanks and line breaks.
    """

    name = forms.CharField(
        label=KEY,
        max_length=KEY_LENGTH,
        strip=False,
        error_messages={"required": gettext_lazy("Give it a key, or remove the row."), "max_length": TOO_LONG},
        widget=forms.TextInput(attrs=CODE | {"data-attributes": ""}),
    )
    value = forms.CharField(
        label=gettext_lazy("Value"),
        max_length=LONGEST_VALUE,
        required=False,
        strip=False,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs=WORDS | {"rows": "1", "data-attributes": ""}),
    )
    content_type = line(gettext_lazy("Content-Type (optional)"), KEY_LENGTH, placeholder="text/plain")
    field_order = ("name", "value", "content_type", "is_secret")
    write = staticmethod(quote_plus)

    @staticmethod
    def submitted(name: str, value: str) -> tuple[str, str]:
        return LINE_BREAKS.sub("", name), line_feeds(value)

    def clean_value(self) -> str:
        return line_feeds(self.cleaned_data["value"])
