"""Static files as they are served."""

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
