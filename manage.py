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
    try:
        # Other settings bring secrets of their own.
        if os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS) == SETTINGS and (
            written := bootstrap.ensure_secrets()
        ):
            print(f"Wrote fresh secrets to {written}. Keep it as safe as the database.", file=sys.stderr)
        # Django keeps what is wrong with the settings to itself until a command fails for want of them.
        _ = settings.INSTALLED_APPS
        execute_from_command_line(sys.argv)
    except (bootstrap.SecretsMissing, ImproperlyConfigured) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
