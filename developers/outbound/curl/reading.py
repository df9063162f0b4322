"""Makes a recipe of a call in the words of curl's options."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from developers.outbound.curl import browser_headers, data
from developers.outbound.curl.body_kinds import body_of
from developers.outbound.curl.multipart import FormFields
from developers.outbound.curl.option_table import DATA, FORM_OPTIONS, LEFT_OUT, REASONS
from developers.outbound.curl.pasted import Pasted
from developers.outbound.curl.problems import InvalidCommand, excerpt, excerpt_of_url, listed
from developers.outbound.recipe import METHODS, Recipe, RecipeField, parameters_of
from developers.outbound.validation import find_problems

NO_ADDRESS = gettext_lazy("The command names no URL. It needs one, like https://api.example.com/orders.")
HEADER_FILE = gettext_lazy("Headers are to come from a file. Files are not read: paste the header itself in its place.")
# curl's own lists and ranges of URLs, and what manuals write for a value to fill in.
SEVERAL_URLS = re.compile(r"(?<![{\\])\{[^{},]*,[^{}]*\}(?!\})|(?<!\\)\[(?:\d+-\d+|[A-Za-z]-[A-Za-z])(?::\d+)?\]")
TO_FILL_IN = re.compile(r"(?<!\{)\{\w+\}(?!\})|<[A-Za-z][\w .-]*>|\bYOUR[_-]\w+")
# Words like this hold no secret.
ADDRESS = re.compile(r"https?://|(?:[a-z0-9-]+\.)+[a-z]{2,6}(?=[/:?]|\Z)")
SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
# Options that set a header of curl's own; -H with its name takes its place.
HEADER_OPTIONS = {"user-agent": "User-Agent", "referer": "Referer", "cookie": "Cookie", "range": "Range"}


@dataclass(frozen=True, slots=True)
class ImportedCall:
    """A recipe, and sentences about what was read, what is left out and why, and what needs a hand."""

    recipe: Recipe
    read: tuple[str, ...]
    left_out: tuple[str, ...]
    to_do: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from the pasted text, and what is missing in it."""
        return self.left_out + self.to_do


@dataclass(slots=True)
class _Parts:
    """The options of a command, collected."""

    method: str = ""
    url: str = ""
    scheme: str = ""
    headers: list[str] = field(default_factory=list)
    own_headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    form: FormFields = field(default_factory=FormFields)
    is_json: bool = False
    queries: list[str] = field(default_factory=list)
    flags: dict[str, bool] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    to_do: list[str] = field(default_factory=list)


def build(pasted: Pasted) -> ImportedCall:
    """Make a recipe. Raises `InvalidCommand` if there is no URL, or if the call would read a file."""
    parts = _Parts(left_out=list(pasted.left_out), to_do=list(pasted.to_do))
    before = ""
    for name, value in pasted.options:
        if name == "next":
            parts.left_out.append(_("Only the first of several requests is read: --next begins another one."))
            break
        _apply(parts, name, value, before)
        before = name
    url, query = _url(parts)
    method = _method(parts)
    kept, dropped, to_do = browser_headers.split_headers(_headers(parts), method=method, url=url, query=query)
    parts.left_out += dropped
    parts.to_do += to_do
    is_query = parts.flags.get("get", False)
    queries = [query, *map(data.as_query, [parts.body or ""] if is_query else parts.queries)]
    body = body_of(None if is_query else parts.body, parts.form, kept)
    recipe = Recipe(
        method=method,
        url=url,
        parameters=parameters_of("&".join(filter(None, queries))),
        headers=tuple(body.headers),
        body=body.text,
        body_kind=body.kind,
        body_fields=body.fields,
        follows_redirects=parts.flags.get("location", False),
    )
    parts.to_do += parts.form.to_do + body.to_do
    parts.left_out += parts.form.left_out + body.left_out
    parts.to_do += dict.fromkeys(problem.sentence for problem in find_problems(recipe))
    return ImportedCall(recipe, tuple(_read(recipe)), tuple(_left_out(parts)), tuple(parts.to_do))


