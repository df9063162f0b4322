"""Forms of the pages Bots and Inbox."""

from contextlib import suppress
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext, ngettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.forms.fields import NameField
from accounts.models import User
from accounts.orm.owners import changing
from accounts.quotas import QuotaExceeded
from accounts.text import keep, searchable
from accounts.web import formats
from accounts.web.isolates import isolated
from botpenguin.platform import quotas
from botpenguin.platform.models import Bot, Platform, Segment

NAME_LENGTH = 100
TAG_LENGTH = 60
MOST_TAGS = 20
TOO_LONG = ngettext_lazy(
    "Keep the name to %(limit_value)d character.", "Keep the name to %(limit_value)d characters.", "limit_value"
)


class FocusOnFirstError(forms.BaseForm):
    """Focuses the first field with an error."""

    def full_clean(self) -> None:
        super().full_clean()
        wrong = next((name for name in self.fields if name in self.errors), None)
        if wrong:
            self.fields[wrong].widget.attrs["autofocus"] = True


class RenameBotForm(FocusOnFirstError, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Bot
        fields: tuple[str, ...] = ("name",)
        field_classes = {"name": NameField}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"})}
        error_messages = {"name": {"required": _("Give the bot a name."), "max_length": TOO_LONG}}


class NewBotForm(RenameBotForm):
    platform = forms.ChoiceField(
        label=_("Platform"),
        choices=[("", _("Choose one")), *Platform.choices],
        help_text=_("Where the bot talks."),
        error_messages={"required": _("Choose where the bot talks."), "invalid_choice": _("Choose one from the list.")},
    )

    class Meta(RenameBotForm.Meta):
        fields = ("name", "platform")

    def add_to(self, owner: User) -> Bot | None:
        """Create the bot, or add an error if the quota is exceeded."""
        try:
            return Bot.objects.make(owner.pk, **self.cleaned_data)
        except QuotaExceeded as full:
            self.add_error(None, str(full))
            return None


class TagsField(forms.CharField):
    """Tags separated by commas, cleaned to a list without duplicates."""

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        tags = list(dict.fromkeys(tag for part in text.split(",") if (tag := keep(part))))
        if not tags:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(tags) > MOST_TAGS:
            # Translators: "Name" is a verb here.
            sentence = ngettext("Name at most %(most)s tag.", "Name at most %(most)s tags.", MOST_TAGS)
            raise ValidationError(sentence % {"most": formats.number(MOST_TAGS)})
        if too_long := next((tag for tag in tags if len(tag) > TAG_LENGTH), None):
            # Translators: %(start)s is the beginning of a tag that somebody typed.
            sentence = ngettext(
                "“%(start)s…” is too long: a tag has at most %(most)s character.",
                "“%(start)s…” is too long: a tag has at most %(most)s characters.",
                TAG_LENGTH,
            )
            names = {"start": isolated(too_long[:20]), "most": formats.number(TAG_LENGTH)}
            raise ValidationError(sentence % names)
        return tags


class SegmentForm(FocusOnFirstError, forms.Form):
    name = NameField(
        label=_("Name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
        error_messages={"required": _("Give the segment a name."), "max_length": TOO_LONG},
    )
    tags = TagsField(
        label=_("Tags"),
        max_length=MOST_TAGS * TAG_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}),
        help_text=_("Separated by commas. Contacts with any of them belong to the segment."),
        # Translators: "Name" is a verb here.
        error_messages={"required": _("Name at least one tag.")},
    )

    def add_to(self, owner: User) -> Segment | None:
        """Create the segment, or add an error. Names are compared as searches compare them, so that people see one."""
        try:
            with suppress(IntegrityError), changing(owner.pk):
                taken = [searchable(name) for name in owner.segments.values_list("name", flat=True)]
                if searchable(self.cleaned_data["name"]) not in taken:
                    quotas.SEGMENTS.check(len(taken))
                    return Segment.objects.create(owner=owner, **self.cleaned_data)
        except QuotaExceeded as full:
            self.add_error(None, str(full))
            return None
        self.fields["name"].widget.attrs["autofocus"] = True
        self.add_error("name", gettext("There is a segment of this name already."))
        return None
