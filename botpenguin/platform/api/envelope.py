"""The envelope of every response, as BotPenguin's published clients expect it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypedDict, TypeVar

from django.http import HttpResponse, JsonResponse
from django.utils.translation import ngettext
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import to_json

from accounts.web import formats
from botpenguin.platform.api.error_keys import ErrorKey

JSON = "application/json; charset=utf-8"

Data = TypeVar("Data")
ERROR_KEYS = [each.key for each in ErrorKey]


class Envelope(BaseModel, Generic[Data]):
    # Every answer has all four keys.
    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    success: bool = True
    message: str = ""
    data: Data
    code: int = HTTPStatus.OK.value


class Created(Envelope[Data], Generic[Data]):
    code: int = HTTPStatus.CREATED.value


class PlainEnvelope(TypedDict):
    """An envelope without a model, because building one would slow down the most frequent call."""

    success: bool
    message: str
    data: dict[str, str | None]
    code: int


class ErrorEnvelope(BaseModel):
    success: bool = Field(description="Always false.")
    message: str = Field(
        description="The first sentence of `data`, the number of the others if there are any, and what was not done. "
        "Clients that show only `message` show the reason."
    )
    data: list[str] = Field(min_length=1, description="Every reason, a sentence each, for people to read.")
    code: int = Field(description="The HTTP status.")
    # Open: a client that is generated today must read the keys of tomorrow.
    error: Annotated[str, WithJsonSchema({"anyOf": [{"enum": ERROR_KEYS}, {"type": "string"}]})] = Field(
        description="What went wrong, for programs: it never changes, as sentences do. Later versions may have more."
    )


def written(operation: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """Serialize the envelope that an operation returns directly to JSON; return 204 for None.

    For `NinjaAPI.add_decorator`. Ninja itself would validate the typed envelope again and convert
    it to dictionaries first: a sixth of the time of `GET /token`.
    """

    @wraps(operation)
    def write(*args: Any, **kwargs: Any) -> HttpResponse:
        result: Envelope[Any] | PlainEnvelope | HttpResponse | None = operation(*args, **kwargs)
        if isinstance(result, HttpResponse):
            return result
        if result is None:
            return HttpResponse(status=HTTPStatus.NO_CONTENT, content_type=JSON)
        # As bytes: a str takes up to four times as much memory, and Django would search a charset in the content type.
        if isinstance(result, dict):
            return HttpResponse(to_json(result), status=result["code"], content_type=JSON)
        return HttpResponse(to_json(result, by_alias=True), status=result.code, content_type=JSON)

    return write


def timestamp(time: datetime) -> str:
    """Format a time as ISO 8601 in UTC, with milliseconds and `Z`."""
    return time.astimezone(UTC).isoformat("T", "milliseconds").removesuffix("+00:00") + "Z"


Timestamp = Annotated[
    datetime,
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-24T14:02:09.123Z"]}),
]


def first_of(sentences: Sequence[str]) -> str:
    """Return the first sentence, and the number of the others: some published clients show only this."""
    more = len(sentences) - 1
    if not more:
        return sentences[0]
    others = ngettext(
        "%(number)s more error is listed in `data`.", "%(number)s more errors are listed in `data`.", more
    )
    return f"{sentences[0]} {others % {'number': formats.number(more)}}"


def error(key: ErrorKey, message: str = "", sentences: Sequence[str] = (), status: int = 0) -> JsonResponse:
    """Return an error response, with the sentence of its key unless another is given.

    `data` is never empty: other published clients join its sentences and show them. n8n shows `message` before `error`.
    """
    status = status or key.status.value
    return JsonResponse(error_body(key, message or key.say(), sentences, status), status=status)


def error_body(key: ErrorKey, message: str, sentences: Sequence[str] = (), status: int = 0) -> dict[str, Any]:
    return {
        "success": False,
        "message": message,
        "data": list(sentences) or [message],
        "code": status or key.status.value,
        "error": key.key,
    }
