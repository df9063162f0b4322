"""The envelope around every answer, as BotPenguin's published clients expect it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Generic, TypeVar

from django.http import JsonResponse
from pydantic import BaseModel, PlainSerializer, WithJsonSchema

Data = TypeVar("Data")


# Answers are plain pydantic models: ninja's Schema wraps each attribute of what it reads,
# which is meant for rows of the database and cost a third of a call here.


class Envelope(BaseModel, Generic[Data]):
    success: bool = True
    message: str = ""
    data: Data
    code: int = HTTPStatus.OK.value


class Created(Envelope[Data], Generic[Data]):
    code: int = HTTPStatus.CREATED.value


class ErrorEnvelope(BaseModel):
    success: bool = False
    message: str
    data: list[str]
    code: int


def timestamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC, with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[
    datetime,
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-24T14:02:09.123Z"]}),
]


def error(status: HTTPStatus, message: str, sentences: Sequence[str] = ()) -> JsonResponse:
    """Answer with an error. `data` is never empty: a published client joins it and shows it."""
    body = {"success": False, "message": message, "data": list(sentences) or [message], "code": status.value}
    return JsonResponse(body, status=status)
