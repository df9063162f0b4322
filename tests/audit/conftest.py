"""A site as operators serve it: a real server behind a proxy with HTTPS, and an account that is logged in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.audit.documented import Documented
from tests.audit.front import Front
from tests.server import Server

TOKEN_PAGE = "/developers/api-access-token/"
TOKEN = re.compile("bpat_[0-9A-Za-z]{46}")
FIELD = re.compile('name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Site:
    """`cookie` logs a browser in, and `token` opens the API. Clients must trust `certificate`."""

    front: Front
    server: Server
    cookie: str
    token: str

    @property
    def url(self) -> str:
        return self.front.url

    @property
    def host(self) -> str:
        return self.url.removeprefix("https://")


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The account has a bot and a contact. Rate limits are off, so that scanners see pages instead of refusals."""
    folder = tmp_path_factory.mktemp("audit")
    with Front(folder) as front:
        settings = {"HTTPS": "on", "PUBLIC_URL": front.url, "TRUSTED_PROXIES": "127.0.0.1"}
        settings |= {"WORKERS": "1", "MAIL_WORKER": "off"}
        with Server(folder, DJANGO_SETTINGS_MODULE="tests.audit.settings", **settings) as server:
            front.pass_to(server.port)
            yield log_in(front, server)


@pytest.fixture(scope="package")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documented]:
    """A server that may call itself. Its address is not localhost, which linters refuse in a document."""
    settings = {"PUBLIC_URL": "http://panel.test", "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.1"}
    settings |= {"ALLOWED_HOSTS": "panel.test, localhost, 127.0.0.1", "WORKERS": "1", "MAIL_WORKER": "off"}
    with Server(tmp_path_factory.mktemp("documented"), **settings) as server:
        yield Documented.of(server)


def log_in(front: Front, server: Server) -> Site:
    email, password = server.first_account
    with front.client() as browser:

        def send(page: str, act: str, **fields: str) -> str:
            fields["csrfmiddlewaretoken"] = FIELD.findall(browser.get(page).text)[0]
            answer = browser.post(act, data=fields, headers={"Referer": front.url + page})
            assert answer.status_code in (200, 302), answer.text
            return answer.text

        send("/account/login/", "/account/login/", login=email, password=password)
        token = TOKEN.findall(send(TOKEN_PAGE, f"{TOKEN_PAGE}show/"))[0]
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with front.client() as program:
        program.headers["Authorization"] = f"Bearer {token}"
        program.post("/api/v7/bots", json={"name": "Shop", "platform": "website"}).raise_for_status()
        details = {"userProvidedName": "Carol", "contact": {"email": "carol@example.com"}, "tags": ["vip"]}
        program.post("/api/v7/inbox/users/import", json=[{"profile": {"userDetails": details}}]).raise_for_status()
    return Site(front, server, cookie, token)
