"""The forms of the editor: the fields of a call, and a form for each row of its parts.

`developers.outbound.validation` validates the call; the forms only check their own fields.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import DELETION_FIELD_NAME
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy, pgettext_lazy

from accounts.forms.fields import IdField, NameField
from developers.outbound.mapping import LONGEST_PATH
from developers.outbound.models import ATTRIBUTE_LENGTH, NAME_LENGTH, CustomAttribute, OutboundApi
from developers.outbound.recipe import ATTRIBUTE_NAME, NO_BODY, RecipeField, encoded, read_parameter
from developers.outbound.url_rules import LONGEST_URL
from developers.outbound.validation import LONGEST_BODY, LONGEST_VALUE

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from developers.outbound.editor.hidden_values import HiddenValue

KEY_LENGTH = 200
TOO_LONG = ngettext_lazy(
    "Keep it to %(limit_value)d character.", "Keep it to %(limit_value)d characters.", "limit_value"
)
GONE = gettext_lazy("The hidden value is gone: it was changed elsewhere. Type it again.")
MOVED = gettext_lazy("The call goes to another server now. Type the hidden value again if it is to go there too.")
UNBOUND = gettext_lazy("The hidden value was typed before the URL. Type it again if it is to go to this server.")
TYPE_TO_SHOW = gettext_lazy("Type it again to show it from now on.")
CHOOSE = gettext_lazy("Choose one from the list.")
# Translators: the name of a parameter, a header or a field of a form, beside its value.
KEY = pgettext_lazy("parameter or header", "Key")
BODY_KINDS = [
    ("json", gettext_lazy("JSON")),
    ("form", pgettext_lazy("kind of a body", "Form")),
    ("multipart", pgettext_lazy("kind of a body", "Multipart form")),
    ("text", pgettext_lazy("kind of a body", "Text")),
    (NO_BODY, pgettext_lazy("kind of a body", "None")),
]
# How a body breaks its lines, if not by line feeds alone.
BOTH = "crlf"
LINE_BREAKS = re.compile(r"[\r\n]")
PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
# Addresses, headers and code run from left to right in every language. What people write has its own direction.
CODE, WORDS = PLAIN | {"dir": "ltr"}, PLAIN | {"dir": "auto"}


def line(
    label: "_StrPromise",
    length: int,
    required: "_StrPromise | str" = "",
    kind: type[forms.CharField] = forms.CharField,
    /,
    **attributes: str,
) -> forms.CharField:
    """Make a single-line text field that browsers neither fill in nor correct."""
    return kind(
        label=label,
        max_length=length,
        required=bool(required),
        error_messages={"required": required, "max_length": TOO_LONG},
        widget=forms.TextInput(attrs=CODE | attributes),
    )


def breaks_of(text: str) -> str:
    """Return `BOTH` if each line of a text ends with a carriage return and a line feed."""
    return BOTH if 0 < text.count("\r\n") == text.count("\n") else ""


def line_feeds(text: str) -> str:
    """Undo what HTML makes of the line breaks in a textarea, which are sent as they were typed or pasted."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


