"""Reads `Invoke-WebRequest` and `Invoke-RestMethod` of PowerShell, as browsers and manuals write them."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from developers.outbound.curl.pasted import Pasted
from developers.outbound.curl.powershell_values import File, Script, as_text
from developers.outbound.curl.problems import InvalidCommand, listed

COMMAND = re.compile(r"(?<![\w.$-])(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm|curl|wget)(?=\s|\Z)", re.IGNORECASE)
PARAMETER = re.compile(r"[-–—]{1,2}([A-Za-z]\w*):?(?=[\s'\"$@(]|\Z)")
# A short form is the beginning of the first name here.
WITH_VALUE = (
    *("uri", "method", "custommethod", "headers", "body", "contenttype", "useragent", "websession", "sessionvariable"),
    *("maximumredirection", "timeoutsec", "outfile", "infile", "form", "authentication", "token", "credential"),
    *("proxy", "proxycredential", "certificate", "certificatethumbprint", "transferencoding", "sslprotocol"),
    *("httpversion", "retryintervalsec", "maximumretrycount", "erroraction", "warningaction", "outvariable"),
)
REFUSED = {
    "infile": gettext_lazy("The body is to come from a file. Files are not read: write it after -Body."),
    "credential": gettext_lazy("The password of -Credential is not in the text. Send it in the header Authorization."),
}
READ = {
    "form",
    "uri",
    "method",
    "custommethod",
    "headers",
    "body",
    "contenttype",
    "useragent",
    "websession",
    "maximumredirection",
}
FORM = "application/x-www-form-urlencoded"
# These change nothing in a request, and browsers write the first.
UNMENTIONED = {"usebasicparsing", "websession", "sessionvariable"}


def parse(text: str) -> Pasted:
    """Read the first request in a text, and what is assigned before it. Raises `InvalidCommand`."""
    start, end = next(match.span() for match in COMMAND.finditer(text))
    script = Script(text)
    script.read_assignments(start)
    script.place = end
    given, switches = _parameters(script)
    pasted = Pasted("powershell", [("globoff", ""), *_options(given, script)])
    names = [f"-{name}" for name in [*given, *switches] if name.lower() not in READ | UNMENTIONED]
    if names:
        sentence = ngettext(
            "%(names)s is left out: that changes only how PowerShell connects or what it prints.",
            "%(names)s are left out: that changes only how PowerShell connects or what it prints.",
            len(names),
        )
        pasted.left_out.append(sentence % {"names": listed(names)})
    if ("header", f"Content-Type: {FORM}") in pasted.options and as_text(given["body"]).lstrip().startswith(("{", "[")):
        sentence = _(
            "Without a -ContentType PowerShell sends the body as a form. If the server wants JSON, choose JSON."
        )
        pasted.to_do.append(sentence)
    if COMMAND.search(text, script.place):
        pasted.left_out.append(_("Only the first command is read. Paste the others one at a time."))
    if variables := listed(script.variables):
        pasted.to_do.append(_("Replace these shell variables by values: %(names)s.") % {"names": variables})
    return pasted


def _parameters(script: Script) -> tuple[dict[str, Any], list[str]]:
    """Return the values of the parameters by their names in lower case, and the switches as they are written."""
    given: dict[str, Any] = {}
    switches: list[str] = []
    while not script.is_at_end():
        if match := script.match(PARAMETER):
            written = match[1].lower()
            name = next((name for name in WITH_VALUE if name.startswith(written)), None)
            if name is None:
                switches.append(match[1])
            elif refusal := REFUSED.get(name):
                raise InvalidCommand(str(refusal))
            else:
                given[name] = script.part(f"-{match[1]}")
        elif "uri" in given:
            last = next(reversed(given))
            sentence = _("A word after -%(name)s stands alone. Put what belongs together into quotation marks.")
            raise InvalidCommand(sentence % {"name": last})
        else:
            given["uri"] = script.part("-Uri")
    return given, switches


def _options(given: dict[str, Any], script: Script) -> Iterator[tuple[str, str]]:
    """Yield the options of curl. PowerShell follows redirects, and sends the text of a POST as a form."""
    if "uri" in given:
        yield "url", as_text(given["uri"])
    method = as_text(given.get("custommethod", given.get("method", "")))
    if method:
        yield "request", method
    if agent := given.get("useragent", script.known.get("$session.useragent")):
        yield "user-agent", as_text(agent)
    if script.cookies:
        yield "header", f"Cookie: {'; '.join(script.cookies)}"
    headers = given.get("headers")
    for name, value in headers.items() if isinstance(headers, dict) else ():
        text = as_text(value)
        yield "header", f"{name}: {text}" if text else f"{name};"
    body = given.get("body")
    kind = as_text(given.get("contenttype", ""))
    is_typed = any(name.lower() == "content-type" for name in headers) if isinstance(headers, dict) else False
    if kind or not (body is None or is_typed):
        yield "header", f"Content-Type: {kind or FORM}"
    if isinstance(body, dict):
        yield "data-raw", urlencode({name: as_text(value) for name, value in body.items()})
        if method.lower() in ("", "get"):
            yield "get", ""
    elif body is not None:
        yield "data-raw", as_text(body)
    if isinstance(form := given.get("form"), dict):
        yield from _form(form)
    if as_text(given.get("maximumredirection", "")) != "0":
        yield "location", ""


def _form(form: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in form.items():
        for each in value if isinstance(value, list) else [value]:
            yield ("form", f"{name}=@{each}") if isinstance(each, File) else ("form-string", f"{name}={as_text(each)}")
