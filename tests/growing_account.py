"""An account that grows on a real server, by its pages and by calls of the API."""

import re
from functools import cached_property
from html import unescape
from typing import Any

import httpx

from tests.developers.outbound.servers import LocalServer
from tests.platform.calls import row
from tests.resilience.load import Person, csrf_token
from tests.server import Server

API, APIS = "/api/v7", "/developers/third-party-apps-api/"
KB = 1024


class Account:
    """A person who adds to their account by its pages and by their own program."""

    def __init__(self, server: Server, number: int, far_sides: list[LocalServer]) -> None:
        self.server, self.far_sides = server, far_sides
        self.person = Person(server.url, number)
        page = self.person.page()
        self.token, self.csrf_token = self.person.copy(page), csrf_token(page)

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.person.client.request(method, API + path, json=body, headers=headers)

    def data(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["data"]

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, and go where it leads."""
        form = fields | {"csrfmiddlewaretoken": self.csrf_token}
        return self.person.client.post(path, data=form, follow_redirects=True)

    def make_bot(self, number: int) -> httpx.Response:
        return self.call("POST", "/bots", {"name": f"Bot {number}", "platform": "sms"})

    def make_bot_on_its_page(self, number: int) -> httpx.Response:
        return self.send("/bots/new/", name=f"Bot {number}", platform="sms")

    def make_segment(self, number: int) -> httpx.Response:
        return self.send("/inbox/segments/add/", name=f"Segment {number}", tags="vip")

    def import_contact(self, number: int) -> httpx.Response:
        return self.call("POST", "/inbox/users/import", [row("Asha", f"asha{number}@example.com")])

    def grow_contact(self, number: int) -> httpx.Response:
        """Give one contact after the other 60 KB, of which two have room."""
        contacts = self.data("POST", "/inbox/users")
        body = {"attributes": {f"key{key:02}": "x" * 1000 for key in range(60)}}
        return self.call("PUT", f"/inbox/users/{contacts[number % len(contacts)]['_id']}/attributes", body)

    def make_api(self, number: int) -> httpx.Response:
        far_side = self.far_sides[number % len(self.far_sides)]
        return self.send(f"{APIS}new/", name=f"API {number}", method="GET", url=far_side.url)

    def copy_api(self, _number: int) -> httpx.Response:
        return self.send(f"{APIS}{self.apis[0]}/duplicate/")

    def grow_api(self, number: int) -> httpx.Response:
        return self.change_api(body=f'"{"x" * 4 * KB * (number + 1)}"')

    def name_attribute(self, number: int) -> httpx.Response:
        mapping = {"mappings-0-path": "data", "mappings-0-attribute": f"name{number}", "mappings-0-type": "text"}
        return self.change_api(**mapping)

    def change_api(self, **fields: str) -> httpx.Response:
        """Change the last API. Nothing listens at its address."""
        return self.send(f"{APIS}{self.apis[0]}/", name="API", method="POST", url="http://127.0.0.1", **fields)

    def run_api(self, place: int) -> None:
        """Run the API that calls so many-th server; the list of APIs begins with the newest."""
        self.data("POST", f"/third-party-apis/{self.apis[::-1][place]}/run", {})

    @cached_property
    def apis(self) -> list[str]:
        found = re.findall(rf'"{APIS}([0-9a-f]{{24}})/"', self.person.client.get(APIS).text)
        return list(dict.fromkeys(found))

    def words(self, path: str) -> str:
        return words(self.person.client.get(path))

    def rows(self, what: str, table: str) -> list[Any]:
        owner = "SELECT id FROM accounts_user WHERE email = 'person0@example.com'"
        return self.server.rows(f"SELECT {what} FROM {table} WHERE owner_id = ({owner})")  # noqa: S608 - names of our own tables


def is_of_api(answer: httpx.Response) -> bool:
    return answer.headers["Content-Type"].startswith("application/json")


def words(answer: httpx.Response) -> str:
    text = answer.json()["message"] if is_of_api(answer) else re.sub(r"<[^>]+>", " ", unescape(answer.text))
    return " ".join(text.split())


def is_refused(answer: httpx.Response) -> bool:
    """Is it an error of the API, or a page that leads to nothing new: the form again, or the list?"""
    return answer.is_error if is_of_api(answer) else not answer.history or answer.url.path == APIS
