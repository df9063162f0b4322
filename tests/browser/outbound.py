"""The pages of 3rd Party Apps API, and the responses of the called server."""

import json

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.people import open_page
from tests.developers.outbound.servers import Peer

PAGE = "/developers/third-party-apps-api/"
SECRET = "Bearer sk-9f8e7d6c5b4a"
ORDER = {"data": {"status": "shipped", "items": [{"name": "Kettle", "price": 24.5}], "paid": True, "note": None}}


def answer_with_order(peer: Peer) -> None:
    peer.read_request()
    body = json.dumps(ORDER).encode()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def open_tab(page: Page, site: Site) -> None:
    open_page(page, site, PAGE)
    expect(page.get_by_role("heading", name="3rd Party Apps API")).to_be_visible()


def open_part(page: Page, name: str, scripts: bool) -> None:
    if scripts:
        page.get_by_role("tab", name=name).click()
