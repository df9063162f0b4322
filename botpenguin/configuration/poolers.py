"""PostgreSQL behind a pooler in transaction mode, such as PgBouncer: `DATABASE_URL` names the pooler.

Each transaction of a connection may reach another session of PostgreSQL, so nothing may be kept in a session.
"""

from typing import Any

from botpenguin.configuration import ImproperlyConfigured, service_urls

NAME = "DATABASE_DIRECT_URL"
# As PostgreSQL shows them.
TIMEOUTS = {"lock_timeout": "5s", "statement_timeout": "30s", "idle_in_transaction_session_timeout": "1min"}
# What a connection sends when it starts. A pooler refuses them.
OPTIONS = " ".join(f"-c {name}={value}" for name, value in TIMEOUTS.items())
# Waiting for another node that starts, and migrating, may last.
NO_TIMEOUTS = " ".join(f"-c {name}=0" for name in TIMEOUTS)
PLACE = ("HOST", "PORT", "NAME")


def configurations(pooler: dict[str, Any], direct_url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return Django's configurations of the pooler and of PostgreSQL itself.

    `pooler`: the configuration of `DATABASE_URL` for PostgreSQL itself. Raises `ImproperlyConfigured`.
    """
    if not pooler["ENGINE"].endswith("postgresql"):
        raise ImproperlyConfigured(
            f"{NAME} is set, and DATABASE_URL names no PostgreSQL behind a pooler. Remove {NAME}."
        )
    direct = service_urls.database(direct_url, NAME, "no PostgreSQL")
    if all(pooler.get(part) == direct.get(part) for part in PLACE):
        raise ImproperlyConfigured(
            f"{NAME} is the address that DATABASE_URL has. Without a pooler, remove it. With one, DATABASE_URL is the "
            f"address of the pooler, and {NAME} that of PostgreSQL itself."
        )
    usual = pooler["OPTIONS"]
    if usual["options"] != OPTIONS:
        raise ImproperlyConfigured(
            "DATABASE_URL has options, which a pooler refuses. Set them for the role in PostgreSQL: ALTER ROLE … SET …"
        )
    kept = {name: value for name, value in usual.items() if name != "pool"}
    # Empty, because the driver would send what PGOPTIONS holds.
    through = pooler | {"DISABLE_SERVER_SIDE_CURSORS": True, "OPTIONS": usual | {"options": ""}}
    options = kept | {"options": NO_TIMEOUTS} | direct.get("OPTIONS", {})
    return through, direct | {"CONN_MAX_AGE": 0, "OPTIONS": options}
