"""The image of deploy/Dockerfile, run with no more rights than it needs."""

import json
from collections.abc import Iterator

import pytest

from tests.cast import PASSWORD
from tests.deploy.containers.conftest import owned_by_the_image
from tests.deploy.containers.podman import Podman
from tests.resilience.load import PEOPLE, Person, Program
from tests.server import write_secrets

pytestmark = pytest.mark.deployment

NAME, PORT = "alone", 8000
RIGHTS = ("--init", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=256")
STOPPED = 0


@pytest.fixture(scope="module")
def container(podman: Podman, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    secrets = tmp_path_factory.mktemp("secrets") / "env"
    write_secrets(secrets)
    owned_by_the_image(secrets)
    podman.run(
        *("run", "--detach", "--name", NAME, "--network=host", *RIGHTS, "--memory=1280m", "--tmpfs=/tmp"),
        *(f"--volume={secrets}:/run/secrets/botpenguin_env:ro", "--volume=botpenguin-state:/var/lib/botpenguin"),
        image,
    )
    podman.wait_until_healthy(NAME)
    made = PEOPLE.format(count=1, password=PASSWORD)
    podman.run("exec", NAME, "python", "manage.py", "shell", "--command", made)
    yield NAME
    podman.run("rm", "--force", "--volumes", NAME)


def test_it_runs_without_root_capabilities_and_new_privileges(podman: Podman, container: str) -> None:
    status = podman.run("exec", container, "cat", "/proc/self/status")

    found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert found["Uid"].split() == ["10001"] * 4
    assert {int(found[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert found["NoNewPrivs"] == "1"


def test_it_can_write_its_state_and_temporary_files_only(podman: Podman, container: str) -> None:
    places = ("/", "/opt/botpenguin", "/opt/venv", "/etc", "/run", "/tmp", "/var/lib/botpenguin")  # noqa: S108
    attempt = f"import json, os; print(json.dumps([place for place in {places} if os.access(place, os.W_OK)]))"

    written = podman.run("exec", container, "python", "-c", attempt)

    assert json.loads(written) == ["/tmp", "/var/lib/botpenguin"]  # noqa: S108


def test_it_holds_the_application_and_nothing_else_of_the_repository(podman: Podman, container: str) -> None:
    listed = podman.run("exec", container, "ls", "--almost-all", "/opt/botpenguin")

    assert listed.split() == ["accounts", "botpenguin", "developers", "locale", "manage.py", "static", "templates"]


def test_a_person_logs_in_copies_and_revokes_and_the_old_token_is_refused(podman: Podman, container: str) -> None:
    with podman.sandbox.network():
        alice, program = Person(f"http://localhost:{PORT}"), Program(PORT)
        old = alice.copy()
        before = program.send(old)

        revoked = alice.revoke()

        after = program.send(old)
        fresh = program.send(alice.copy())
    assert (before.status, revoked.status_code, after.status, fresh.status) == (200, 200, 401, 200)


def test_it_stops_by_itself_and_keeps_its_state(podman: Podman, container: str) -> None:
    with podman.sandbox.network():
        token = Person(f"http://localhost:{PORT}").copy()

    podman.run("stop", "--time", "75", container)

    status = podman.inspect(container, "State.ExitCode")
    podman.run("start", container)
    podman.wait_until_healthy(container)
    with podman.sandbox.network():
        again = Program(PORT).send(token)
    # A container that does not stop in time is killed, which is status 137.
    assert (int(status), again.status) == (STOPPED, 200)