def _apply(parts: _Parts, name: str, value: str, before: str) -> None:
    """Add an option to the parts, or to the ignored options. Its value replaces that of the same option before."""
    if name in DATA:
        parts.body = data.joined(parts.body, name, value)
        parts.is_json |= name == "json"
    elif name in FORM_OPTIONS:
        parts.form.add(name, value)
    elif name == "url":
        _add_url(parts, value, before)
    elif name == "url-query":
        parts.queries.append(data.query_piece(value))
    elif name == "request":
        parts.method = value.upper()
    elif name == "proto-default":
        parts.scheme = value
    elif name == "header":
        if value.startswith("@"):
            raise InvalidCommand(str(HEADER_FILE))
        parts.headers.append(value)
    elif name in REASONS:
        parts.ignored.append(name)
    elif not _sets_header(parts, name, value):
        flag = name.removeprefix("no-")
        parts.flags["location" if flag == "location-trusted" else flag] = flag == name


def _sets_header(parts: _Parts, name: str, value: str) -> bool:
    own = parts.own_headers
    if name == "cookie":
        if not value:
            return True
        if "=" not in value:
            raise InvalidCommand(str(HEADER_FILE))
        own["Cookie"] = f"{own['Cookie']};{value}" if "Cookie" in own else value
    elif name == "user":
        if ":" not in value:
            parts.to_do.append(_("curl would ask for the password of -u. Add it to the header Authorization."))
        own.setdefault("Authorization", "")
        if not own["Authorization"].startswith("Bearer "):
            own["Authorization"] = _basic(value)
    elif name == "oauth2-bearer":
        own["Authorization"] = f"Bearer {value}"
    elif name == "continue-at":
        if value != "-":
            own["Range"] = f"bytes={value}-"
    elif name in HEADER_OPTIONS:
        text = f"bytes={value}" if name == "range" else value.removesuffix(";auto") if name == "referer" else value
        own[HEADER_OPTIONS[name]] = text
    else:
        return False
    return True


def _basic(credentials: str) -> str:
    return f"Basic {base64.b64encode(credentials.encode()).decode()}"


def _add_url(parts: _Parts, value: str, before: str) -> None:
    # curl would accept `-- -a` as an address, but no server has such a name.
    if not value or value.startswith("-"):
        raise InvalidCommand(str(NO_ADDRESS))
    if not parts.url:
        parts.url = value
    elif ADDRESS.match(value):
        sentence = _("The command names two URLs: the second is %(url)s. Paste one call at a time.")
        raise InvalidCommand(sentence % {"url": excerpt_of_url(value)})
    else:
        # It may be half of a secret, so only its place is named.
        sentence = _(
            "A word after %(option)s stands alone, and curl would call it as a second URL. Put what belongs together "
            "into quotation marks."
        )
        raise InvalidCommand(sentence % {"option": f"--{before}"})


def _url(parts: _Parts) -> tuple[str, str]:
    """Return the URL without query and fragment, and its query. Credentials in it become a header."""
    url = parts.url.partition("#")[0]
    if not url:
        raise InvalidCommand(str(NO_ADDRESS))
    if not parts.flags.get("globoff"):
        if several := SEVERAL_URLS.search(url.partition("?")[0]) or SEVERAL_URLS.search(url):
            sentence = _("The URL stands for several ones: %(part)s. Write one of them.")
            raise InvalidCommand(sentence % {"part": excerpt(several[0])})
        url = re.sub(r"\\([{}\[\]])", r"\1", url)
    match = SCHEME.match(url)
    if match is None:
        scheme, rest = parts.scheme or "https", url
        if not parts.scheme:
            parts.to_do.append(_("The URL begins with no https:// or http://. It is read with https://."))
    else:
        scheme, rest = match["scheme"].lower(), match["rest"]
    if scheme not in ("http", "https"):
        sentence = _("The URL begins with %(scheme)s://. Only https:// and http:// can be called.")
        raise InvalidCommand(sentence % {"scheme": excerpt(scheme)})
    place, mark, query = rest.partition("?")
    server, slash, path = place.partition("/")
    credentials, has_credentials, server = server.rpartition("@")
    if has_credentials:
        parts.own_headers.setdefault("Authorization", _basic(unquote(credentials)))
    if names := listed(TO_FILL_IN.findall(f"{place}?{query}")):
        parts.to_do.append(_("Replace these parts of the URL by values: %(names)s.") % {"names": names})
    return f"{scheme}://{server}{slash}{data.as_path(path)}{'' if query else mark}", query