class EditorForm(forms.Form):
    """A form without the browser's validation, so that all messages are the server's."""

    use_required_attribute = False

    def __init__(
        self,
        *args: Any,
        hidden: "Mapping[str, HiddenValue] | None" = None,
        origin: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.hidden = hidden or {}
        self.origin = origin

    def put_back(self, value: str, secret: str, kept: str) -> None:
        """Replace a field that was left hidden by its value.

        A hidden value is never shown, and is sent only to the server that it was typed for: otherwise someone with
        a stolen session could send it to a server of their own. So it is restored only if the call certainly
        goes to the same server. If `origin` is None, the URL is invalid and its own error refuses the form.
        """
        reference = self.cleaned_data.get(kept)
        if not reference or self.cleaned_data.get(value):
            return
        hidden = self.hidden.get(reference)
        if hidden is None:
            self.add_error(value, GONE)
        elif self.origin and hidden.origin != self.origin:
            self.add_error(value, MOVED if hidden.origin else UNBOUND)
        elif not self.cleaned_data[secret]:
            self.add_error(value, TYPE_TO_SHOW)
        elif self.origin:
            self.cleaned_data[value] = hidden.value


class RowForm(EditorForm):
    """A row of a part. Without any of its `content` it is blank, and ignored."""

    content: ClassVar[tuple[str, ...]] = ("name", "value", "kept")

    def has_changed(self) -> bool:
        return not self.is_blank

    @property
    def is_blank(self) -> bool:
        return not any(str(self[name].value() or "").strip() for name in self.content)

    @property
    def title(self) -> str:
        """What the row is called once it is removed: the first text in it."""
        texts = (str(self[name].value() or "").strip() for name in self.content)
        return next(filter(None, texts), "")

    @property
    def is_removed(self) -> bool:
        return bool(self[DELETION_FIELD_NAME].value())

    def row(self) -> dict[str, Any]:
        """The values of its fields, valid or not."""
        return {name: "" if (value := self[name].value()) is None else value for name in self.fields}


class CallForm(EditorForm):
    """Name, method, URL and body."""

    name = line(gettext_lazy("Name"), NAME_LENGTH, gettext_lazy("Give the API a name."), NameField, dir="auto")
    method = forms.ChoiceField(
        label=gettext_lazy("Method"),
        choices=OutboundApi.Method.choices,
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    url = line(
        gettext_lazy("URL"),
        LONGEST_URL,
        gettext_lazy("Enter the URL to call."),
        inputmode="url",
        placeholder="https://api.example.com/orders",
    )
    follows_redirects = forms.BooleanField(label=gettext_lazy("Follow redirects"), required=False)
    body_kind = forms.ChoiceField(
        label=pgettext_lazy("of a body", "Kind"),
        choices=BODY_KINDS,
        error_messages={"required": CHOOSE, "invalid_choice": CHOOSE},
    )
    body = forms.CharField(
        label=gettext_lazy("Content"),
        required=False,
        strip=False,
        max_length=LONGEST_BODY,
        error_messages={"max_length": TOO_LONG},
        widget=forms.Textarea(attrs=CODE | {"rows": "10", "data-attributes": "", "data-lines": ""}),
    )
    body_is_secret = forms.BooleanField(label=gettext_lazy("Secret body"), required=False)
    body_kept = forms.CharField(required=False, widget=forms.HiddenInput)
    body_breaks = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        self.cleaned_data["body"] = line_feeds(self.cleaned_data.get("body", ""))
        self.put_back("body", "body_is_secret", "body_kept")
        if self.cleaned_data.get("body_breaks") == BOTH:
            self.cleaned_data["body"] = line_feeds(self.cleaned_data["body"]).replace("\n", "\r\n")


class FieldForm(RowForm):
    """A parameter or a header."""

    name = line(KEY, KEY_LENGTH, gettext_lazy("Give it a key, or remove the row."))
    value = line(gettext_lazy("Value"), LONGEST_VALUE, **{"data-attributes": "", "dir": "auto"})
    is_secret = forms.BooleanField(label=gettext_lazy("Secret"), required=False)
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> None:
        self.put_back("value", "is_secret", "kept")


class ParameterForm(FieldForm):
    """A parameter, with the spelling that it had in a URL, as long as nobody changes it."""

    raw = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    write = staticmethod(quote)

    @staticmethod
    def submitted(name: str, value: str) -> tuple[str, str]:
        """Return what comes of a name and a value in the page: HTML and Django change blanks and line breaks."""
        return LINE_BREAKS.sub("", name).strip(), LINE_BREAKS.sub("", value).strip()

    @classmethod
    def raw_of(cls, part: RecipeField) -> str:
        """Return the spelling that the page needs to give a parameter back as it is."""
        is_kept = cls.submitted(part.name, part.value) == (part.name, part.value)
        return part.raw or ("" if is_kept else encoded(part, cls.write))

    def clean(self) -> None:
        super().clean()
        cleaned = self.cleaned_data
        if hidden := self.hidden.get(cleaned.get("kept", "")):
            cleaned["raw"] = hidden.raw or encoded(RecipeField(cleaned.get("name", ""), hidden.value), self.write)
        name, value = read_parameter(cleaned.get("raw", ""))
        if self.submitted(name, value) != self.submitted(cleaned.get("name", ""), cleaned.get("value", "")):
            cleaned["raw"] = ""
        elif cleaned["raw"]:
            usual = encoded(RecipeField(name, value), self.write)
            cleaned |= {"name": name, "value": value, "raw": "" if cleaned["raw"] == usual else cleaned["raw"]}


class MappingForm(RowForm):
    """The path of a value in the response, and the custom attribute that gets it."""

    content = ("path", "attribute")

    path = line(
        gettext_lazy("Path in the response"),
        LONGEST_PATH,
        gettext_lazy("Say where the value is, or remove the row."),
        placeholder="data.items[0].name",
    )
    attribute = line(
        gettext_lazy("Attribute"),
        ATTRIBUTE_LENGTH,
        gettext_lazy("Say which attribute takes it, or remove the row."),
        IdField,
        placeholder="order_status",
        list="attribute-names",
    )
    type = forms.ChoiceField(label=gettext_lazy("Type"), choices=CustomAttribute.Type.choices)

    def __init__(self, *args: Any, types: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.types = types or {}

    def clean_attribute(self) -> str:
        name: str = self.cleaned_data["attribute"].removeprefix("{{").removesuffix("}}").strip()
        if not re.fullmatch(ATTRIBUTE_NAME, name, re.ASCII):
            raise ValidationError(_("Use letters, digits and underscores, and start with no digit."))
        return name

    def clean(self) -> None:
        known = self.types.get(self.cleaned_data.get("attribute", "").lower())
        if known and "type" in self.cleaned_data and self.cleaned_data["type"] != known:
            self.add_error(
                "type",
                # Translators: %(type)s is "Text", "Number", "Yes or no" or "Date".
                _("This attribute has the type %(type)s already. Change that under Attributes, beside API Logs.")
                % {"type": CustomAttribute.Type(known).label},
            )


class CurlForm(EditorForm):
    command = forms.CharField(
        # Translators: a noun: the text of a call that is pasted, such as a curl command.
        label=pgettext_lazy("noun", "Call"),
        error_messages={"required": gettext_lazy("Paste a call, such as a curl command.")},
        widget=forms.Textarea(attrs=CODE | {"rows": "8", "placeholder": "curl https://api.example.com/orders"}),
    )


class TypeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = CustomAttribute
        fields = ("type",)
