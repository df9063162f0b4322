"""Set the timeouts of the database for the role of `DATABASE_URL`, where a pooler takes none from a connection."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

from botpenguin.configuration.poolers import TIMEOUTS

# Connections that a pooler keeps open have the timeouts with which they began.
END_IDLE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE usename = session_user AND datname = current_database() AND state = 'idle' AND pid <> pg_backend_pid()
"""


class Command(BaseCommand):
    help = (
        "Set the timeouts of waiting for a lock, of a statement and of an idle transaction for the role of "
        "DATABASE_URL in PostgreSQL, and end its idle connections, which have those of before. For a pooler only."
    )
    # A check asks for this command.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DIRECT_DATABASE:
            raise CommandError("DATABASE_DIRECT_URL is not set. Without a pooler each connection sets its timeouts.")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT session_user")
            role = cursor.fetchone()[0]
            for name, value in TIMEOUTS.items():
                # The second for this very connection, which the pooler keeps.
                cursor.execute(f"ALTER ROLE SESSION_USER SET {name} = '{value}'; SET {name} = '{value}'")
            cursor.execute(END_IDLE)
            ended = cursor.fetchone()[0]
        for name, value in TIMEOUTS.items():
            self.stdout.write(f"{role}: {name} = {value}")
        self.stdout.write(
            f"{ended} idle connections were ended. Those that are busy now keep their timeouts until the pooler "
            "replaces them, as RECONNECT at its console does."
        )
