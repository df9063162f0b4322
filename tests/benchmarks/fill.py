"""`python -m tests.benchmarks.fill ROWS SAMPLED` fills a new database with tokens, and prints the valid ones.

The database copies one row, with random digests and with ciphertexts of the usual length. The sampled tokens are
issued by the product's own code.
"""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the set-up above
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.web.clients import Client  # noqa: E402
from developers import issuance, usage  # noqa: E402
from developers.models import ApiToken  # noqa: E402
from tests.cast import token_text  # noqa: E402

FIRST = 1_000_000
DIGEST = {"sqlite": "randomblob(32)", "postgresql": "sha256(CAST(CAST(i AS text) AS bytea))"}


def multiply(model: type[Model], template: int, rows: int, **changed: str) -> None:
    """Copy one row so many times, with expressions over the number `i` in place of some columns."""
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = ", ".join(changed.get(name, f"t.{name}") for name in columns)
    key = str(model._meta.pk.column)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - names of our own models
            " WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < %s)"
            f" SELECT {values} FROM numbers, {table} t WHERE t.{key} = %s",
            [rows, template],
        )


def main() -> None:
    rows, sampled = map(int, sys.argv[1:])
    call_command("migrate", verbosity=0)
    if connection.vendor == "postgresql":
        # A million rows take longer than a request may.
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
    client = Client("127.0.0.1", "benchmark")
    with transaction.atomic():
        people = [User.objects.create_user(f"person{number}@example.com") for number in range(sampled)]
        for person in people:
            issuance.issue(person, client)
            usage.record_use(person.pk, 1, client)
        template = people[0].pk
        multiply(User, template, rows - sampled, id=f"{FIRST} + i", email="'bulk' || i || '@example.com'")
        multiply(ApiToken, template, rows - sampled, user_id=f"{FIRST} + i", digest=DIGEST[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert ApiToken.objects.count() == rows
    print(*(token_text(person) for person in people), sep="\n")


main()
