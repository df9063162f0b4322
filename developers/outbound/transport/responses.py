"""The response of an outbound call, or the sentence that says why there is none.

`sending.send` makes an `OutboundResponse`, and `running.run` a `Run` around it.
"""

import json
import re
from codecs import getincrementaldecoder
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple, NoReturn

from django.utils.translation import gettext_lazy

from developers.outbound.sentences import gettext as _


class Nothing(Enum):
    """The absence of JSON, which None cannot express: `null` is JSON too."""

    NO_DATA = "no data"


NO_DATA: Final = Nothing.NO_DATA
Data = Any | Literal[Nothing.NO_DATA]

# Encodings that Python decodes in linear time, unlike "punycode" and "idna".
CHARSET = re.compile(
    r"(?i)(us-)?ascii|utf[-_]?(8|16|32)([-_]?[bl]e)?|latin[-_]?1|iso[-_]?8859[-_]\d{1,2}|(windows|cp)[-_]?125\d"
    r"|koi8[-_][ru]|shift[-_]?jis|euc[-_](jp|kr)|iso-2022-jp|gb(2312|k|18030)|big5"
)
# The byte order marks of UTF-8, UTF-16 and UTF-32, the longest first.
MARKS = (
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xfe\xff", "utf-16-be"),
    (b"\xff\xfe", "utf-16-le"),
)

# Lists and objects in a response: 1 MiB of brackets would take 50 MiB in Python.
MOST_PARTS = 150_000

