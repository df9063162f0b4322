"""Re-encrypt tokens, second factors, outbound calls, drafts and webhooks under the first key, during service."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from django.db.models import Q

from accounts import keyring
from accounts.mfa import factors
from developers import issuance
from developers.models import ApiToken
from developers.outbound import resealing


class Command(BaseCommand):
    help = (
        "Seal tokens, second factors, outbound calls, their drafts and webhooks anew under the first key of "
        'TOKEN_KEYS. None changes. It may be interrupted and run again; once it prints "0 rows left", the old keys can '
        "be taken out of TOKEN_KEYS."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=500, metavar="ROWS", help="rows read at once (500)")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        try:
            self._move_all(batch)
        except OperationalError as error:
            raise CommandError(
                f"The database could not be used: {error}. What was moved stays so; run this again for the rest."
            ) from error

    def _move_all(self, batch: int) -> None:
        first = keyring.ring()[0].id
        # Includes tokens that are not bound yet, for example because their key was missing from the ring.
        remaining = ApiToken.objects.filter(~Q(key_id=first) | Q(binding=None)).order_by("pk")
        resealed, last = 0, 0
        # By key, not by offset: rows leave the selection while it is read.
        while rows := list(remaining.filter(pk__gt=last)[:batch]):
            resealed += sum(issuance.reseal(row) for row in rows)
            last = rows[-1].pk
            self.stdout.write(f"{resealed} rows moved to key {first}.")
        moved, unreadable = factors.reencrypt_all()
        self.stdout.write(f"{moved} secrets of second factors moved to the first key.")
        calls, unreadable_calls = resealing.reseal_all()
        self.stdout.write(f"{calls} outbound calls, drafts and webhooks moved to the first key.")
        left = remaining.count() + unreadable + unreadable_calls
        self.stdout.write(f"{left} rows left.")
        if left:
            self.stdout.write(
                "They cannot be read under any key of TOKEN_KEYS, or were made by a process that still has another key "
                "first. Give all processes the same TOKEN_KEYS and run this again; what is left then is lost: such a "
                "token can only be revoked, such a factor or outbound call only be set up anew."
            )
