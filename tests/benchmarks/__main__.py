"""`make bench`, or `python -m tests.benchmarks`. With names of parts, such as `pooler`, only these are measured."""

import os
import sys

import django
from django.conf import settings

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
django.setup()

# They import models, which want the settings first.
from tests.benchmarks import observing, pages, pooler, scaling, token, uses  # noqa: E402

PARTS = {"token": token, "pages": pages, "uses": uses, "observing": observing, "scaling": scaling, "pooler": pooler}

settings.STATE_DIR.mkdir(parents=True, exist_ok=True)
for name in sys.argv[1:] or PARTS:
    PARTS[name].main()
