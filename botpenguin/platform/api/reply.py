"""A response of the API on its way to the server."""

from dataclasses import dataclass
from http import HTTPStatus

from django.http import HttpResponse

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(slots=True)
class Reply:
    """A status, headers by their usual spelling, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, response: HttpResponse) -> "Reply":
        return cls(response.status_code, dict(response.items()), response.content)

    @property
    def status_line(self) -> str:
        return STATUS_LINES[self.status]
