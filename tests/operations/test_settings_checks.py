"""Several hosts in `DATABASE_URL` need a fence, however they are written."""

from pathlib import Path

import pytest
from django.core.checks import registry
from pytest_django.fixtures import Settings

from botpenguin.configuration import database
from botpenguin.operations.settings_checks import check_old_primaries_are_fenced

pytestmark = pytest.mark.matrix

SEVERAL = [
    "postgres://web:x@10.0.0.11,10.0.0.12/panel",
    "postgres://web:x@10.0.0.11:5432,10.0.0.12:5433,10.0.0.13:5434/panel",
    "postgresql://pg-1.example.com,pg-2.example.com/panel",
    "postgres://web:x@pg-1:5432,pg-1:5433/panel?sslmode=verify-full",
    "postgres:///panel?host=10.0.0.11,10.0.0.12",
    "postgres://web:x@pg-1/panel?host=pg-1,pg-2",
    "postgres://pg-1/panel?hostaddr=10.0.0.11,10.0.0.12",
    "postgres:///panel?host=/run/postgresql,/run/other",
    "pgsql://web:x@[2001:db8::1],[2001:db8::2]/panel",
]
ONE = [
    "postgres://web:x@127.0.0.1:5000/panel",
    "postgres://web:a%2Cb@pg-1/panel",
    "postgres://a%2Cb:x@pg-1/panel",
    "postgres://pg-1/a,b",
    "postgres:///panel",
    "postgres:///panel?host=/run/postgresql",
    "postgres://pg-1/panel?hostaddr=10.0.0.11",
    "postgres://web:x@[2001:db8::1]:5432/panel",
    "postgres://pg-1/panel?application_name=a,b",
    "sqlite:////srv/a,b.sqlite3",
]
# Where libpq looks if the URL names no host.
PLACES = [
    {"PGHOST": "10.0.0.11,10.0.0.12"},
    {"PGHOSTADDR": "10.0.0.11,10.0.0.12"},
    {"PGSERVICE": "cluster"},
]


def found(settings: Settings, url: str) -> list[str | None]:
    # Django warns of another value of the setting itself.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.DATABASES, "default", database.configuration({"DATABASE_URL": url}))
        return [message.id for message in check_old_primaries_are_fenced(None)]


@pytest.mark.parametrize("url", SEVERAL)
def test_several_hosts_without_a_fence_are_a_warning(settings: Settings, url: str) -> None:
    assert found(settings, url) == ["botpenguin.W002"]


@pytest.mark.parametrize("url", ONE)
def test_one_host_needs_no_fence(settings: Settings, url: str) -> None:
    assert found(settings, url) == []


@pytest.mark.parametrize("place", PLACES, ids=lambda place: next(iter(place)))
def test_hosts_of_the_environment_count_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: dict[str, str]
) -> None:
    (tmp_path / "services").write_text("[cluster]\nhost=10.0.0.11,10.0.0.12\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    for name, value in place.items():
        monkeypatch.setenv(name, value)

    assert found(settings, "postgres:///panel") == ["botpenguin.W002"]


@pytest.mark.parametrize("url", SEVERAL)
def test_several_hosts_with_a_fence_are_no_warning(settings: Settings, url: str) -> None:
    settings.DATABASE_FENCED = True

    assert found(settings, url) == []


def test_only_a_check_for_deployment_warns() -> None:
    assert check_old_primaries_are_fenced in registry.registry.deployment_checks
    assert check_old_primaries_are_fenced not in registry.registry.registered_checks
