"""Sentences for what goes wrong on the way: with the connection, and with the bytes that came."""

import ssl

import httpcore
from django.conf import settings

from developers.outbound.sentences import gettext as _
from developers.outbound.transport.cancelling import Cancelled

FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, Cancelled)


def incomplete() -> str:
    return _("The server closed the connection before its response was complete.")


def why_none(error: Exception) -> str:
    """Return a sentence for one of `FAILURES`, after which there is no response."""
    if isinstance(error, Cancelled):
        return str(error)
    if isinstance(error, httpcore.ProtocolError):
        return _why_not_http(str(error))
    # httpcore's pool drops __cause__, but the cause is also the exception's argument.
    cause = next(iter(error.args), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _("The certificate of the server can't be trusted: %(why)s.") % {"why": cause.verify_message.rstrip(".")}
    sentences: dict[type[Exception], str] = {
        ssl.SSLError: _("No secure connection was made: the server broke the rules of TLS."),
        ConnectionRefusedError: _("Nothing answers at this server and port."),
        httpcore.ConnectTimeout: _("The server could not be reached within %(seconds)s seconds."),
        httpcore.TimeoutException: _in_time(),
        httpcore.ConnectError: _("The server could not be reached."),
        httpcore.NetworkError: _("The server closed the connection."),
    }
    sentence = next(text for kind, text in sentences.items() if isinstance(error, kind) or isinstance(cause, kind))
    return sentence % {"seconds": f"{settings.OUTBOUND_SECONDS:g}"}


def why_cut(error: Exception) -> str:
    """Return a sentence for one of `FAILURES` within the body, whose beginning is shown."""
    if isinstance(error, Cancelled):
        return str(error)
    if isinstance(error, httpcore.TimeoutException):
        return _in_time() % {"seconds": f"{settings.OUTBOUND_SECONDS:g}"}
    return incomplete()


def _in_time() -> str:
    return _("The server did not finish its response within %(seconds)s seconds.")


def _why_not_http(error: str) -> str:
    sentences = {
        "Server disconnected": _("The server closed the connection without a response."),
        "Receive buffer too long": _("The headers of the response do not end: over 100 KB came."),
    }
    return next((text for part, text in sentences.items() if part in error), _("The server's response is not HTTP."))
