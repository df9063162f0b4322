"""The tests that need only Python and SQLite, run by the Python of the image."""

from pathlib import Path

import pytest

from tests.deploy.containers.images import copy_tree
from tests.deploy.containers.podman import Podman

pytestmark = pytest.mark.deployment

TREE = "/tree"
# In memory, and in a repository of its own: some tests ask git which files there are.
PREPARE = f"""\
cp -R /source/. {TREE}
git init --quiet
git add --all
git -c user.name=tests -c user.email=tests@localhost commit --quiet --message 'Add everything'
exec make --old-file .venv/dev.stamp BIN=/opt/dev/bin TEST_PROCESSES=2 tests-quick
"""


def test_the_quick_tests_pass_on_the_python_of_the_image(podman: Podman, tests_image: str, tmp_path: Path) -> None:
    copy_tree(tmp_path / "source")

    tested = podman.attempt(
        *("podman", "run", "--rm", "--init", "--network=none", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
        *("--pids-limit=512", "--tmpfs=/tmp:size=2g", f"--tmpfs={TREE}:size=1g,exec", f"--workdir={TREE}"),
        *(f"--volume={tmp_path / 'source'}:/source:ro", tests_image, "sh", "-euc", PREPARE),
    )

    assert tested.returncode == 0, tested.stdout[-20000:] + tested.stderr[-5000:]
    assert " passed" in tested.stdout
