"""Runs an API for a contact: fills in, sends, maps and logs. The platform's interface.

The only writer of `ApiLog`.
"""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.batches import delete_in_batches
from accounts.web.clients import Client
from developers.outbound import mapping
from developers.outbound.body import with_boundary
from developers.outbound.masking import Mask
from developers.outbound.models import KEPT_OF_A_BODY, ApiLog, CustomAttribute, OutboundApi
from developers.outbound.quotas import LOG_BYTES, LOGS
from developers.outbound.recipe import Recipe, Unfillable, Value, fill
from developers.outbound.sentences import Sentence, ngettext
from developers.outbound.sentences import gettext as _
from developers.outbound.transport.addresses import Resolver
from developers.outbound.transport.cancelling import cancellable
from developers.outbound.transport.concurrency import NoFreeSlot, TooManyCalls, hold_slot
from developers.outbound.transport.responses import NO_DATA, OutboundResponse

__all__ = ["NoFreeSlot", "Run", "TooManyCalls", "Unfillable", "Unreadable", "api_of", "prune_logs", "run", "try_out"]

KEPT_FOR = timedelta(days=10)
# Logs that one call deletes at most; later calls delete the rest.
MOST_AT_ONCE = 50
# In bytes, as stored. All limits together keep a log below 256 KB.
KEPT_OF_HEADERS = 32 * 1024
KEPT_OF_A_PROBLEM = 1024
# Of the URL of each of at most six requests: the first one, and those of five redirects.
KEPT_OF_A_URL = 2 * 1024
MOST_NOTES = 10
Attributes = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Run:
    """The result of a run. `mapped`: values by attribute; `missing`: a sentence for each attribute that was not set."""

    response: OutboundResponse
    mapped: dict[str, Value]
    missing: list[str]
    log: ApiLog


def api_of(owner: User | int, api_id: str) -> OutboundApi | None:
    """Return the owner's API of this id, or None."""
    return OutboundApi.objects.owned_by(owner).with_id(api_id).first()


def run(api: OutboundApi, attributes: Attributes, *, kind: str, client: Client, **network: Any) -> Run:
    """Send an API's call, filled with a contact's attributes, and log it.

    Raises `Unreadable`, `Unfillable`, `NoFreeSlot` or `TooManyCalls`; of these only `Unfillable` is logged.
    `network` is passed on to `sending.send`.
    """
    return _run(_Call(api.owner_id, api, api.name, kind, client), api.recipe(), attributes, **network)


def try_out(  # noqa: PLR0913 - the parts of an API that is not saved yet
    owner: User,
    name: str,
    recipe: Recipe,
    attributes: Attributes,
    *,
    client: Client,
    api: OutboundApi | None = None,
    test_id: str = "",
    **network: Any,
) -> Run:
    """Send an unsaved call, or an unsaved change of `api`, and log it as a test. Raises what `run` raises.

    `cancelling.cancel` ends it by its `test_id`. A deleted API is `Unfillable`, and this is not logged.
    """
    if api and not OutboundApi.objects.filter(pk=api.pk).exists():
        raise Unfillable(_("This API was deleted meanwhile. Nothing was sent. Bring it back to test it."))
    call = _Call(owner.pk, api, name, ApiLog.Kind.TEST, client, test_id)
    return _run(call, recipe, attributes, **network)


def prune_logs(before: datetime) -> Iterator[int]:
    """Delete the logs of calls before a time, of all accounts; yield how many, batch by batch."""
    return delete_in_batches(ApiLog.objects.filter(sent_at__lt=before))


@dataclass(frozen=True, slots=True)
class _Call:
    """The owner of a call, and what its log says about it."""

    owner_id: int
    api: OutboundApi | None
    name: str
    kind: str
    client: Client
    test_id: str = ""


@sensitive_variables("recipe", "filled", "attributes")
def _run(
    call: _Call,
    recipe: Recipe,
    attributes: Attributes,
    *,
    resolver: Resolver = socket.getaddrinfo,
    ssl_context: ssl.SSLContext | None = None,
) -> Run:
    # Its imports take a tenth of the start-up time, and most processes make no outbound calls.
    from developers.outbound.transport.sending import send  # noqa: PLC0415

    # Mapping and logging hold the slot too: they take time, and write.
    with hold_slot(call.owner_id), cancellable(call.owner_id, call.test_id) as cancellation:
        sent_at = timezone.now()
        try:
            # The log shows the boundary that is sent.
            filled = with_boundary(fill(recipe, attributes))
        except Unfillable as unfillable:
            _log(call, recipe, OutboundResponse(problem=str(unfillable)), sent_at)
            raise
        response = send(
            filled, owner=call.owner_id, resolver=resolver, ssl_context=ssl_context, cancellation=cancellation
        )
        log = _log(call, filled, response, sent_at)
        mapped, missing = _map(call.owner_id, recipe, response)
        return Run(response, mapped, missing, log)


