"""Headers that browsers, proxies and senders write for one connection: they make no sense in a stored call."""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from developers.outbound.curl.problems import listed
from developers.outbound.recipe import RecipeField
from developers.outbound.validation import OWN_HEADERS

# Fetch standard, section 2.2.2: names that begin so are the browser's own.
PREFIXES = ("sec-ch-", "sec-fetch-", "sec-gpc", ":")
# The pseudo headers of HTTP/2, as browsers copy them without their colon. They repeat the request.
PSEUDO = ("authority", "method", "path", "scheme")


def split_headers(
    headers: Iterable[RecipeField], *, method: str, url: str, query: str
) -> tuple[list[RecipeField], list[str], list[str]]:
    """Return the headers to keep, and sentences: what is left out, and what needs a hand."""
    kept: list[RecipeField] = []
    names: list[str] = []
    to_do: list[str] = []
    scheme, _separator, rest = url.partition("://")
    server, slash, path = rest.partition("/")
    target = f"/{path}" if slash else "/"
    repeated = {
        "host": (server,),
        "authority": (server,),
        "method": (method,),
        "scheme": (scheme,),
        "path": (target, f"{target}?{query}"),
    }
    for each in headers:
        name, is_repeated = each.name.lower(), each.value in repeated.get(each.name.lower(), ())
        if name == "host" and not is_repeated:
            to_do.append(
                _("The header Host names another server than the URL. It is left out: a call names the URL's.")
            )
        elif is_repeated or name in OWN_HEADERS or name.startswith(PREFIXES):
            names.append(each.name)
        else:
            kept.append(each)
    return kept, list(_sentences(names)), to_do


def _sentences(names: list[str]) -> Iterator[str]:
    if names:
        sentence = _("Headers that each sender writes itself are left out: %(names)s.")
        yield sentence % {"names": listed(names)}
