"""Custom attributes that are made, removed and brought back on their own page."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.forms.fields import IdField
from accounts.orm.owners import changing
from accounts.quotas import QuotaExceeded
from developers.outbound.models import ATTRIBUTE_LENGTH, CustomAttribute
from developers.outbound.quotas import ATTRIBUTES


class AttributeForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name and type of a new attribute."""

    use_required_attribute = False
    name = IdField(
        label=gettext_lazy("Name"),
        # With the braces around it, which people copy too.
        max_length=ATTRIBUTE_LENGTH + 10,
        error_messages={"required": gettext_lazy("Give the attribute a name.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off", "dir": "ltr"}
        ),
    )

    class Meta:
        model = CustomAttribute
        fields = ("name", "type")
        labels = {"type": gettext_lazy("Type")}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].removeprefix("{{").removesuffix("}}").strip()
        if not name:
            raise ValidationError(self.fields["name"].error_messages["required"])
        return name

    def add_to(self, owner: int) -> CustomAttribute | None:
        """Make the attribute. Return None, with an error at its field, if that is impossible."""
        try:
            if self.is_valid():
                return make(owner, **self.cleaned_data)
        except IntegrityError:
            self.add_error("name", _("There is an attribute of this name already."))
        except QuotaExceeded as full:
            self.add_error("name", str(full))
        self.fields[next(iter(self.errors))].widget.attrs["autofocus"] = True
        return None


def make(owner: int, name: str, type: str) -> CustomAttribute:  # noqa: A002 - the column's name
    """Make an attribute. Raises `ValidationError`, `QuotaExceeded`, and `IntegrityError` if the name is taken."""
    attribute = CustomAttribute(owner_id=owner, name=name, type=type)
    attribute.clean_fields()
    with changing(owner):
        ATTRIBUTES.check(CustomAttribute.objects.owned_by(owner).count())
        attribute.save(force_insert=True)
    return attribute


def number_before(attribute: CustomAttribute) -> int:
    """Return how many of the owner's attributes come before one in the list."""
    owned: Any = CustomAttribute.objects.owned_by(attribute.owner_id).alias(lower=Lower("name"))
    number: int = owned.filter(lower__lt=Lower(Value(attribute.name))).count()
    return number
