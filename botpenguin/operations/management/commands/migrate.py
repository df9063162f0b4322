"""Django's command, on PostgreSQL itself where `DATABASE_URL` names a pooler."""

from typing import Any

from django.core.management.commands import migrate

from botpenguin.database import direct


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with direct.as_default():
            super().handle(*args, **options)
