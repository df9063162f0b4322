"""`make bench`, or `python -m tests.benchmarks`."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
django.setup()

from tests.benchmarks import observing, scaling, token, uses  # noqa: E402 - it imports models, which want the settings first

token.main()
uses.main()
observing.main()
scaling.main()
