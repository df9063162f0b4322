"""What housekeeping deletes: every app adds parts of its own. `botpenguin.operations.housekeeping` goes through them."""

from collections.abc import Callable, Iterator

# By what its rows are called: deletes them, and yields how many, batch by batch.
PARTS: dict[str, Callable[[], Iterator[int]]] = {}
