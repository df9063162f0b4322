"""After a test that commits, Django empties all tables and creates content types and permissions again.

That takes 20 times as long as to empty the others. No code of the project changes these two tables.
"""

from typing import Any

from django.core.management.color import Style
from django.core.management.commands import flush

KEPT = {"auth_permission", "django_content_type"}


def keep_what_migrations_create() -> None:
    flush.sql_flush = _sql_flush  # type: ignore[attr-defined]  # the stubs leave both out
    flush.emit_post_migrate_signal = lambda *args, **kwargs: None  # type: ignore[attr-defined]


def _sql_flush(style: Style, connection: Any, **options: Any) -> list[str]:
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    flushed: list[str] = connection.ops.sql_flush(style, sorted(set(tables) - KEPT), **options)
    return flushed
