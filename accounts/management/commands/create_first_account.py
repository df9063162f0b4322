import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from accounts.models import User


class Command(BaseCommand):
    help = "Create the first account, and print its random password once. Does nothing where there is an account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default="owner@example.com", help="its email address (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        password = secrets.token_urlsafe(15)
        try:
            if User.objects.exists():
                return
            User.objects.create_superuser(options["email"], password)
        except ValidationError as error:
            raise CommandError(f"{options['email']} is no address for an account: {error.message}") from None
        except IntegrityError:
            # Another process has created it at the same time, and has printed its password.
            return
        self.stdout.write(
            f"The first account: {options['email']} with the password {password}\n"
            "The password is shown only now. Write it down, or change it under My Account."
        )
