"""What a dialect makes of a text, before curl's own rules make a stored call of it."""

from developers.outbound.curl.dialects import parse
from developers.outbound.recipe import Recipe, RecipeField, parameters_of

NOT_GIVEN = ("Content-Type: application/x-www-form-urlencoded", "Content-Type: text/plain")


def call_of(text: str) -> Recipe:
    """Return the options of a pasted text as a recipe: the URL names the server, so a header Host does not."""
    options = parse(text).options
    given = dict(options)
    url, _mark, query = given["url"].partition("?")
    body = given.get("data-raw", given.get("data"))
    is_query = "get" in given
    headers = []
    for name, value in options:
        if name == "user-agent":
            headers.append(RecipeField("User-Agent", value))
        elif name == "header" and not value.lower().startswith("host:") and value not in NOT_GIVEN:
            key, colon, content = value.partition(":")
            headers.append(RecipeField(key, content.strip()) if colon else RecipeField(value.removesuffix(";"), ""))
    method = given.get("request", "GET" if body is None or is_query else "POST").upper()
    return Recipe(
        method,
        url,
        parameters_of(body or "" if is_query else query),
        tuple(headers),
        "" if is_query else body or "",
        follows_redirects="location" in given,
    )
