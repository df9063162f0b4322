"""The pages of 3rd Party Apps API, read and posted without a browser."""

import json
import re
from html import unescape
from typing import Any

from developers.outbound.models import OutboundApi

PAGE, HTMX = "/developers/third-party-apps-api/", {"HX-Request": "true"}
GET = {"name": "Orders", "method": "GET", "url": "https://api.example.com/orders"}
ROW = {"parameters-0-name": "page", "parameters-0-value": "1"}


def words(response: Any) -> str:
    """Return the words of a response, without markup and sidebar."""
    page = re.sub(r"</?bdi[^>]*>|<wbr>", "", response.content.decode())
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2] or page).split())


def form_of(response: Any) -> dict[str, str]:
    """Return what a browser would post if the editor in a response were submitted unchanged."""
    page = unescape(response.content.decode()).partition('<form id="editor"')[2].partition("</form>")[0]
    posted = {}
    for tag in re.findall(r"<input[^>]+>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in attributes and (attributes["type"] != "checkbox" or " checked" in tag):
            posted[attributes["name"]] = attributes.get("value", "on" if attributes["type"] == "checkbox" else "")
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', page, re.DOTALL):
        posted[name] = re.findall(r'value="(\w+)" selected|$', options)[0]
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL):
        posted[name] = text
    return posted


def address(api: OutboundApi, action: str = "") -> str:
    return f"{PAGE}{api.pk}/{action}"


def problems_of(response: Any) -> Any:
    """Return the problems that a test sends as data."""
    return json.loads(unescape(response.content.decode().partition('data-problems="')[2].partition('"')[0]))
