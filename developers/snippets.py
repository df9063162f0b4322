"""Commands that set the variable of the token and make a first call, in the language that a person chose.

None of them puts the token into the history of a shell: each reads it without an echo, or from a file.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

COOKIE = "__Host-snippets" if settings.HTTPS else "snippets"
KEPT_FOR = timedelta(days=365)


class Language(TextChoices):
    BASH = "bash", "Bash"
    POWERSHELL = "powershell", "PowerShell"
    PYTHON = "python", "Python"
    JAVASCRIPT = "javascript", "JavaScript"


class Snippet(NamedTuple):
    """A command, and a sentence for people about how to run it."""

    text: str
    note: Any


class Snippets(NamedTuple):
    """The commands of one language."""

    language: Language
    variable: Snippet
    call: Snippet


_VARIABLES = {
    Language.BASH: Snippet(
        "read -rs BOTPENGUIN_TOKEN && export BOTPENGUIN_TOKEN",
        _(
            "Run it, and it waits: copy the token, paste it and press Enter. "
            "Nothing shows, and the history keeps only this line. It works in zsh too."
        ),
    ),
    Language.POWERSHELL: Snippet(
        "$env:BOTPENGUIN_TOKEN = [Net.NetworkCredential]::new('', (Read-Host 'Token' -AsSecureString)).Password",
        _(
            "Run it, and it waits: copy the token, paste it (by right-click in older consoles) and press Enter. "
            "It shows as stars, and the history keeps only this line."
        ),
    ),
    Language.PYTHON: Snippet(
        'import getpass, os\nos.environ["BOTPENGUIN_TOKEN"] = getpass.getpass("Token: ")',
        _(
            "Run it in Python, and it waits: copy the token, paste it and press Enter. "
            "Nothing shows, and no history keeps what getpass reads."
        ),
    ),
    # Single quotes and no dollar signs inside: every shell passes it on as it is.
    Language.JAVASCRIPT: Snippet(
        "node -e \"\n  fs.appendFileSync('.env', '\\nBOTPENGUIN_TOKEN=\\n');\n  fs.chmodSync('.env', 0o600);\n"
        "  fs.appendFileSync('.gitignore', '\\n.env\\n');\n\"",
        _(
            "Run it, copy the token, and paste it after the = in .env with an editor, which writes no history. "
            "Git ignores the file, and on Linux and macOS only you can read it."
        ),
    ),
}
_CALLS = {
    Language.BASH: Snippet(
        'curl URL \\\n  -H "Authorization: Bearer $BOTPENGUIN_TOKEN"',
        _("Run it in the same window."),
    ),
    Language.POWERSHELL: Snippet(
        'Invoke-RestMethod URL -Headers @{\n  Authorization = "Bearer $env:BOTPENGUIN_TOKEN"\n}',
        _("Run it in the same window."),
    ),
    Language.PYTHON: Snippet(
        'import os, urllib.request\nurl = "URL"\n'
        'token = os.environ["BOTPENGUIN_TOKEN"]\nheaders = {"Authorization": f"Bearer {token}"}\n'
        "request = urllib.request.Request(url, headers=headers)\n"
        "print(urllib.request.urlopen(request, timeout=10).read().decode())",
        _("Run it in the same Python."),
    ),
    Language.JAVASCRIPT: Snippet(
        'const url = "URL";\n'
        "const token = process.env.BOTPENGUIN_TOKEN;\n"
        "const headers = { Authorization: `Bearer ${token}` };\n"
        "console.log(await (await fetch(url, { headers })).json());",
        _("Save it beside .env as call.mjs, and run: node --env-file=.env call.mjs (Node.js 20.6 or later)."),
    ),
}


def snippets_in(language: Language, server: str) -> Snippets:
    """Return the commands in a language, which call the API of a server."""
    text, note = _CALLS[language]
    return Snippets(language, _VARIABLES[language], Snippet(text.replace("URL", f"{server}/api/v7/token"), note))


def language_of(request: HttpRequest) -> Language:
    """Return the language that was chosen in this browser, else the shell that its system has."""
    chosen = request.COOKIES.get(COOKIE)
    if chosen in Language.values:
        return Language(chosen)
    return Language.POWERSHELL if "Windows" in request.META.get("HTTP_USER_AGENT", "") else Language.BASH


def remember(response: HttpResponseBase, language: str) -> None:
    """Keep a chosen language in the browser, since the shell belongs to the machine. Ignores other words."""
    if language in Language.values:
        response.set_cookie(COOKIE, language, max_age=KEPT_FOR, secure=settings.HTTPS, httponly=True, samesite="Lax")
