"""Static files as they are served."""

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Gives the project's scripts the hashed names of what they import; else browsers would keep an old one for good.

    Django's own `support_js_module_import_aggregation` reads every library's scripts too, and
    stumbles over what it takes for imports in their comments.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        ("js/*.js", ((r'(?P<matched>from "(?P<url>\./[^"]+)")', 'from "%(url)s"'),)),
    )


def collect(ignored: Sequence[str]) -> None:
    """Collect the static files, if any has changed since the last time.

    To hash and compress them all takes seconds, and a start has not got them.
    """
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    state = _state(ignored)
    if stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=[*ignored])
    stamp.write_text(state)


def _state(ignored: Sequence[str]) -> str:
    """Return a digest of what is collected: each file's path, time and size, and how it is done."""
    digest = hashlib.sha256(f"{version('whitenoise')} {settings.STORAGES['staticfiles']} {ignored}".encode())
    for finder in get_finders():
        for path, storage in finder.list([*ignored]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
