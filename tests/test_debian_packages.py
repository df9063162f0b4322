"""scripts/debian-packages starts no service of a package, and leaves nothing of its own behind. Needs root."""

import subprocess
from pathlib import Path

import pytest

from tests.server import ROOT

pytestmark = [pytest.mark.deployment, pytest.mark.matrix]

SCRIPT = ROOT / "scripts" / "debian-packages"
POLICY = Path("/usr/sbin/policy-rc.d")
# A machine that lacks the package, and an apt that says whether services would start.
MISSING = "#!/bin/sh\nexit 1\n"
APT = f"#!/bin/sh\n[ $1 = update ] && exit\n{POLICY} >> {{seen}} 2>&1; echo $? >> {{seen}}\n{{then}}\n"
# In folders that only this process and its children see.
ALONE = f"mount -t tmpfs none {POLICY.parent} && {{before}}; {{script}} somedaemon; echo $?; cat {POLICY}"


def install(folder: Path, *, before: str = "true", then: str = "exit 0") -> tuple[str, list[str]]:
    """Return what apt has found, and the lines after it: the status, and the policy that is left."""
    seen = folder / "seen"
    for name, text in (("dpkg-query", MISSING), ("apt-get", APT.format(seen=seen, then=then))):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    ran = subprocess.run(
        # A run in the background ignores Ctrl-C, and so would the script.
        ["unshare", "--mount", "env", "--default-signal=INT", "sh", "-c", ALONE.format(before=before, script=SCRIPT)],
        env={"PATH": f"{folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    return seen.read_text(), ran.stdout.splitlines()


def test_no_service_starts_while_packages_are_installed_and_later_ones_may(tmp_path: Path) -> None:
    assert install(tmp_path) == ("101\n", ["Installing somedaemon", "0"])


@pytest.mark.parametrize("then", ["exit 100", "kill -TERM $PPID; exit 0", "kill -INT $PPID; exit 0"])
def test_services_may_start_again_after_an_installation_that_failed(tmp_path: Path, then: str) -> None:
    seen, (_, status, *left) = install(tmp_path, then=then)

    assert (seen, left) == ("101\n", [])
    assert status != "0"


def test_a_policy_of_the_machine_stays_as_it_is(tmp_path: Path) -> None:
    own = f"printf '#!/bin/sh\\nexit 104\\n' > {POLICY}; chmod 755 {POLICY}"

    assert install(tmp_path, before=own) == ("104\n", ["Installing somedaemon", "0", "#!/bin/sh", "exit 104"])
