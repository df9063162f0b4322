"""Static files: names with hashes, and content negotiation."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from os import stat_result
from pathlib import Path
from typing import Any, Never
from wsgiref.headers import Headers

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import Response, StaticFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

from botpenguin.http.encodings import IDENTITY, accepted

# Files that are not served: the manifest, and the stamp of `collect`.
HIDDEN = re.compile(rf"/\.|/{re.escape(CompressedManifestStaticFilesStorage.manifest_name)}$")


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """Writes hashed names into the imports of scripts. Without that, browsers would keep old modules forever.

    Django's own `support_js_module_import_aggregation` also reads the scripts of libraries, and
    fails on comments there that look like imports.
    """

    patterns = (
        *CompressedManifestStaticFilesStorage.patterns,
        (
            "js/*.js",
            (
                (r'(?P<matched>from "(?P<url>\./[^"]+)")', 'from "%(url)s"'),
                (r'(?P<matched>import\("(?P<url>\./[^"]+)"\))', 'import("%(url)s")'),
            ),
        ),
    )


class Representation(StaticFile):
    """A static file in one content coding, under an ETag of its own (RFC 9110, section 8.8.3)."""

    def is_not_modified(self, request_headers: Mapping[str, str]) -> bool:
        """Compare as section 13.1.2 of the RFC says. WhiteNoise handles neither lists nor weak ETags."""
        if asked := request_headers.get("HTTP_IF_NONE_MATCH"):
            return not {"*", self.etag}.isdisjoint(etag.removeprefix("W/") for etag in parse_etags(asked))
        return bool(super().is_not_modified(request_headers))  # type: ignore[no-untyped-call]

    @staticmethod
    def parse_byte_range(range_header: str) -> Never:
        """Ignore ranges: WhiteNoise does not read `If-Range`, so a client could join pieces of two codings."""
        raise ValueError


class NegotiatedFile:
    """A static file in all of its codings. The headers of a request choose one."""

    def __init__(self, file: StaticFile) -> None:
        self.representations: dict[str, Representation] = {}
        for _, path, items in file.alternatives:
            headers = Headers(list(items))
            coding = headers.get("Content-Encoding", IDENTITY)
            status = Path(path).stat()
            headers["ETag"] = f'"{status.st_mtime_ns:x}-{status.st_size:x}-{coding}"'
            self.representations[coding] = Representation(path, headers.items())  # type: ignore[no-untyped-call]

    def get_response(self, method: str, request_headers: Mapping[str, Any]) -> Response:
        codings = [*accepted(request_headers.get("HTTP_ACCEPT_ENCODING", "")), IDENTITY]
        chosen: Any = next(self.representations[coding] for coding in codings if coding in self.representations)
        response: Response = chosen.get_response(method, request_headers)
        return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Serves each file in a coding that the client accepts, except hidden files."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:  # type: ignore[override]  # WhiteNoise does so too
        answer = self.get_response if HIDDEN.search(request.path_info) else super().__call__
        response: HttpResponseBase = answer(request)
        return response

    def get_static_file(
        self, path: str, url: str, stat_cache: Mapping[str, stat_result] | None = None
    ) -> NegotiatedFile:
        return NegotiatedFile(super().get_static_file(path, url, stat_cache=stat_cache))  # type: ignore[no-untyped-call]


def collect(ignored: Sequence[str]) -> None:
    """Collect the static files if any has changed since the last time.

    Hashing and compressing all of them takes seconds, too long for every start.
    """
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    state = _state(ignored)
    if stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=[*ignored])
    stamp.write_text(state)


def _state(ignored: Sequence[str]) -> str:
    """Return a digest of the files' paths, times and sizes, and of the way they are collected."""
    digest = hashlib.sha256(f"{version('whitenoise')} {settings.STORAGES['staticfiles']} {ignored}".encode())
    for finder in get_finders():
        for path, storage in finder.list([*ignored]):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_mtime_ns} {status.st_size}\n".encode())
    return digest.hexdigest()
