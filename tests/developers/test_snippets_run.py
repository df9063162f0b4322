"""The commands of Get started in a real Bash, Python and Node.js, against a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path
from stat import S_IMODE

import pytest

from developers.snippets import Language, snippets_in
from tests.server import Server
from tests.test_nodes import token_of_first_account

pytestmark = [pytest.mark.release, pytest.mark.server, pytest.mark.no_cover, pytest.mark.xdist_group("node")]


def run(*command: str | Path, folder: Path, typed: str = "", **environment: str) -> str:
    """Run a program without a terminal, so that it reads what is typed from its input; return what it prints."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        input=typed,
        cwd=folder,
        env={"PATH": path, "HOME": str(folder)} | environment,
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bash_calls_with_the_variable_that_was_read(node: Server, tmp_path: Path) -> None:
    _, variable, call = snippets_in(Language.BASH, node.url)

    printed = run("bash", "-c", f"{variable.text}\n{call.text}", folder=tmp_path, typed=token_of_first_account(node))

    assert json.loads(printed)["data"]["email"] == node.first_account[0]


def test_the_history_of_bash_holds_the_command_and_no_token(node: Server, tmp_path: Path) -> None:
    _, variable, call = snippets_in(Language.BASH, node.url)
    token, history = token_of_first_account(node), tmp_path / "history"

    typed = f"{variable.text}\n{token}\n{call.text}\nexit\n"
    printed = run("bash", "--norc", "--noprofile", "-i", folder=tmp_path, typed=typed, HISTFILE=str(history))

    assert f'"hint": "{token[-4:]}"' in printed or f'"hint":"{token[-4:]}"' in printed
    assert variable.text in history.read_text().splitlines()
    assert token not in history.read_text() + printed


def test_python_calls_with_the_variable_that_was_read(node: Server, tmp_path: Path) -> None:
    _, variable, call = snippets_in(Language.PYTHON, node.url)

    command = f"{variable.text}\n{call.text}"
    printed = run(sys.executable, "-c", command, folder=tmp_path, typed=token_of_first_account(node))

    assert json.loads(printed.removeprefix("Token: "))["data"]["email"] == node.first_account[0]


@pytest.mark.parametrize("before", ["", "OTHER=1", "OTHER=1\n"])
def test_node_calls_with_the_variable_of_a_file_that_others_cannot_read(
    node: Server, tmp_path: Path, before: str
) -> None:
    _, variable, call = snippets_in(Language.JAVASCRIPT, node.url)
    file, ignored = tmp_path / ".env", tmp_path / ".gitignore"
    for path in (file, ignored):
        path.write_text(before)
    file.chmod(0o644)

    run("bash", "-c", variable.text, folder=tmp_path)
    file.write_text(file.read_text().replace("TOKEN=\n", f"TOKEN={token_of_first_account(node)}\n"))
    (tmp_path / "call.mjs").write_text(f"{call.text}\nconsole.error(process.env.OTHER)")
    printed = run("node", "--env-file=.env", "call.mjs", folder=tmp_path, NO_COLOR="1")

    assert f"email: '{node.first_account[0]}'" in printed
    assert S_IMODE(file.stat().st_mode) == 0o600
    assert {*before.split(), ".env"} == {*ignored.read_text().split()}
    assert file.read_text().startswith(before)
