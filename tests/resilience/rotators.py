"""People who revoke their tokens again and again."""

import threading
from functools import partial

from tests.resilience.load import Person, survived
from tests.server import poll

# The number of revoked tokens that are kept.
ROTATIONS = 20


class Rotator:
    """A person who revokes and copies again and again, even if a request breaks off."""

    def __init__(self, person: Person) -> None:
        self.person, self.tokens = person, [person.copy()]
        self.is_revoking, self.answered, self.broken_off = False, 0, 0

    def rotate(self, is_over: threading.Event) -> None:
        while not is_over.is_set() and len(self.tokens) < ROTATIONS:
            page = poll(lambda: survived(self.person.page))
            self.is_revoking = True
            answer = survived(partial(self.person.revoke, page))
            self.is_revoking = False
            self.answered += answer is not None and answer.status_code == 200
            self.broken_off += answer is None
            self.tokens.append(poll(lambda: survived(self.person.copy)))
