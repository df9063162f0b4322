"""Which libraries unpickle is known and named in SECURITY.md, and a server loads only two of them."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import pytest

from tests.server import ROOT, environment, run, write_secrets

UNPICKLING = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
READS = {"load", "loads", "Unpickler", "open", "Shelf", "DbfilenameShelf"}
# What reads pickles, by the word that SECURITY.md has for it.
KNOWN = {
    "cache backends": {
        *("django/core/cache/backends/db.py", "django/core/cache/backends/filebased.py"),
        *("django/core/cache/backends/locmem.py", "django/core/cache/backends/redis.py"),
    },
    "OpenID": {"allauth/socialaccount/providers/openid/utils.py"},
    "anyio": {"anyio/to_process.py", "anyio/to_interpreter.py"},
    # Its own files, which it is installed with.
    "Babel": {"babel/core.py", "babel/localedata.py"},
    "pydantic": {"pydantic/deprecated/parse.py", "pydantic/v1/parse.py"},
    # Only tests use these.
    "": {"django/test/runner.py", "django/test/testcases.py", "regex/tests/test_regex.py"},
}
SHOW_MODULES = """
import sys
import botpenguin.wsgi
from django.core import checks
from django.urls import get_resolver

checks.run_checks()
get_resolver().url_patterns
print(*sys.modules)
"""


def packages() -> list[str]:
    """Return the names of the libraries that a server needs."""
    return re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def modules() -> Iterator[tuple[str, Path]]:
    for package in packages():
        try:
            found = files(package) or []
        except PackageNotFoundError:
            # One that other versions of Python need.
            continue
        yield from ((str(path), Path(str(path.locate()))) for path in found if path.suffix == ".py")


def reads_pickles(source: str) -> bool:
    """Return whether a module imports a function that unpickles, or uses one of an imported module."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                names |= {name.asname or name.name for name in node.names if name.name in UNPICKLING}
            case ast.ImportFrom(module=module) if module in UNPICKLING:
                if READS & {name.name for name in node.names}:
                    return True
    uses = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute) and node.attr in READS)
    return any(isinstance(use.value, ast.Name) and use.value.id in names for use in uses)


@pytest.mark.release
def test_every_library_that_unpickles_is_known_and_named_in_security_md() -> None:
    found = {
        name
        for name, path in modules()
        if re.search("|".join(UNPICKLING), source := path.read_text(errors="replace")) and reads_pickles(source)
    }

    section = (ROOT / "SECURITY.md").read_text().partition("## Stored data runs no code")[2].partition("\n## ")[0]
    assert found == set().union(*KNOWN.values())
    assert [word for word in KNOWN if word not in section] == []


@pytest.mark.release
def test_a_server_loads_no_module_that_unpickles_but_those_of_django_and_babel(tmp_path: Path) -> None:
    write_secrets(tmp_path / ".env")
    env = environment(tmp_path) | {"DJANGO_SETTINGS_MODULE": "botpenguin.settings"}

    shown = run(sys.executable, "-c", SHOW_MODULES, env=env)

    assert shown.returncode == 0, shown.stderr
    loaded = {f"{name.replace('.', '/')}.py" for name in shown.stdout.split()} & set().union(*KNOWN.values())
    assert "django/core/cache/backends/redis.py" in loaded
    assert [name for name in loaded if not name.startswith(("django/", "babel/"))] == []
