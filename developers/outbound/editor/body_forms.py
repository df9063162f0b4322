"""The rows of a body that is a form."""

from urllib.parse import quote_plus

from django import forms
from django.utils.translation import gettext_lazy

from developers.outbound.editor.forms import KEY_LENGTH, PLAIN, TOO_LONG, FieldForm, line, line_feeds
from developers.outbound.recipe import RecipeField, encoded, read_parameter
from developers.outbound.validation import LONGEST_VALUE


class BodyFieldForm(FieldForm):
    """A field of a form, with the spelling that it had where it was pasted, as long as nobody changes it.

    Unlike a parameter it keeps its blanks and line breaks.
    """

    name = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=KEY_LENGTH,
        strip=False,
        error_messages={"required": gettext_lazy("Give it a key, or remove the row."), "max_length": TOO_LONG},
        widget=forms.TextInput(attrs=PLAIN | {"data-attributes": ""}),
    )
    value = forms.CharField(
        label=gettext_lazy("Value"),
        max_length=LONGEST_VALUE,
        required=False,
        strip=False,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs=PLAIN | {"rows": "1", "data-attributes": ""}),
    )
    content_type = line(gettext_lazy("Content-Type (optional)"), KEY_LENGTH, placeholder="text/plain")
    raw = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean_value(self) -> str:
        return line_feeds(self.cleaned_data["value"])

    def clean(self) -> None:
        super().clean()
        cleaned = self.cleaned_data
        if kept := self.hidden.get(cleaned.get("kept", "")):
            cleaned["raw"] = kept.raw
        name, value = read_parameter(cleaned.get("raw", ""))
        if (name, line_feeds(value)) == (cleaned.get("name"), line_feeds(cleaned.get("value", ""))):
            cleaned["value"] = value
        if (name, value) != (cleaned.get("name"), cleaned.get("value")) or cleaned["raw"] == encoded(
            RecipeField(name, value), quote_plus
        ):
            cleaned["raw"] = ""
