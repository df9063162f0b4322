"""`python -m tests.benchmarks.fill_sealed ROWS` fills a new database with tokens that are all real."""

import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the set-up above

from accounts.models import User  # noqa: E402
from developers import tokens, vault  # noqa: E402
from developers.models import ApiToken  # noqa: E402


def main() -> None:
    call_command("migrate", verbosity=0)
    people = [User(email=f"person{number}@example.com", password="!") for number in range(int(sys.argv[1]))]
    User.objects.bulk_create(people, batch_size=1000)
    ApiToken.objects.bulk_create([token_of(person.pk) for person in people], batch_size=1000)


def token_of(owner_id: int) -> ApiToken:
    secret = tokens.generate()
    sealed = vault.seal(owner_id, 1, secret)
    return ApiToken(
        user_id=owner_id,
        digest=sealed.digest,
        ciphertext=sealed.ciphertext,
        key_id=sealed.key_id,
        binding=sealed.binding,
        hint=secret.hint,
    )


main()
