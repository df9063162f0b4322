"""Error mails and debug pages, from which nobody learns a secret.

Django hides the settings and variables that somebody thought of marking. A traceback runs
through libraries that marked nothing: it passes passwords through forms, hashers and database
cursors. So a report tells of a local variable what type it is, and not its value; of a posted
form and of cookies the names; and whatever looks like a token is masked wherever it stands.
This holds with `DEBUG` on too: a debug page ends up in chats and screenshots.
"""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, QueryDict
from django.utils.functional import LazyObject, empty
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from developers.redaction import without_secrets

# redis://:password@host and postgres://user:password@host, in whatever setting or environment variable.
PASSWORD_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")


class Placeholder:
    """What a report shows in the place of a value."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class ReportFilter(SafeExceptionReporterFilter):
    def cleanse_setting(self, key: int | str, value: Any) -> Any:
        cleansed = super().cleanse_setting(key, value)
        if isinstance(cleansed, str):
            return PASSWORD_IN_URL.sub(rf"\1:{self.cleansed_substitute}", cleansed)
        return cleansed

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        # Django itself puts the secret of its CSRF cookie among them.
        return {
            name: self.cleansed_substitute if "COOKIE" in name else value
            for name, value in super().get_safe_request_meta(request).items()
        }

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(super().get_safe_cookies(request), self.cleansed_substitute)

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        posted = QueryDict() if request is None else request.POST
        return dict.fromkeys(posted, self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        return {name: placeholder(value) for name, value in tb_frame.f_locals.items()}.items()


class ErrorReport(ExceptionReporter):
    def get_traceback_data(self) -> dict[str, Any]:
        # The hint quotes the text that could not be encoded.
        return super().get_traceback_data() | {"unicode_hint": ""}

    def get_traceback_html(self) -> SafeString:
        return SafeString(without_secrets(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(without_secrets(super().get_traceback_text()))


def placeholder(value: object) -> Placeholder:
    """Tell of a value its type; of a row which one it is; and all of None, True and False.

    By the type itself: to ask a lazy object what it is would have it ask the database, which may be what has failed.
    """
    kind = type(value)
    if value is None or kind is bool:
        return Placeholder(repr(value))
    if issubclass(kind, LazyObject) and value.__dict__["_wrapped"] is not empty:
        return placeholder(value.__dict__["_wrapped"])
    if issubclass(kind, Model) and isinstance(key := value.__dict__.get("id"), int):
        return Placeholder(f"<{kind.__name__} {key}>")
    return Placeholder(f"<{kind.__qualname__}>")
