"""System checks of settings around the apps: proxies, a shared cache, private metrics, keys over https, a fence."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured

from accounts.web.clients import trusted_proxies
from developers.scanning.public_keys import is_safe

KEEPS_NO_PICKLE = (
    "accounts.throttling.cache.DatabaseCache",
    "accounts.throttling.redis.Cache",
    "django.core.cache.backends.redis.RedisCache",
)
SHARES_NOTHING = ("django.core.cache.backends.locmem.LocMemCache", "django.core.cache.backends.dummy.DummyCache")
SEVERAL = 2
FENCE = (
    "Connect through haproxy as in docs/failover.md, or end all connections to an old primary in another way before a "
    "new one is chosen. Then set DATABASE_FENCED=on."
)
NOT_PUBLIC = "Metrics are for Prometheus alone. Listen on 127.0.0.1, or on an address of a network that only it is in."


@register(Tags.security)
def check_metrics_are_not_public(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a public address, and warn about 0.0.0.0, which only a container needs."""
    if not settings.METRICS_PORT:
        return []
    try:
        address = ip_address(settings.METRICS_HOST)
    except ValueError:
        return []  # a host name, which this check does not resolve
    if address.is_global:
        return [Error("METRICS_HOST is a public address.", hint=NOT_PUBLIC, id="botpenguin.E001")]
    if address.is_unspecified:
        return [Caution("METRICS_HOST is every address of this machine.", hint=NOT_PUBLIC, id="botpenguin.W001")]
    return []


@register(Tags.security)
def check_trusted_proxies(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Without this check, workers would fail only after the server has announced its start."""
    try:
        trusted_proxies()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="botpenguin.E002")]
    return []


@register(Tags.security)
def check_limits_are_shared(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Other caches are not shared by processes, or store pickles."""
    backend = settings.CACHES["default"]["BACKEND"]
    if backend in KEEPS_NO_PICKLE:
        return []
    problem = "that processes do not share" if backend in SHARES_NOTHING else "whose values are pickles"
    hint = "Leave it out, or name Redis or Valkey, such as redis://host:6379/0."
    return [Error(f"CACHE_URL names a cache {problem}.", hint=hint, id="botpenguin.E003")]


@register(Tags.security)
def check_keys_come_over_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Somebody on the way could put a key of their own into the list."""
    if not settings.GITHUB_KEYS_URL or is_safe(settings.GITHUB_KEYS_URL):
        return []
    hint = "GitHub's is https://api.github.com/meta/public_keys/secret_scanning. Leave it out to turn its reports off."
    return [Error("GITHUB_KEYS_URL is no https address.", hint=hint, id="botpenguin.E004")]


@register(Tags.security, deploy=True)
def check_old_primaries_are_fenced(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A node stays connected to an old primary that still answers, and accepts tokens that the new one has revoked."""
    if settings.DATABASE_FENCED or len(_hosts(settings.DATABASES["default"])) < SEVERAL:
        return []
    problem = "DATABASE_URL names several hosts: after a failover a node could go on reading the old primary."
    return [Caution(problem, hint=FENCE, id="botpenguin.W002")]


def _hosts(database: Mapping[str, Any]) -> list[str]:
    """Return the hosts that libpq would try: of the URL, its query, or the environment and the service file."""
    if not database["ENGINE"].endswith("postgresql"):
        return []
    # Imported on PostgreSQL only: the import takes a tenth of a second.
    from psycopg.pq import Conninfo  # noqa: PLC0415

    defaults = {option.keyword.decode(): (option.val or b"").decode() for option in Conninfo.get_defaults()}
    given = defaults | {"host": database.get("HOST") or defaults["host"]} | database.get("OPTIONS", {})
    # An address of its own for each host, so either list has all of them.
    return max((str(given[name]).split(",") for name in ("host", "hostaddr")), key=len)
