"""The grants that docs/deployment.md gives for PostgreSQL: the server's role serves everything and updates no event."""

import re
import sys
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import prepared, server
from tests.postgresql import postgresql
from tests.server import ROOT

# The server starts. Alice logs in, opens the pages and deletes her account; then an attacker tries to change what was
# written, and to put something else in its place.
VISIT = """
from django.core.management import call_command
from django.db import ProgrammingError
from django.test import Client
from accounts import deletion, security_log
from accounts.models import User
from accounts.events import SecurityEvent
from accounts.sessions import UNKNOWN_CLIENT

call_command("migrate", verbosity=0)
for email in ("alice@example.com", "bob@example.org"):
    User.objects.create_user(email, "correct horse battery staple")
    browser = Client(HTTP_HOST="localhost")
    browser.post("/account/login/", {"login": email, "password": "correct horse battery staple"})
    print([browser.get(path).status_code for path in ("/developers/api-access-token/", "/account/security/log/")])
print(browser.post("/account/delete/", {"email": email}).headers["Location"])
print(sum(deletion.finish_all()) > 0)
# What is counted beside events changes.
print([security_log._count(User.objects.get().pk, "signed-in", "", UNKNOWN_CLIENT).count for _ in range(2)])
print(sorted(SecurityEvent.objects.values_list("kind", flat=True)))
events = SecurityEvent._base_manager
try:
    events.update(ip=None)
except ProgrammingError as error:
    print(error)
# What the document says that they do not prevent.
event = events.values().first()
print(events.all().delete()[0], events.create(**event | {"ip": "192.0.2.66"}).ip)
"""


@pytest.mark.release
@pytest.mark.long
def test_the_server_s_role_serves_every_page_and_updates_no_event(tmp_path: Path) -> None:
    grants = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/deployment.md").read_text(), re.DOTALL)[0]
    with postgresql() as owner_url:
        web_url = urlsplit(owner_url)._replace(netloc=f"web@127.0.0.1:{urlsplit(owner_url).port}").geturl()
        prepared.prepare(tmp_path / "var", DATABASE_URL=owner_url)
        with psycopg.connect(owner_url) as connection:
            connection.execute("CREATE ROLE web LOGIN")
            connection.execute(grants.encode())

        web = server.environment(tmp_path, DATABASE_URL=web_url, DJANGO_SETTINGS_MODULE="tests.settings")
        visited = server.run(
            *(sys.executable, "manage.py", "shell", "-v0", "-c", VISIT), env=web | {server.COVERAGE: ""}
        )

    assert visited.stdout.splitlines() == [
        "[200, 200]",
        "[200, 200]",
        "/account/login/",
        "True",
        "[1, 2]",
        "['signed-in', 'token-issued']",
        "permission denied for table accounts_securityevent",
        "2 192.0.2.66",
    ], visited.stderr
