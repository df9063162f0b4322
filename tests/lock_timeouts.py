"""How a connection of the tests reads and sets how many milliseconds it waits for a lock."""

# For each vendor the statement that reads it, and the one that sets it.
LOCK_TIMEOUT = {
    "sqlite": ("PRAGMA busy_timeout", "PRAGMA busy_timeout = {}"),
    "postgresql": ("SHOW lock_timeout", "SET lock_timeout = '{}'"),
}