def _method(parts: _Parts) -> str:
    sends_body = (parts.body is not None and not parts.flags.get("get")) or bool(parts.form.fields)
    method = parts.method or ("POST" if sends_body else "GET")
    if method not in METHODS:
        raise InvalidCommand(
            _("The method %(method)s is not offered. It is one of %(methods)s.")
            % {"method": method[:20], "methods": ", ".join(METHODS)}
        )
    return method


def _headers(parts: _Parts) -> Iterator[RecipeField]:
    """Yield curl's own headers, unless -H sets or removes them, then those of -H, then those of --json."""
    typed: list[tuple[str, str, bool]] = []
    without_colon = []
    for number, text in enumerate(parts.headers, start=1):
        # curl sends "Name;" as a header without a value, and "Name:" removes one of its own headers.
        # The names of pseudo headers begin with a colon.
        name, colon, value = text.removeprefix(":").partition(":")
        if not colon and not text.endswith(";"):
            without_colon.append(str(number))
            continue
        name = f":{name}" if text.startswith(":") else name if colon else name[:-1]
        typed.append((name.strip(), value.strip(), bool(value.strip() or not colon)))
    if without_colon:
        sentence = ngettext(
            "Header %(numbers)s is left out: it has no colon.",
            "Headers %(numbers)s are left out: they have no colon.",
            len(without_colon),
        )
        parts.left_out.append(sentence % {"numbers": listed(without_colon)})
    if to_fill_in := listed(name for _name, value, _is_sent in typed for name in TO_FILL_IN.findall(value)):
        sentence = _("Replace these parts of the headers by values: %(names)s.")
        parts.to_do.append(sentence % {"names": to_fill_in})
    names = {name.lower() for name, _value, _is_sent in typed}
    yield from (
        RecipeField(name, value) for name, value in parts.own_headers.items() if value and name.lower() not in names
    )
    fields = ((RecipeField(name, value), is_sent) for name, value, is_sent in typed)
    yield from (field for field, is_sent in fields if is_sent or field.leaves_out)
    if parts.is_json:
        kinds = ("Content-Type", "Accept")
        yield from (RecipeField(name, "application/json") for name in kinds if name.lower() not in names)


def _read(recipe: Recipe) -> Iterator[str]:
    yield _("Method: %(method)s") % {"method": recipe.method}
    yield _("URL: %(url)s") % {"url": excerpt_of_url(recipe.url)}
    for count, sentence in (
        (len(recipe.parameters), ngettext("%(count)d parameter", "%(count)d parameters", len(recipe.parameters))),
        (len(recipe.headers), ngettext("%(count)d header", "%(count)d headers", len(recipe.headers))),
        (len(recipe.body_fields), ngettext("%(count)d field", "%(count)d fields", len(recipe.body_fields))),
        (len(recipe.body), ngettext("Body: %(count)d character", "Body: %(count)d characters", len(recipe.body))),
    ):
        if count:
            yield sentence % {"count": count}


def _left_out(parts: _Parts) -> Iterator[str]:
    for reason in LEFT_OUT:
        names = list(dict.fromkeys(f"--{name}" for name in parts.ignored if REASONS[name] is reason))
        if names:
            yield reason.sentence % {"options": ", ".join(names), "count": len(names)}
    yield from parts.left_out
