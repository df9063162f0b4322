"""The texts of the editor's parts. Each is whole: in other languages a title in a sentence has another form."""

from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class PartTexts(NamedTuple):
    """A part's title, what it is for, the names of one of its rows, and of the buttons for a row."""

    title: "_StrPromise"
    hint: "_StrPromise"
    row: "_StrPromise"
    remove: "_StrPromise"
    add: "_StrPromise"


# Translators: a tab of the editor: what a call carries after its headers.
BODY = pgettext_lazy("of a call", "Body")
PART_TEXTS = {
    "parameters": PartTexts(
        _("Parameters"),
        _("Added to the URL after a question mark."),
        # Translators: the name of a row; {number} counts the rows of the part "Parameters" from 1.
        _("Parameters {number}"),
        _("Remove row {number} of Parameters"),
        _("Add row to Parameters"),
    ),
    "headers": PartTexts(
        _("Headers"),
        _("Sent with the call. Authorization, cookies, keys and tokens are hidden once they are saved."),
        # Translators: the name of a row; {number} counts the rows of the part "Headers" from 1.
        _("Headers {number}"),
        _("Remove row {number} of Headers"),
        _("Add row to Headers"),
    ),
    "body_fields": PartTexts(
        _("Fields"),
        _("Each is encoded as the kind of the body needs it. Keys and values can contain attributes."),
        # Translators: the name of a row; {number} counts the rows of the part "Fields", of the body, from 1.
        _("Fields {number}"),
        _("Remove row {number} of Fields"),
        _("Add row to Fields"),
    ),
    "mappings": PartTexts(
        _("Manage API Response"),
        _("Puts values of the response into custom attributes of the contact. A new name makes a new attribute."),
        # Translators: the name of a row; {number} counts the rows of the part "Manage API Response" from 1.
        _("Manage API Response {number}"),
        _("Remove row {number} of Manage API Response"),
        _("Add row to Manage API Response"),
    ),
}
