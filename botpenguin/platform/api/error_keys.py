"""The errors of the API: of each the key for programs, the HTTP status, and the sentence for people."""

from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from developers.bearer.verification import RefusalReason

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ErrorKey(Enum):
    """A kind of error. Its key never changes: programs compare it. The sentences may change and be translated.

    A sentence with placeholders has an example of them. Some errors say more than their sentence: which field, which
    row.
    """

    HOST_UNKNOWN = HTTPStatus.BAD_REQUEST, _("This host name is not served here. Check the base URL.")
    BODY_UNREADABLE = HTTPStatus.BAD_REQUEST, _("The body is not JSON.")
    BODY_CUT_OFF = HTTPStatus.BAD_REQUEST, _("The request body was cut off on its way. Send it again.")
    TOO_MANY_PARAMETERS = (
        HTTPStatus.BAD_REQUEST,
        _("The query has too many parameters to be read. Send fewer."),
    )
    ROWS_INVALID = HTTPStatus.BAD_REQUEST, _("Rows are invalid, or they contradict contacts. Nothing was imported.")
    PHONE_INVALID = HTTPStatus.BAD_REQUEST, _("No country has such a telephone number. Nothing was changed.")
    PLATFORM_WRONG = (
        HTTPStatus.BAD_REQUEST,
        # Translators: "platform" is the name of a key; %(platform)s is the name of a platform, such as whatsapp.
        _("platform should be %(platform)s, where this bot talks."),
        {"platform": "whatsapp"},
    )
    EVENT_UNKNOWN = (
        HTTPStatus.BAD_REQUEST,
        # Translators: "event" is the name of a key; %(event)s is a value that it takes.
        _("event should be %(event)s, for new contacts."),
        {"event": "newLeadHook"},
    )
    WEBHOOK_URL_INVALID = HTTPStatus.BAD_REQUEST, _("Nothing can be sent to this address.")
    TOKEN_MISSING = HTTPStatus.UNAUTHORIZED, _(RefusalReason.MISSING)
    AUTHTYPE_WRONG = HTTPStatus.UNAUTHORIZED, _(RefusalReason.WRONG_AUTHTYPE)
    TOKEN_MALFORMED = HTTPStatus.UNAUTHORIZED, _(RefusalReason.MALFORMED)
    TOKEN_UNKNOWN = HTTPStatus.UNAUTHORIZED, _(RefusalReason.UNKNOWN)
    TOKEN_REVOKED = HTTPStatus.UNAUTHORIZED, _(RefusalReason.REVOKED)
    ACCOUNT_DISABLED = HTTPStatus.UNAUTHORIZED, _(RefusalReason.DISABLED)
    HTTPS_REQUIRED = (
        HTTPStatus.FORBIDDEN,
        _("Use https. If this request carried a token, revoke it: it crossed the network in clear."),
    )
    NOT_SIGNED = HTTPStatus.FORBIDDEN, _("This report is not signed by GitHub.")
    NOT_FOUND = HTTPStatus.NOT_FOUND, _("There is nothing at this path. Paths have no trailing slash.")
    NOT_OFFERED = HTTPStatus.NOT_FOUND, _("This server has nothing of this kind.")
    BOT_NOT_FOUND = HTTPStatus.NOT_FOUND, _("There is no bot with this id in your account.")
    CONTACT_NOT_FOUND = HTTPStatus.NOT_FOUND, _("There is no contact with this id in your account.")
    API_NOT_FOUND = HTTPStatus.NOT_FOUND, _("There is no 3rd party API with this id in your account.")
    METHOD_NOT_ALLOWED = (
        HTTPStatus.METHOD_NOT_ALLOWED,
        # Translators: %(allowed)s and %(method)s are methods of HTTP, such as GET, HEAD and POST.
        _("This path takes %(allowed)s, not %(method)s."),
        {"allowed": "GET, HEAD", "method": "POST"},
    )
    CONFLICT = HTTPStatus.CONFLICT, _("Another request has changed the same thing. Read it and try again.")
    CONTACT_CONFLICT = (
        HTTPStatus.CONFLICT,
        _("The contact would contradict another one, or have too little or too much. Nothing was changed."),
    )
    CONTACT_AMBIGUOUS = (
        HTTPStatus.CONFLICT,
        _("Several contacts have this number. Send its country's prefix too."),
    )
    QUOTA_EXCEEDED = HTTPStatus.CONFLICT, _("The account has reached a quota. Nothing was changed.")
    API_UNREADABLE = (
        HTTPStatus.CONFLICT,
        _("This API can no longer be read on this server. Set it up anew on the Developers page."),
    )
    BODY_TOO_LARGE = (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        _("The request body is too large. Send less at once."),
    )
    CONTACTS_TOO_LARGE = (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        _("These contacts hold too much together. Send fewer at once."),
    )
    MEDIA_TYPE_UNSUPPORTED = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, _("Send the body as application/json.")
    BODY_COMPRESSED = (
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        # Translators: %(coding)s is the name of a compression, such as gzip.
        _("The body is compressed (%(coding)s), which this API does not read. Send it as it is."),
        {"coding": "gzip"},
    )
    VALIDATION_FAILED = HTTPStatus.UNPROCESSABLE_ENTITY, _("Fields are invalid.")
    ATTRIBUTE_MISSING = HTTPStatus.UNPROCESSABLE_ENTITY, _("An attribute that the call needs is missing.")
    RATE_LIMITED = (
        HTTPStatus.TOO_MANY_REQUESTS,
        ngettext_lazy(
            "Too many requests. Try again in %(seconds)d second.",
            "Too many requests. Try again in %(seconds)d seconds.",
            "seconds",
        ),
        {"seconds": 20},
    )
    TOO_MANY_UNKNOWN_TOKENS = (
        HTTPStatus.TOO_MANY_REQUESTS,
        ngettext_lazy(
            "Too many unknown tokens from this address. Try again in %(seconds)d second.",
            "Too many unknown tokens from this address. Try again in %(seconds)d seconds.",
            "seconds",
        ),
        {"seconds": 20},
    )
    BUSY = (
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Other large changes are under way. Nothing was changed. Try again in a moment."),
    )
    CALL_IN_PROGRESS = (
        HTTPStatus.TOO_MANY_REQUESTS,
        _("Another call of yours is under way. Try again once it has ended."),
    )
    TOO_MANY_CALLS = (
        HTTPStatus.TOO_MANY_REQUESTS,
        ngettext_lazy(
            "Too many calls within a minute. Try again in %(seconds)d second.",
            "Too many calls within a minute. Try again in %(seconds)d seconds.",
            "seconds",
        ),
        {"seconds": 20},
    )
    SERVER_ERROR = (
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _("Something broke on our side. It has been logged; try again in a moment."),
    )
    UNAVAILABLE = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The server cannot do this right now, and nothing was changed. Try again in a few seconds."),
    )
    NOT_CONFIRMED = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _(
            "The database has not confirmed this yet, so it may or may not take effect. Ask again in a few seconds "
            "what the state is, before you repeat the call."
        ),
    )
    KEYS_UNKNOWN = (
        HTTPStatus.SERVICE_UNAVAILABLE,
        _("The keys of GitHub are not known right now. Send the report again in a few minutes."),
    )

    def __new__(cls, *parts: object) -> Self:
        """Number the errors. Enum compares values, and comparing sentences would translate them."""
        new = object.__new__(cls)
        new._value_ = len(cls.__members__)
        return new

    def __init__(self, status: HTTPStatus, sentence: "_StrPromise", example: Mapping[str, Any] = NOTHING) -> None:
        self.status = status
        self.sentence = sentence
        self.example = example

    @property
    def key(self) -> str:
        return self.name.lower()

    def say(self, **values: Any) -> str:
        """Return the sentence in the active language, with these values."""
        return str(self.sentence % values if values else self.sentence)

    @property
    def sample(self) -> str:
        """The sentence as its error shows it, in the active language."""
        return self.say(**self.example)

    @classmethod
    def of(cls, status: int) -> "ErrorKey":
        """Return the key of an error that only its status says."""
        return OF_STATUS.get(status, cls.SERVER_ERROR)


OF_STATUS: dict[int, ErrorKey] = {
    key.status: key
    for key in (
        *(ErrorKey.BODY_UNREADABLE, ErrorKey.TOKEN_MISSING, ErrorKey.HTTPS_REQUIRED, ErrorKey.NOT_FOUND),
        *(ErrorKey.METHOD_NOT_ALLOWED, ErrorKey.CONFLICT, ErrorKey.BODY_TOO_LARGE, ErrorKey.MEDIA_TYPE_UNSUPPORTED),
        *(ErrorKey.VALIDATION_FAILED, ErrorKey.RATE_LIMITED, ErrorKey.SERVER_ERROR, ErrorKey.UNAVAILABLE),
    )
}
