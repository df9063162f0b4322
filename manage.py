#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from botpenguin import bootstrap

SETTINGS = "botpenguin.settings"


def main() -> None:
    # What commands write holds data: mails, the database, backups.
    os.umask(0o077)
    try:
        # Other settings have their own secrets.
        if os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS) == SETTINGS and (
            written := bootstrap.ensure_secrets()
        ):
            print(f"Wrote fresh secrets to {written}. Keep it as safe as the database.", file=sys.stderr)
        # Load the settings now: Django would show an error in them only when a command needs them.
        _ = settings.INSTALLED_APPS
        execute_from_command_line(sys.argv)
    except (bootstrap.SecretsMissing, ImproperlyConfigured) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
