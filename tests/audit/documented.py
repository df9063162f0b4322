"""A running server whose OpenAPI document the programs of others read."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.platform.calls import BASE
from tests.server import ROOT, Server, ask

PACKAGES = ROOT / ".venv/npm/node_modules"
NODE = (sys.executable, str(Path(sys.executable).with_name("node")))
CLIENTS = Path(__file__).parent / "clients"
# An account with an API that reads the document of the server itself.
ACCOUNT = """
from accounts.web.clients import Client
from accounts.models import User
from developers import issuance
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe
from tests.cast import token_text

user = User.objects.create_user({email!r})
issuance.issue(user, Client("127.0.0.1", "tests"))
mappings = (AttributeMapping("info.version", "version"),)
api = OutboundApi.objects.make(user, "Document", Recipe("GET", {url!r}, mappings=mappings))
print(token_text(user), api.pk)
"""


@dataclass(frozen=True)
class Documented:
    """The document in the file `document` is what the server publishes, with the address that people open."""

    server: Server
    document: Path

    @classmethod
    def of(cls, server: Server) -> "Documented":
        document = server.folder / "openapi.json"
        document.write_bytes(ask(f"{server.url}{BASE}/openapi.json").content)
        return cls(server, document)

    def account(self, email: str) -> dict[str, str]:
        """Return the environment of a program that has the token of a new account."""
        url = f"http://127.0.0.1:{self.server.port}{BASE}/openapi.json"
        made = self.server.manage("shell", "--no-imports", "--command", ACCOUNT.format(email=email, url=url))
        assert made.returncode == 0, made.stderr
        token, api = made.stdout.split()
        return {"BASE_URL": self.server.url + BASE, "TOKEN": token, "API_ID": api}


def run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program that sends nothing of its own, in the folder."""
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | quiet | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
