"""Scripts with hashed names import scripts with hashed names."""

import re
from pathlib import Path

import pytest
from django.conf import settings as project
from django.contrib.staticfiles.finders import get_finder
from pytest_django import Settings

from botpenguin.http import static_files
from tests import prepared
from tests.server import ROOT


@pytest.fixture
def collected() -> Path:
    """The folder of the static files, as `make run` leaves it."""
    found = prepared.state()
    assert found
    return found / "static"


def test_scripts_import_each_other_by_hashed_names_that_exist(collected: Path) -> None:
    scripts = list((collected / "js").glob("*.js"))
    imports = [(script, name) for script in scripts for name in re.findall(r'from "\./(.+?)"', script.read_text())]

    assert {script.name.partition(".")[0] for script, _ in imports} >= {"token", "try-it"}
    assert [name for _, name in imports if not re.fullmatch(r"[\w-]+\.[0-9a-f]{12}\.js", name)] == []
    assert [name for script, name in imports if not (script.parent / name).is_file()] == []


def test_every_import_is_written_so_that_it_is_found() -> None:
    """Another form of import would keep its bare name, which is not served."""
    scripts = (ROOT / "static/js").glob("*.js")
    statements = [
        line
        for script in scripts
        for line in script.read_text().splitlines()
        if re.match("import|export .* from", line)
    ]

    assert statements
    assert [line for line in statements if not re.search(r' from "\./[\w-]+\.js";$', line)] == []


def test_static_files_are_collected_when_one_has_changed_and_only_then(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "page.css"
    source.write_text("a { color: red }")
    settings.STATICFILES_DIRS = [tmp_path]
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = project.STORAGES | {
        "staticfiles": {"BACKEND": "botpenguin.http.static_files.StaticFilesStorage"}
    }
    ignored = ["django_htmx", "admin", "static"]
    get_finder.cache_clear()  # type: ignore[attr-defined]  # the stubs do not know that it is cached

    static_files.collect(ignored)
    (first,) = settings.STATIC_ROOT.glob("page.*.css")
    first.unlink()
    static_files.collect(ignored)
    after_no_change = list(settings.STATIC_ROOT.glob("page.*.css"))
    source.write_text("a { color: rebeccapurple }")
    static_files.collect(ignored)
    after_a_change = list(settings.STATIC_ROOT.glob("page.*.css"))

    get_finder.cache_clear()  # type: ignore[attr-defined]  # the stubs do not know that it is cached
    assert (after_no_change, len(after_a_change)) == ([], 1)
    assert after_a_change != [first]
