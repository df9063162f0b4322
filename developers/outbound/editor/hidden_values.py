"""Hidden values: each is shown as a reference only, and sent only to the server that it was typed for."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from developers.outbound import url_rules
from developers.outbound.editor.forms import CallForm


@dataclass(frozen=True, slots=True)
class HiddenValue:
    """A value, its spelling in a URL if that is unusual, and the server that it may be sent to.

    origin: as `origin_of` writes it; None if there was no valid URL when the value was typed.
    """

    value: str = field(repr=False)
    raw: str = field(default="", repr=False)
    origin: str | None = None


def origin_of(url: str) -> str | None:
    """Return the server that a URL leads to, or None if it is invalid.

    Cleans the URL as the form does, so that the result holds for what is sent.
    """
    try:
        found = url_rules.origin(CallForm.base_fields["url"].clean(url))
    except ValidationError:
        return None
    return found and f"{found[0]}://{found[1].decode()}:{found[2] or ''}"
