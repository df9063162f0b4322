"""A request as it was sent and its response, of a test or of a log, for the panes of a page."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.models import User
from developers.outbound.editor.raw_text import line_numbers, write_text
from developers.outbound.editor.response_tree import build_tree
from developers.outbound.editor.tree_html import BY_SCRIPT, submitting_to, write_tree
from developers.outbound.models import KEPT_OF_A_BODY, ApiLog
from developers.outbound.recipe import MASK
from developers.outbound.transport.responses import NO_DATA, Data, OutboundResponse, read_data

LOG_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)
# Bytes of a character, which a log does not split.
LONGEST_CHARACTER = 4


class Ran(Protocol):
    """What is read of a `running.Run`: this room sends nothing, so it does not import it."""

    @property
    def response(self) -> OutboundResponse: ...
    @property
    def log(self) -> ApiLog: ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the panes show. The request and the headers come from the log, which holds no secrets.

    sentence: why there is no tree, or no text.
    numbers: of the text's lines, where the sentence may name one.
    """

    log: ApiLog
    text: SafeString | None
    sentence: str
    tree: SafeString | None
    numbers: str

    @property
    def request_line(self) -> str:
        """The first line of the request; for one that was not sent, its method and URL."""
        if not self.log.hops:
            return f"{self.log.method} {self.log.url}"
        method, url, _status = self.log.hops[0]
        return f"{method} /{url.partition('://')[2].partition('/')[2]} HTTP/1.1"

    @property
    def request_body(self) -> SafeString:
        return write_text(self.log.request_body)

    @property
    def is_empty(self) -> bool:
        return not self.text

    @property
    def is_unsent(self) -> bool:
        # None: an older log, which does not say.
        return self.log.hops == []

    @property
    def hops(self) -> list[list[Any]]:
        """Method, URL and status of each request, if there was more than one."""
        return self.log.hops if self.log.hops and len(self.log.hops) > 1 else []


def response_context(run: Ran, *, has_scripts: bool) -> dict[str, Any]:
    """Return what the templates of a test's outcome show of it."""
    response, api = run.response, run.log.api_id
    rows = ("change-rows", [api]) if api else ("change-new-rows", [])
    button = BY_SCRIPT if has_scripts else submitting_to(reverse(f"developers:outbound:{rows[0]}", args=rows[1]))
    read = (response.data, response.unreadable)
    return {"run": run, "exchange": _exchange(run.log, response.text or "", read, button)}


def kept_context(owner: User, log_id: str, button: str) -> dict[str, Any]:
    """Return what the templates show of an earlier test that its log keeps; nothing if there is no such log."""
    if not LOG_ID.fullmatch(log_id):
        return {}
    log = ApiLog.objects.owned_by(owner).filter(pk=int(log_id), kind=ApiLog.Kind.TEST).first()
    return {"exchange": exchange_of(log, button), "is_kept": True} if log else {}


def exchange_of(log: ApiLog, button: str = "") -> Exchange:
    """Read an exchange from its log. `button`: attributes of the button in each value, if there are any."""
    return _exchange(log, log.response_body, _read(log), button)


def _exchange(log: ApiLog, text: str, read: tuple[Data, str], button: str) -> Exchange:
    data, sentence = read
    return Exchange(
        log=log,
        text=write_text(text) if text else None,
        sentence=sentence,
        tree=None if data is NO_DATA else write_tree(build_tree(data), button),
        # Of a response that was cut, the sentence names no line, and long lines wrap.
        numbers=line_numbers(text) if data is NO_DATA and not log.is_cut else "",
    )


def _read(log: ApiLog) -> tuple[Data, str]:
    """Return the response of a log as JSON, or a sentence that says why it is not read."""
    text = log.response_body
    if not text:
        empty = _("The response is empty.")
        return NO_DATA, _("The response is no text, and the log keeps none of it.") if log.response_size else empty
    if text == MASK:
        return NO_DATA, _("The response could show a secret, so the log keeps none of it.")
    if log.is_cut:
        return NO_DATA, _("Only a part of the response came, so it is not read.")
    if len(text.encode()) > KEPT_OF_A_BODY - LONGEST_CHARACTER or log.response_size > KEPT_OF_A_BODY:
        return NO_DATA, _("The log keeps only the first 64 KB of the response, so it is not read.")
    return read_data(text) if text.strip() else (NO_DATA, _("The response is empty."))
