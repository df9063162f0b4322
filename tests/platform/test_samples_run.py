"""The samples of the reference, run by a real shell, Python and Node.js against a real server."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import reference
from botpenguin.platform.api.operations import Operation
from botpenguin.platform.api.samples import VARIABLE, sample
from developers.outbound import curl
from developers.outbound.transport.sending import send
from developers.snippets import Language
from tests.developers.outbound.curl.test_against_curl import seen
from tests.developers.outbound.servers import response, serving
from tests.server import Server

pytestmark = [
    pytest.mark.release,
    pytest.mark.server,
    pytest.mark.no_cover,
    pytest.mark.xdist_group("samples"),
]

# With `-w`, curl prints the status as the other samples do.
COMMANDS = {
    Language.BASH: ["bash", "-c"],
    Language.PYTHON: [sys.executable, "-c"],
    Language.JAVASCRIPT: ["node", "--input-type=module", "-e"],
}
READER = """
from accounts.models import User
from accounts.web.clients import Client
from botpenguin.platform.models import Bot, Contact
from developers import issuance
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe
from tests.cast import token_text

user = User.objects.create_user("{name}@example.com")
issuance.issue(user, Client("127.0.0.1", "tests"))
bot = Bot.objects.create(owner=user, name="Front desk", platform="whatsapp")
contact = Contact.objects.create(owner=user, bot=bot, name="Asha", email="asha@example.com")
api = OutboundApi.objects.make(user, "Health", Recipe("GET", "{url}/healthz"))
print(token_text(user), bot.pk, contact.pk, api.pk)
"""
# What ends the rest comes last.
LAST = ["delete_bot", "revoke_token"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("samples")
    with Server(folder, MAIL_WORKER="off", OUTBOUND_ALLOWED_NETWORKS="127.0.0.0/8") as running:
        yield running


def reader_of(site: Server, name: str) -> tuple[str, dict[str, str]]:
    """Make an account; return its token and the ids of what it has, by the names of parameters."""
    made = site.manage("shell", "--no-imports", "--command", READER.format(name=name, url=site.url))
    assert made.returncode == 0, made.stderr
    token, *ids = made.stdout.split()
    return token, dict(zip(["bot_id", "contact_id", "api_id"], ids, strict=True))


def run(language: Language, text: str, folder: Path, token: str) -> str:
    done = subprocess.run(
        [*COMMANDS[language], text],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), VARIABLE: token},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def operations() -> Iterator[Operation]:
    found = {operation.id: operation for group in reference.groups().values() for operation in group}
    yield from (operation for name, operation in found.items() if name not in LAST)
    yield from (found[name] for name in LAST)


def status_of(language: Language, printed: str) -> str:
    return printed.rpartition("\n")[2] if language is Language.BASH else printed.split(maxsplit=1)[0]


@pytest.mark.parametrize("language", COMMANDS)
def test_every_sample_is_answered_as_the_reference_says(site: Server, tmp_path: Path, language: Language) -> None:
    token, ids = reader_of(site, language)

    statuses: dict[str, str] = {}
    documented: Mapping[str, str] = {operation.id: operation.responses[0][0] for operation in operations()}
    for operation in operations():
        text = sample(language, operation.call(f"{site.url}/api/v7", ids))
        if language is Language.BASH:
            text += " -s -w '\\n%{http_code}'"
        statuses[operation.id] = status_of(language, run(language, text, tmp_path, token))

    assert statuses == documented


def test_powershell_s_samples_are_sent_as_curl_sends_those_of_bash(alice: User, settings: Settings) -> None:
    """There is no PowerShell here: the product reads its samples as it reads what people paste, and sends them."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with serving(response(b"{}")) as server:
        for operation in operations():
            call = operation.call(f"{server.url}/api/v7", {})
            text = sample(Language.POWERSHELL, call).replace(f"$env:{VARIABLE}", "a-token")

            subprocess.run(
                ["bash", "-c", f"{sample(Language.BASH, call)} -s --noproxy '*' --max-time 20"],
                env=os.environ | {VARIABLE: "a-token"},
                capture_output=True,
                check=True,
            )
            send(curl.read(text).recipe, owner=alice)

    pairs = zip(server.requests[::2], server.requests[1::2], strict=True)
    sent = [(seen(by_curl), seen(read.replace(b"json; charset=utf-8", b"json"))) for by_curl, read in pairs]
    assert len(sent) >= 20
    assert [by_curl for by_curl, _ in sent] == [read for _, read in sent]
