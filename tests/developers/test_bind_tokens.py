"""The migration that binds existing tokens to their rows, forwards and backwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Browser

from developers import tokens, vault
from developers.models import ApiToken
from developers.tokens import Secret

BEFORE = [("developers", "0006_restored_reason")]
COLUMN_ADDED = [("developers", "0007_binding")]
PEOPLE = ("alice", "bob", "carol", "dave")


def migrate(targets: list[tuple[str, str]] | None = None) -> Any:
    """Migrate to these migrations, or to the latest, and return the models of that state."""
    executor = MigrationExecutor(connection)
    return executor.migrate(targets or executor.loader.graph.leaf_nodes()).apps


@pytest.fixture
def apps_of_before(transactional_db: None) -> Iterator[Any]:
    yield migrate(BEFORE)
    migrate()


def issue(apps: Any, name: str, secret: Secret) -> Any:
    """Make a person with a token that has no binding."""
    person = apps.get_model("accounts", "User").objects.create(email=f"{name}@example.com", password="!")
    sealed = vault.seal(person.pk, 1, secret)
    return apps.get_model("developers", "ApiToken").objects.create(
        user=person, digest=sealed.digest, ciphertext=sealed.ciphertext, key_id=sealed.key_id, hint=secret.hint
    )


def status_of(secret: Secret) -> int:
    return Browser().get("/api/v7/token", headers={"Authorization": f"Bearer {secret.open()}"}).status_code


def test_tokens_of_before_are_good_and_those_that_were_moved_are_not(apps_of_before: Any) -> None:
    secrets = {name: tokens.generate() for name in PEOPLE}
    rows = {name: issue(apps_of_before, name, secret) for name, secret in secrets.items()}
    moved = type(rows["alice"]).objects.filter(pk=rows["bob"].pk)
    moved.update(ciphertext=rows["alice"].ciphertext)
    type(rows["alice"]).objects.filter(pk=rows["carol"].pk).update(key_id="0badc0de")
    # As after an interrupted run.
    migrate(COLUMN_ADDED)
    ApiToken.objects.filter(pk=rows["dave"].pk).update(binding=vault.binding(rows["dave"].pk, 1, sealed(rows["dave"])))

    migrate()

    assert {name: status_of(secret) for name, secret in secrets.items()} == {
        "alice": 200,
        "bob": 401,
        "carol": 401,
        "dave": 200,
    }
    assert list(ApiToken.objects.filter(binding=None).order_by("pk").values_list("pk", flat=True)) == [
        rows["bob"].pk,
        rows["carol"].pk,
    ]
    backwards = migrate(BEFORE).get_model("developers", "ApiToken")
    assert [bytes(row.digest) for row in backwards.objects.order_by("pk")] == [row.digest for row in rows.values()]


def sealed(row: Any) -> vault.Sealed:
    return vault.Sealed(bytes(row.digest), row.ciphertext, row.key_id, binding=None)
