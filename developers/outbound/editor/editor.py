"""The editor of one API: its draft as forms, the recipe that they make, and saving it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db import IntegrityError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.orm.changes import Gone
from accounts.orm.owners import AccountGone, changing
from accounts.quotas import QuotaExceeded
from developers.outbound import call_drafts, url_rules
from developers.outbound.editor.drafts import Draft, stored_secrets
from developers.outbound.editor.forms import CallForm, EditorForm
from developers.outbound.editor.formsets import PartFormSet, shown, submitted
from developers.outbound.editor.hidden_values import origin_of
from developers.outbound.models import CustomAttribute, OutboundApi
from developers.outbound.quotas import ATTRIBUTES
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from developers.outbound.validation import ValidationProblem, find_problems

DELETED = gettext_lazy(
    "This API was deleted meanwhile, in another tab or device. Nothing was saved. You can save this once it is back."
)
# Offered in the page. Accounts older than the quota may have more.
MOST_ATTRIBUTES = 1_000
# A contact's own fields, which a run fills in like attributes.
CONTACT_FIELDS = ("name", "email", "phone")


class Editor:
    """A draft as forms. With `is_checked` they validate it; otherwise they only show it. A test needs no name."""

    def __init__(
        self,
        api: OutboundApi,
        stored: Recipe | None,
        draft: Draft,
        *,
        is_checked: bool = False,
        is_test: bool = False,
    ) -> None:
        self.api = api
        self.title = api.name
        self.draft = draft
        for row in draft.mappings:
            # A recipe contains the names of attributes, not their types.
            row.setdefault("type", self.types.get(row.get("attribute", "").lower(), CustomAttribute.Type.TEXT))
        kept: dict[str, Any] = {
            "hidden": (stored_secrets(api, stored) if stored else {}) | draft.hidden,
            "origin": origin_of(draft.fields["url"]),
        }
        self.form = CallForm(draft.fields if is_checked else None, initial=draft.fields, **kept)
        self.form.fields["name"].required = not is_test
        make = submitted if is_checked else shown
        self.parameters = make("parameters", draft.parameters, **kept)
        self.headers = make("headers", draft.headers, **kept)
        self.body_fields = make("body_fields", draft.body_fields, **kept)
        self.mappings = make("mappings", draft.mappings, types=self.types)

    @cached_property
    def attributes(self) -> list[CustomAttribute]:
        return list(CustomAttribute.objects.owned_by(self.api.owner_id)[:MOST_ATTRIBUTES])

    @cached_property
    def types(self) -> dict[str, str]:
        """The types of the offered attributes and of those in the draft, by names in lower case."""
        attributes = self.attributes
        if len(attributes) == MOST_ATTRIBUTES:
            attributes = [*attributes, *CustomAttribute.objects.owned_by(self.api.owner_id).called(self._names())]
        return {attribute.name.lower(): attribute.type for attribute in attributes}

    def _names(self) -> Iterator[str]:
        yield from CONTACT_FIELDS
        for row in self.draft.mappings:
            yield row.get("attribute", "").removeprefix("{{").removesuffix("}}").strip()

    @property
    def contact_fields(self) -> list[str]:
        """A contact's own fields, without those that an attribute of the same name replaces."""
        return [name for name in CONTACT_FIELDS if name not in self.types]

    @property
    def parts(self) -> list[PartFormSet]:
        return [self.parameters, self.headers, self.body_fields, self.mappings]

    def part(self, name: str) -> PartFormSet:
        return next(part for part in self.parts if part.name == name)

    def is_valid(self) -> bool:
        """Validate every form, then the whole call; add each problem to its field."""
        if all([self.form.is_valid(), *(part.is_valid() for part in self.parts)]):
            for problem in find_problems(self.recipe()):
                self._add_error(problem)
        wrong = next(self.wrong(), None)
        if wrong:
            part, form, name = wrong
            form.fields[name].widget.attrs["autofocus"] = True
            self.draft.part = part or self.draft.part
        return not any(form.errors for form in self._forms())

    def recipe(self) -> Recipe:
        """Return the call in the forms. A query in the URL becomes parameters."""
        cleaned = self.form.cleaned_data
        url, query = url_rules.split(cleaned["url"])
        return Recipe(
            method=cleaned["method"],
            url=url,
            parameters=(*self._fields(self.parameters), *query),
            headers=tuple(self._fields(self.headers)),
            body=cleaned["body"],
            body_kind=cleaned["body_kind"],
            body_is_secret=bool(cleaned["body_is_secret"] and cleaned["body"]),
            body_fields=tuple(self._fields(self.body_fields)),
            mappings=tuple(
                AttributeMapping(form.cleaned_data["path"], form.cleaned_data["attribute"])
                for form in self.mappings.filled
            ),
            follows_redirects=cleaned["follows_redirects"],
        )

    def save(self) -> bool:
        """Save the call, and the attributes that do not exist yet; this ends the draft.

        Return False, with an error in the form, if another API has the name, there is no room, or the API was
        deleted meanwhile.
        """
        self.api.name = self.form.cleaned_data["name"]
        try:
            with changing(self.api.owner_id):
                self._make_attributes()
                self.api.keep(self.recipe())
                call_drafts.end(self.api.owner_id, self.draft.public_id, is_saved=True)
        except QuotaExceeded as full:
            self.form.add_error(None, str(full))
            return False
        except IntegrityError:
            self.form.add_error("name", _("There is an API of this name already."))
            self.form.fields["name"].widget.attrs["autofocus"] = True
            return False
        except AccountGone:
            raise
        except Gone:
            self.form.add_error(None, str(DELETED))
            return False
        return True

    def _make_attributes(self) -> None:
        owned = CustomAttribute.objects.owned_by(self.api.owner_id)
        before = owned.count()
        for form in self.mappings.filled:
            mapped = form.cleaned_data
            CustomAttribute.objects.named(self.api.owner_id, mapped["attribute"], mapped["type"])
        ATTRIBUTES.check(before, owned.count() - before)

    def _forms(self) -> list[EditorForm]:
        return [self.form, *(form for part in self.parts for form in part.filled)]

    @staticmethod
    def _fields(part: PartFormSet) -> Iterator[RecipeField]:
        for form in part.filled:
            cleaned = form.cleaned_data
            texts = {name: cleaned.get(name, "") for name in ("name", "value", "raw", "content_type")}
            field = RecipeField(is_secret=cleaned["is_secret"], **texts)
            yield replace(field, is_secret=field.is_hidden)

    def _add_error(self, problem: ValidationProblem) -> None:
        place, _dot, rest = problem.where.partition(".")
        number, _dot, name = rest.partition(".")
        if place in ("method", "url", "body", "body_kind"):
            self.form.add_error(place, problem.sentence)
        elif name and int(number) < len(self.part(place).filled):
            self.part(place).filled[int(number)].add_error(name, problem.sentence)
        else:
            self.form.add_error(None, problem.sentence)

    def wrong(self) -> Iterator[tuple[str, EditorForm, str]]:
        """Yield each field with an error, and its part."""
        yield from (
            ("body" if name.startswith("body") else "", self.form, name)
            for name in self.form.fields
            if name in self.form.errors
        )
        for part in self.parts:
            for form in part.filled:
                yield from ((part.tab, form, name) for name in form.fields if name in form.errors)
