"""A browser without scripts for a real server. It keeps all responses except those that may disclose a secret."""

import re
from typing import Any

import httpx

from tests.server import ask

TOKEN_FIELD = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Visitor:
    """A client with cookies of its own; `shown` holds all headers and bodies that it received, by address."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.shown: dict[str, str] = {}

    def get(self, path: str, *, discloses: bool = False, **headers: str) -> httpx.Response:
        return self._keep(self.client.get(path, headers=headers), discloses)

    def post(
        self, path: str, data: dict[str, str], *, page: str = "", discloses: bool = False, **headers: str
    ) -> httpx.Response:
        """Post a form with the CSRF token of its page."""
        form = self.client.get(page or path).text
        [token, *_] = TOKEN_FIELD.findall(form)
        answer = self.client.post(path, data=data | {"csrfmiddlewaretoken": token}, headers=headers)
        return self._keep(answer, discloses)

    def call(self, method: str, path: str, token: str, json: Any = None) -> httpx.Response:
        """Call the API as a program does, without cookies, and without a token if the account has none."""
        answer = ask(
            str(self.client.base_url.join(path)),
            method,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            json=json,
            timeout=60,
        )
        return self._keep(answer, discloses=False)

    def log_in(self, email: str, password: str) -> httpx.Response:
        return self.post("/account/login/", {"login": email, "password": password})

    def _keep(self, answer: httpx.Response, discloses: bool) -> httpx.Response:
        assert answer.status_code < 500, answer.url
        headers = [f"{name}: {value}" for name, value in answer.headers.multi_items() if name != "set-cookie"]
        if not discloses:
            name = f"{answer.request.method} {answer.url.raw_path.decode()} {len(self.shown)}"
            self.shown[name] = "\n".join([*headers, answer.text])
        return answer
