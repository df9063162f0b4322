"""The rows of the editor's parts as formsets, and reading them from a submitted form before validation."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from django.forms import BaseFormSet, formset_factory
from django.forms.formsets import INITIAL_FORM_COUNT, TOTAL_FORM_COUNT
from django.http import QueryDict

from developers.outbound.editor.body_forms import BodyFieldForm
from developers.outbound.editor.forms import FieldForm, MappingForm, ParameterForm, RowForm
from developers.outbound.editor.part_texts import BODY, PART_TEXTS

Row = dict[str, Any]

MOST_ROWS = 50
# With those that were removed, or imported beyond the limit: each is a form of several fields.
MOST_FORMS = 4 * MOST_ROWS
BODY_FIELDS = "body_fields"
# Of the tabs, in their order.
TITLES = {
    "parameters": PART_TEXTS["parameters"].title,
    "headers": PART_TEXTS["headers"].title,
    "body": BODY,
    "mappings": PART_TEXTS["mappings"].title,
}


class PartFormSet(BaseFormSet):  # type: ignore[type-arg]  # Django's class takes none
    """The rows of a part. A removed row stays in the form, marked with DELETE, so that it can be brought back."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.name = cast(str, self.prefix)
        self.texts = PART_TEXTS[self.name]

    @property
    def tab(self) -> str:
        """The tab that shows it."""
        return "body" if self.name == BODY_FIELDS else self.name

    @property
    def remaining(self) -> list[RowForm]:
        """The rows that are not removed."""
        return [form for form in self.forms if not form.is_removed]

    @property
    def filled(self) -> list[RowForm]:
        """The rows that make the call: neither removed nor blank. Only of a submitted formset."""
        return [form for form in self.remaining if form.has_changed()]


FORMSETS: Mapping[str, type[PartFormSet]] = {
    name: formset_factory(  # type: ignore[misc]  # the stubs forget the class
        form, formset=PartFormSet, extra=0, can_delete=True, max_num=MOST_ROWS, absolute_max=MOST_FORMS
    )
    for name, form in (
        ("parameters", ParameterForm),
        ("headers", FieldForm),
        (BODY_FIELDS, BodyFieldForm),
        ("mappings", MappingForm),
    )
}


def posted_rows(data: QueryDict, part: str) -> list[Row]:
    """Return the rows of a submitted part, valid or not. Their number may be missing, as in a form of before."""
    total = f"{part}-{TOTAL_FORM_COUNT}"
    data = data.copy()
    if not re.fullmatch(r"\d{1,4}", data.get(total, ""), re.ASCII):
        data[total] = str(1 + max(_numbers(data, part), default=-1))
    data[f"{part}-{INITIAL_FORM_COUNT}"] = "0"
    return [form.row() for form in FORMSETS[part](data, prefix=part)]


def submitted(part: str, rows: Sequence[Row], **options: Any) -> PartFormSet:
    """Return the formset that validates these rows."""
    data: Row = {f"{part}-{TOTAL_FORM_COUNT}": len(rows), f"{part}-{INITIAL_FORM_COUNT}": 0}
    for number, row in enumerate(rows):
        data |= {f"{part}-{number}-{name}": value for name, value in row.items()}
    return FORMSETS[part](data, prefix=part, form_kwargs=options)


def shown(part: str, rows: Sequence[Row], **options: Any) -> PartFormSet:
    """Return the formset that shows these rows without validating them."""
    return FORMSETS[part](initial=rows, prefix=part, form_kwargs=options)


def _numbers(data: QueryDict, part: str) -> Iterator[int]:
    found = (re.fullmatch(rf"{part}-(\d{{1,4}})-\w+", key, re.ASCII) for key in data)
    return (int(match[1]) for match in found if match)
