"""System checks of keys, durability and isolation: a revoke must hold at once, and tokens must be readable."""

from collections.abc import Iterator, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from accounts import keyring
from accounts.mfa import factors
from developers.models import ApiToken
from developers.outbound.call_drafts import CallDraft
from developers.outbound.models import OutboundApi
from developers.outbound.transport.addresses import allowed_networks

# For each vendor a query, and the results that are right.
Queries = dict[str, tuple[str, set[int | str]]]
# A commit must be answered only when it is on disk.
DURABILITY: Queries = {
    "sqlite": ("PRAGMA synchronous", {2, 3}),
    "postgresql": ("SHOW synchronous_commit", {"on", "remote_apply"}),
}
# A statement must see all that was committed before it, and nothing else.
ISOLATION: Queries = {
    "sqlite": ("PRAGMA read_uncommitted", {0}),
    "postgresql": ("SHOW default_transaction_isolation", {"read committed"}),
}
# Any character must be stored, and read back as itself. SQL_ASCII checks nothing, and LATIN1 knows few.
ENCODING: Queries = {
    "sqlite": ("PRAGMA encoding", {"UTF-8", "UTF-16le", "UTF-16be"}),
    "postgresql": ("SELECT getdatabaseencoding() || ' ' || pg_client_encoding()", {"UTF8 UTF8"}),
}
LOST_TOKENS = "{} tokens in the database {} are under a key that TOKEN_KEYS does not hold: they would be refused."
LOST_CALLS = (
    "{} outbound APIs in the database {} are sealed under a key that TOKEN_KEYS does not hold: none can be sent."
)
LOST_DRAFTS = (
    "{} drafts of outbound calls in the database {} are sealed under a key that TOKEN_KEYS does not hold: what was "
    "typed would be lost."
)
LOST_FACTORS = (
    "{} authenticator apps and sets of recovery codes in the database {} are sealed under a key that TOKEN_KEYS does "
    "not hold: no code of theirs would let anybody in."
)


@register(Tags.security)
def check_token_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        ring = keyring.ring()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="developers.E001")]
    if len({key.id for key in ring}) < len(ring):
        return [Error("TOKEN_KEYS holds one key twice. Remove one of them.", id="developers.E002")]
    return []


@register(Tags.security)
def check_reads_see_every_revoke(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    problems = []
    if database.get("ATOMIC_REQUESTS"):
        problems.append("ATOMIC_REQUESTS is on: a bearer check could read a snapshot from before a revoke.")
    if not database.get("AUTOCOMMIT", True):
        problems.append("AUTOCOMMIT is off: a bearer check could read a snapshot from before a revoke.")
    if database.get("OPTIONS", {}).get("isolation_level") is not None:
        problems.append("isolation_level is set: bearer checks are promised under READ COMMITTED.")
    if settings.DATABASE_ROUTERS:
        problems.append("DATABASE_ROUTERS is set: bearer checks must read the primary.")
    return [Error(problem, hint="Restore the default of this setting.", id="developers.E003") for problem in problems]


@register(Tags.database)
def check_revokes_are_durable(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An answered revoke must survive a crash, so a commit must wait for the disk."""
    return [
        Error(
            f"The database {alias} answers a commit before it is on disk: a revoke could be forgotten.",
            hint="Use PRAGMA synchronous=FULL on SQLite, synchronous_commit=on on PostgreSQL.",
            id="developers.E004",
        )
        for alias in _with_other_values(DURABILITY, databases or [])
    ]


@register(Tags.database)
def check_reads_see_what_is_committed(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The isolation level also depends on the database, its role and the `options` of a connection."""
    return [
        Error(
            f"The database {alias} does not read under READ COMMITTED: a bearer check could miss a revoke.",
            hint="Use default_transaction_isolation='read committed' on PostgreSQL, for the role and the database too.",
            id="developers.E003",
        )
        for alias in _with_other_values(ISOLATION, databases or [])
    ]


@register(Tags.database)
def check_every_character_is_stored(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """The encoding of PostgreSQL's client also depends on the `options` of a connection."""
    return [
        Error(
            f"The database {alias} or its connection is not in UTF8: an emoji would be an error or be lost.",
            hint="Use `createdb --encoding=UTF8 --template=template0`, and no client_encoding in options.",
            id="developers.E008",
        )
        for alias in _with_other_values(ENCODING, databases or [])
    ]


def _with_other_values(queries: Queries, databases: Sequence[str]) -> Iterator[str]:
    for alias in databases:
        query, expected = queries[connections[alias].vendor]
        with connections[alias].cursor() as cursor:
            cursor.execute(query)
            if cursor.fetchone()[0] not in expected:
                yield alias


@register(Tags.database)
def check_ring_fits_database(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """If the ring lacks keys of the database, its tokens and codes would be refused."""
    try:
        key_ids = [key.id for key in keyring.ring()]
    except ImproperlyConfigured:
        return []  # check_token_keys reports it
    return [
        Error(
            problem.format(count, alias),
            hint="Put back the TOKEN_KEYS that this database was used with. New keys do not help.",
            id="developers.E005",
        )
        for alias in databases or []
        for count, problem in _under_other_keys(alias, key_ids)
        if count
    ]


def _under_other_keys(alias: str, key_ids: Sequence[str]) -> Iterator[tuple[int, str]]:
    tables = connections[alias].introspection.table_names()
    if ApiToken._meta.db_table in tables:
        yield ApiToken.objects.using(alias).exclude(key_id__in=key_ids).count(), LOST_TOKENS
    if Authenticator._meta.db_table in tables:
        yield factors.count_unreadable(alias), LOST_FACTORS
    if OutboundApi._meta.db_table in tables:
        yield OutboundApi.every.using(alias).exclude(key_id__in=key_ids).count(), LOST_CALLS
    if CallDraft._meta.db_table in tables:
        yield CallDraft.objects.using(alias).exclude(key_id__in=["", *key_ids]).count(), LOST_DRAFTS


@register(Tags.security)
def check_allowed_networks(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        allowed_networks()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="developers.E006")]
    return []


@register(Tags.security)
def check_events_are_kept(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.EVENTS_KEPT_DAYS < 1:
        hint = "People look up there what happened to their account: 400 days are usual."
        return [Error("EVENTS_KEPT_DAYS wants at least 1 day.", hint=hint, id="developers.E007")]
    return []
