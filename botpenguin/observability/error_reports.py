"""Error mails and debug pages without secrets.

Django hides only settings and variables that are marked as sensitive. A traceback also shows
libraries that mark nothing: forms, hashers and database cursors hold passwords. So a report
shows the types of local variables instead of their values, only the names of form fields and
cookies, and masks all that looks like a token. The same holds with `DEBUG` on, because debug
pages end up in chats and screenshots.
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

# redis://:password@host and postgres://user:password@host, in any setting or environment variable.
PASSWORD_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")


class Placeholder:
    """Stands for a value in a report."""

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
        # Django adds the secret of its CSRF cookie to them.
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
    """Return the type of a value; for a row also its id; None, True and False as they are.

    Does not use `isinstance`: a lazy object would query the database, which may be the cause of the error.
    """
    kind = type(value)
    if value is None or kind is bool:
        return Placeholder(repr(value))
    if issubclass(kind, LazyObject) and value.__dict__["_wrapped"] is not empty:
        return placeholder(value.__dict__["_wrapped"])
    if issubclass(kind, Model) and isinstance(key := value.__dict__.get("id"), int):
        return Placeholder(f"<{kind.__name__} {key}>")
    return Placeholder(f"<{kind.__qualname__}>")
