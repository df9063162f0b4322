"""A small catalogue in Spanish, for tests of what is translated."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from pytest_django.fixtures import Settings

Messages = dict[str | tuple[str, str], str | tuple[str, ...]]
LANGUAGES = [("en", "English"), ("es", "Español"), ("pt-br", "Português (Brasil)")]


def speak_spanish(settings: Settings, folder: Path, messages: Messages) -> None:
    """Let the program speak Spanish with these messages alone."""
    catalog = Catalog(locale="es")
    for english, spanish in messages.items():
        catalog.add(english, spanish)
    compiled = folder / "es" / "LC_MESSAGES" / "django.mo"
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, catalog)
    settings.LOCALE_PATHS = [folder]
    settings.LANGUAGES = LANGUAGES