def _map(owner_id: int, recipe: Recipe, response: OutboundResponse) -> tuple[dict[str, Value], list[str]]:
    if not recipe.mappings or response.status is None:
        return {}, []
    if not response.is_success:
        return {}, [_("No attribute was set, since the call did not succeed.")]
    if response.data is NO_DATA:
        return {}, [response.unreadable]
    kinds = {attribute.name.lower(): attribute.type for attribute in CustomAttribute.objects.owned_by(owner_id)}
    return mapping.apply(recipe.mappings, response.data, kinds)


def _log(call: _Call, recipe: Recipe, response: OutboundResponse, sent_at: datetime) -> ApiLog:
    mask = Mask(recipe)
    log = ApiLog(
        owner_id=call.owner_id,
        # The row may have gone during its call.
        api=OutboundApi.every.filter(pk=call.api.pk).only("pk").first() if call.api else None,
        api_name=call.name,
        kind=call.kind,
        sent_at=sent_at,
        ip=call.client.ip,
        client=call.client.user_agent,
        method=recipe.method,
        url=mask.url(),
        request_headers=_kept_of_request(mask, response),
        request_body=mask.request_body(KEPT_OF_A_BODY),
        status=response.status,
        problem=_masked(mask, response.problem or ""),
        seconds=response.seconds,
        response_headers=_kept_of_response(mask, response),
        response_body=mask.beginning(response.text or "", KEPT_OF_A_BODY),
        response_size=response.size,
        is_cut=response.is_cut,
        hops=_hops(mask, response),
        notes=_notes(mask, response),
    )
    log.size = log.measure()
    log.save(force_insert=True)
    _prune_logs_of(call.owner_id)
    return log


def _hops(mask: Mask, response: OutboundResponse) -> list[list[str | int | None]]:
    """Return method, URL and status of each request that went out."""
    statuses = [*(redirect.status for redirect in response.redirects), response.status]
    return [
        [request.method, mask.address(request.url, KEPT_OF_A_URL), status]
        for request, status in zip(response.sent, statuses, strict=False)
    ]


def _notes(mask: Mask, response: OutboundResponse) -> list[str]:
    return [_masked(mask, note) for note in response.notes[:MOST_NOTES]]


def _masked(mask: Mask, sentence: str) -> str:
    """Mask what a sentence quotes, and keep it a sentence that can be read in other languages."""
    if isinstance(sentence, Sentence):
        return sentence.changed(lambda text: mask.beginning(text, KEPT_OF_A_PROBLEM))
    return mask.beginning(sentence, KEPT_OF_A_PROBLEM)


def _kept_of_request(mask: Mask, response: OutboundResponse) -> list[list[str]]:
    headers = mask.request_headers(response.sent[0].headers if response.sent else None)
    kept = _kept(headers)
    number = len(headers) - len(kept)
    sentence = ngettext(
        "%(number)d more was sent and is not stored.", "%(number)d more were sent and are not stored.", number
    )
    return [*kept, ["…", sentence % {"number": number}]] if number else kept


def _kept_of_response(mask: Mask, response: OutboundResponse) -> list[list[str]]:
    headers = mask.response_headers(response.headers)
    kept = _kept(headers)
    number = response.headers_left_out + len(headers) - len(kept)
    sentence = ngettext("%(number)d more came and is not stored.", "%(number)d more came and are not stored.", number)
    return [*kept, ["…", sentence % {"number": number}]] if number else kept


def _kept(headers: list[list[str]]) -> list[list[str]]:
    """Return as many headers as fit."""
    sizes = accumulate(len(json.dumps(header)) for header in headers)
    return [header for header, size in zip(headers, sizes, strict=True) if size <= KEPT_OF_HEADERS]


def _prune_logs_of(owner_id: int) -> None:
    """Delete the owner's oldest logs beyond the limits of time, number and bytes."""
    before, held, beyond = timezone.now() - KEPT_FOR, 0, list[int]()
    logs = ApiLog.objects.owned_by(owner_id)
    latest = logs.values_list("pk", "sent_at", "size")[: LOGS.most + MOST_AT_ONCE]
    for number, (pk, sent_at, size) in enumerate(latest, start=1):
        held += size
        if number > LOGS.most or held > LOG_BYTES.most or sent_at <= before:
            beyond.append(pk)
    if beyond:
        logs.filter(pk__in=beyond[-MOST_AT_ONCE:]).delete()