EXPLANATIONS = {
    HTTPStatus.OK: gettext_lazy("The server has done what was asked."),
    HTTPStatus.CREATED: gettext_lazy("The server has created something new."),
    HTTPStatus.ACCEPTED: gettext_lazy("The server has accepted the request and will work on it later."),
    HTTPStatus.NO_CONTENT: gettext_lazy("The server has done what was asked, and returns nothing."),
    HTTPStatus.NOT_MODIFIED: gettext_lazy("Nothing has changed there since it was last asked for."),
    HTTPStatus.BAD_REQUEST: gettext_lazy("The server does not understand the request. Check parameters and body."),
    HTTPStatus.UNAUTHORIZED: gettext_lazy("The server does not know who is calling. Check the credentials it wants."),
    HTTPStatus.PAYMENT_REQUIRED: gettext_lazy("The server wants to be paid first. Check your plan there."),
    HTTPStatus.FORBIDDEN: gettext_lazy("The server knows who is calling, and does not allow it."),
    HTTPStatus.NOT_FOUND: gettext_lazy("There is nothing at this address. Check the URL."),
    HTTPStatus.METHOD_NOT_ALLOWED: gettext_lazy("This address takes another method. Choose another one."),
    HTTPStatus.NOT_ACCEPTABLE: gettext_lazy("The server cannot answer in the form that the header Accept asks for."),
    HTTPStatus.REQUEST_TIMEOUT: gettext_lazy("The server gave up waiting for the request. Try again."),
    HTTPStatus.CONFLICT: gettext_lazy("It contradicts what is there already."),
    HTTPStatus.GONE: gettext_lazy("What was at this address is permanently gone."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: gettext_lazy("The body is too large for the server. Send less."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: gettext_lazy("The server wants another kind of body. Check Content-Type."),
    HTTPStatus.UNPROCESSABLE_ENTITY: gettext_lazy("The server understands the request but cannot use its values."),
    HTTPStatus.TOO_MANY_REQUESTS: gettext_lazy("The server is asked too often. Wait before the next call."),
    HTTPStatus.INTERNAL_SERVER_ERROR: gettext_lazy("Something failed on the server. Its operator can look it up."),
    HTTPStatus.BAD_GATEWAY: gettext_lazy("The server could not reach another one that it needs. Try again later."),
    HTTPStatus.SERVICE_UNAVAILABLE: gettext_lazy("The server is overloaded or being repaired. Try again later."),
    HTTPStatus.GATEWAY_TIMEOUT: gettext_lazy("The server waited in vain for another one that it needs. Try again."),
}
BY_CLASS = {
    1: gettext_lazy("The server has sent something that is no response yet."),
    2: gettext_lazy("The call worked."),
    3: gettext_lazy("The server points to another address, which was not followed."),
    4: gettext_lazy("The server refuses the request. Check it against the server's documentation."),
    5: gettext_lazy("The server failed. Try again later."),
}


class Redirect(NamedTuple):
    """A status that points to a URL, and the method of the request that followed it: empty if none did."""

    status: int
    url: str
    method: str = ""


class SentRequest(NamedTuple):
    """The head of a request as it went out. `url`: of the server, with the target that the request line named."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """The result of a call.

    status: None if no response came.
    problem: a sentence that says why no response came, or why a part of it is missing.
    notes: sentences about what is unusual in it.
    reason: the reason phrase beside the status.
    headers: the first ones; `headers_left_out` is the number of the others.
    body: decoded from gzip or deflate, and cut at the limit; `is_cut` says whether a part is missing.
    text: the body decoded to text, or None if it is no text.
    data: the body as JSON, or `NO_DATA`; then `unreadable` says why.
    seconds: from before the look-up to the last byte.
    size: bytes of `body`.
    explanation: the status in words.
    location: where a redirect points to, empty if it points nowhere.
    redirects: in order.
    sent: the requests that went out, in order: the first one, and one for each redirect that was followed.
    """

    status: int | None = None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    headers_left_out: int = 0
    body: bytes = b""
    is_cut: bool = False
    text: str | None = None
    data: Data = NO_DATA
    seconds: float = 0.0
    size: int = 0
    problem: str | None = None
    explanation: str = ""
    location: str = ""
    redirects: tuple[Redirect, ...] = ()
    unreadable: str = ""
    notes: tuple[str, ...] = ()
    sent: tuple[SentRequest, ...] = ()

    @property
    def redirected_to(self) -> tuple[str, ...]:
        """The targets of redirects, in order. The last one was not followed if `status` is 3xx."""
        return tuple(redirect.url for redirect in self.redirects)

    @property
    def is_success(self) -> bool:
        is_ok = self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES
        return is_ok and not self.problem


def explain(status: int) -> str:
    """Return a sentence that explains a status."""
    words = EXPLANATIONS.get(status) or BY_CLASS.get(status // 100)  # type: ignore[call-overload]
    return str(words or _("The server has answered with a status that HTTP does not know."))


def read_text(body: bytes, content_type: str, *, is_cut: bool = False) -> str | None:
    """Decode a body by its byte order mark, or the charset of its content type; None if it is no text.

    A body that is cut may end within a character.
    """
    named = re.search(r"charset=[\"']?([\w.:-]+)", content_type, re.ASCII | re.IGNORECASE)
    charset = next((charset for mark, charset in MARKS if body.startswith(mark)), None)
    if charset is None:
        charset = named[1] if named and CHARSET.fullmatch(named[1]) else "utf-8"
    try:
        text = getincrementaldecoder(charset)().decode(body, final=not is_cut).removeprefix("\ufeff")
    except (UnicodeDecodeError, LookupError):
        return None
    return None if "\0" in text else text


def writable(text: str) -> str:
    """Escape lone surrogates as JSON does: JSON may contain them, UTF-8 may not."""
    return text.encode(errors="backslashreplace").decode()


def read_data(text: str) -> tuple[Data, str]:
    """Parse text as JSON; if it is none, return `NO_DATA` and a sentence that says why."""
    if text.count("[") + text.count("{") > MOST_PARTS:
        return NO_DATA, _("The response has too many lists and objects to be read.")
    try:
        return json.loads(text, parse_constant=_not_json), ""
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        return NO_DATA, _("The response is not JSON: see line %(line)d, column %(column)d.") % place
    except RecursionError:
        return NO_DATA, _("The response is JSON that is nested too deeply.")
    except ValueError:
        return NO_DATA, _(
            "The response is not JSON: it holds a number that JSON does not know, or one that is too long."
        )


def _not_json(name: str) -> NoReturn:
    raise ValueError(name)
