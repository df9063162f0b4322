"""People who revoke and programs that call, without a pause, while the database fails over."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.nginx import HOST, Nginx
from tests.resilience.behind_nginx import visitor
from tests.resilience.load import Call, Hammer, Person, Program
from tests.server import poll

PEOPLE, PROGRAMS = 4, 8
PAUSE = 0.05
# Verdicts after which the page says that the token is replaced.
REPLACED = ("replaced", "already-replaced")


def is_designed(status: int, headers: Mapping[str, str], body: str) -> bool:
    """Whether a response is the 503 that is promised: with `Retry-After`, and as a page or as JSON."""
    if status != httpx.codes.SERVICE_UNAVAILABLE or not headers.get("Retry-After", "").isdigit():
        return False
    if "json" in headers.get("Content-Type", ""):
        return isinstance(json.loads(body), dict)
    return "<h1" in body


@dataclass(frozen=True, slots=True)
class Response:
    """What a person got: times of one clock, and whether it is an outage as it is designed."""

    what: str
    began_at: float
    ended_at: float
    status: int
    is_designed: bool
    body: str = field(repr=False)


class ApiProgram(Program):
    """A program that keeps each answer that is neither 200 nor 401 nor the designed 503."""

    def __init__(self, nginx: Nginx, number: int) -> None:
        super().__init__(nginx.https, f"127.0.0.{2 + number}", nginx.tls, HOST)
        self.wrong: list[tuple[int, str]] = []

    def note(self, answer: http.client.HTTPResponse, body: str) -> None:
        if answer.status not in (200, 401) and not is_designed(answer.status, httpx.Headers(answer.getheaders()), body):
            self.wrong.append((answer.status, body))


class Rotator:
    """A person who copies and revokes again and again, whatever the answers are."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.tokens = [person.copy()]
        # Revoked tokens, and when the answer came.
        self.revoked: dict[str, float] = {}
        self.responses: list[Response] = []

    def ask(self, what: str, send: Callable[[], httpx.Response]) -> httpx.Response | None:
        """Return the answer, or None if there is none within 30 seconds."""
        began_at = time.monotonic()
        try:
            answer = send()
        except httpx.TransportError as error:
            self.responses.append(Response(what, began_at, time.monotonic(), 0, False, repr(error)))
            return None
        designed = is_designed(answer.status_code, answer.headers, answer.text)
        response = Response(what, began_at, time.monotonic(), answer.status_code, designed, answer.text)
        self.responses.append(response)
        return answer

    def rotate(self) -> None:
        page = self.ask("page", self.person.page)
        if page is None or page.status_code != 200:
            return
        copied = self.ask("copy", lambda: self.person.press("copy", page))
        if copied is None or copied.status_code != 200:
            return
        token = copied.json()["token"]
        if token != self.tokens[-1]:
            self.tokens.append(token)
        answer = self.ask("revoke", lambda: self.person.revoke(page))
        if answer is None or answer.status_code not in (200, 409):
            return
        said = answer.json()
        # A revoke that was not confirmed may take effect after the page was read: then the copied token is the new one.
        if said["verdict"] in REPLACED and not token.endswith(said["hint"]):
            self.revoked.setdefault(token, time.monotonic())

    def run(self, is_over: threading.Event) -> None:
        while not is_over.wait(PAUSE):
            self.rotate()


class Load:
    """8 programs and 4 people behind nginx, for as long as `running` lasts."""

    def __init__(self, nginx: Nginx) -> None:
        self.rotators = [Rotator(visitor(nginx, number)) for number in range(PEOPLE)]
        self.programs = [ApiProgram(nginx, number) for number in range(PROGRAMS)]
        self.hammer = Hammer(list(self.programs), self._choose, pause=0.03)
        self._is_over = threading.Event()

    def _choose(self, chance: random.Random) -> str:
        """Each second call has a current token, the others one of before."""
        tokens = chance.choice(self.rotators).tokens
        return tokens[-1] if chance.random() < 0.5 else chance.choice(tokens[-12:])

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=rotator.run, args=(self._is_over,)) for rotator in self.rotators]
        for thread in threads:
            thread.start()
        try:
            with self.hammer.running():
                yield
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join()

    @property
    def revoked(self) -> dict[str, float]:
        """All tokens whose revoke was answered, and when."""
        return {token: at for rotator in self.rotators for token, at in list(rotator.revoked.items())}

    @property
    def responses(self) -> list[Response]:
        return [response for rotator in self.rotators for response in list(rotator.responses)]

    def responses_since(self, time: float) -> list[Response]:
        return [response for response in self.responses if response.began_at >= time]

    def accepted_after_revoke(self) -> list[Call]:
        """Calls that began after the answer to the revoke of their token, and were accepted."""
        revoked = self.revoked
        return [
            call
            for call in list(self.hammer.calls)
            if call.status == 200 and call.began_at > revoked.get(call.token, call.began_at)
        ]

    def wrong(self) -> list[object]:
        """Answers to people and programs that are neither right nor the designed outage."""
        of_people = [r for r in self.responses if not (r.status in (200, 409) or r.is_designed)]
        return [*of_people, *(found for program in self.programs for found in list(program.wrong))]

    def seconds_to_revoke(self, since: float, after: float) -> float:
        """Wait for the next answered revoke, and return the seconds from `since`."""
        return poll(lambda: min((at for at in self.revoked.values() if at > after), default=None)) - since

    def longest(self, since: float) -> float:
        """The longest time that anybody has waited for an answer."""
        calls: list[Call | Response] = [*list(self.hammer.calls), *self.responses]
        return max(call.ended_at - call.began_at for call in calls if call.began_at >= since)

    def wait_for_calls(self) -> None:
        """Wait until each person and each program has been served again, from now on."""
        now = time.monotonic()
        poll(lambda: all(any(at > now for at in list(r.revoked.values())) for r in self.rotators))
        calls = len(self.hammer.calls)
        poll(lambda: sum(call.status in (200, 401) for call in self.hammer.calls[calls:]) > 10 * PROGRAMS)
