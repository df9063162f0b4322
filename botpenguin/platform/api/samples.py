"""Samples of calls of the API in the languages of `developers.snippets`, to copy and run.

None of them holds the token: each reads it from the variable that "Get started" sets.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from developers.snippets import Language

VARIABLE = "BOTPENGUIN_TOKEN"
MOST_LINES = 20


class Call(NamedTuple):
    """A request. `body`: what its JSON says, or None without a body."""

    method: str
    url: str
    needs_token: bool
    body: Any = None

    @property
    def path(self) -> str:
        """The path and the query."""
        return urlsplit(self.url)._replace(scheme="", netloc="").geturl()

    @property
    def json(self) -> str:
        """The body as text."""
        return _json(self.body)

    @property
    def lines(self) -> int:
        """How many lines of the body are shown at once."""
        return min(self.json.count("\n") + 1, MOST_LINES)


def sample(language: Language, call: Call) -> str:
    """Write a call in a language."""
    return WRITERS[language](call)


def _bash(call: Call) -> str:
    method = "" if call.method == "GET" else f"-X {call.method} "
    lines = [f"curl {method}{shlex.quote(call.url)}"]
    if call.needs_token:
        lines.append(f'-H "Authorization: Bearer ${VARIABLE}"')
    if call.body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(_json(call.body))}"]
    return " \\\n  ".join(lines)


def _powershell(call: Call) -> str:
    lines = [f"Invoke-RestMethod '{call.url.replace(chr(39), chr(39) * 2)}'"]
    if call.method != "GET":
        lines.append(f"-Method {call.method.title()}")
    if call.needs_token:
        lines.append(f'-Headers @{{ Authorization = "Bearer $env:{VARIABLE}" }}')
    if call.body is not None:
        # Windows PowerShell 5.1 sends Latin-1 unless the type names another encoding. In a here-string between single
        # quotes nothing has a meaning.
        lines += ["-ContentType 'application/json; charset=utf-8'", f"-Body @'\n{_json(call.body)}\n'@"]
    return " `\n  ".join(lines)


def _python(call: Call) -> str:
    lines = [json.dumps(call.url)]
    if call.needs_token:
        lines.append(f'headers={{"Authorization": f"Bearer {{os.environ[\'{VARIABLE}\']}}"}}')
    if call.body is not None:
        lines.append(f"json={_literal(call.body)}")
    lines.append("timeout=30")
    arguments = "".join(f"    {line},\n" for line in lines)
    imports = "import os\n\nimport requests\n" if call.needs_token else "import requests\n"
    request = f"response = requests.{call.method.lower()}(\n{arguments})"
    return f"{imports}\n{request}\nprint(response.status_code, response.text)"


def _literal(value: Any, depth: int = 1) -> str:
    """Write a JSON value as Python does."""
    match value:
        case dict():
            items = [
                f"{json.dumps(key, ensure_ascii=False)}: {_literal(item, depth + 1)}" for key, item in value.items()
            ]
            return _lines("{", items, "}", depth)
        case list():
            return _lines("[", [_literal(item, depth + 1) for item in value], "]", depth)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return repr(value)


def _lines(begin: str, items: list[str], end: str, depth: int) -> str:
    inner = "".join(f"\n{'    ' * (depth + 1)}{item}," for item in items)
    return f"{begin}{inner}\n{'    ' * depth}{end}" if items else begin + end


def _javascript(call: Call) -> str:
    headers = []
    if call.needs_token:
        headers.append(f"Authorization: `Bearer ${{process.env.{VARIABLE}}}`")
    if call.body is not None:
        headers.append('"Content-Type": "application/json"')
    options = [] if call.method == "GET" else [f'method: "{call.method}"']
    if headers:
        options.append("headers: {\n" + "".join(f"    {header},\n" for header in headers) + "  }")
    if call.body is not None:
        options.append("body: JSON.stringify(" + _json(call.body).replace("\n", "\n  ") + ")")
    given = ", {\n" + "".join(f"  {option},\n" for option in options) + "}" if options else ""
    request = f"const response = await fetch({json.dumps(call.url)}{given});"
    return f"{request}\nconsole.log(response.status, await response.text());"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


WRITERS: Mapping[Language, Callable[[Call], str]] = {
    Language.BASH: _bash,
    Language.POWERSHELL: _powershell,
    Language.PYTHON: _python,
    Language.JAVASCRIPT: _javascript,
}
