from itertools import product
from urllib.parse import urlencode

import pytest
from allauth.account.adapter import get_adapter
from django.test import Client as Browser

from accounts.models import User
from tests.accounts.samples import sample
from tests.cast import PASSWORD, logged_in

pytestmark = pytest.mark.matrix

PAGE = "/developers/api-access-token/"
LOG_IN = "/account/login/"
LOG_IN_AND_BACK = f"{LOG_IN}?{urlencode({'next': PAGE})}"


def log_in(user: User, next_url: str, **headers: str) -> str:
    """Log in by the form, and return the path of the redirect."""
    response = Browser().post(
        LOG_IN, {"login": user.email, "password": PASSWORD, "next": next_url}, headers=headers or None
    )
    assert response.status_code == 302
    return response["Location"]


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("page", [PAGE, f"{PAGE}?replaced=1", "/", "/developers/", "/account/"])
def test_a_logged_out_visitor_of_a_page_is_sent_to_log_in_and_back(page: str, method: str) -> None:
    response = getattr(Browser(), method)(page)

    assert (response.status_code, response["Location"]) == (302, f"{LOG_IN}?{urlencode({'next': page})}")


@pytest.mark.parametrize("action", ["show", "copy", "revoke"])
def test_a_logged_out_action_leads_to_log_in_and_back_to_its_page(action: str) -> None:
    response = Browser().post(f"{PAGE}{action}/", {"generation": 1})

    assert (response.status_code, response["Location"]) == (302, LOG_IN_AND_BACK)


@pytest.mark.parametrize("action", ["show", "copy", "revoke"])
def test_a_logged_out_action_by_htmx_is_redirected(action: str) -> None:
    response = Browser().post(f"{PAGE}{action}/", {"generation": 1}, headers={"HX-Request": "true"})

    assert (response.status_code, response["HX-Redirect"]) == (403, LOG_IN_AND_BACK)
    assert response["Cache-Control"] == "no-store"
    assert response.content == b""


@pytest.mark.parametrize("action", ["show", "copy", "revoke"])
def test_a_logged_out_action_by_a_script_is_redirected(action: str) -> None:
    response = Browser().post(f"{PAGE}{action}/", {"generation": 1}, headers={"Accept": "application/json"})

    assert (response.status_code, response["HX-Redirect"]) == (403, LOG_IN_AND_BACK)
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {"redirect": LOG_IN_AND_BACK}


@pytest.mark.no_cover
@pytest.mark.parametrize("page", [PAGE, f"{PAGE}?confirmed=copy", "/account/", "/api/v7/docs"])
def test_logging_in_leads_back_to_the_page(alice: User, page: str) -> None:
    assert log_in(alice, page) == page


NO_DESTINATIONS = [
    "",
    "//evil.example.net",
    "///evil.example.net",
    "/\\evil.example.net",
    "\\\\evil.example.net",
    "https://evil.example.net/developers/api-access-token/",
    "https:evil.example.net",
    "http://testserver/developers/api-access-token/",
    "https://app.example.com/developers/api-access-token/",
    "http://127.0.0.1/developers/api-access-token/",
    "javascript:alert(1)",
    "data:text/html,hello",
    " https://evil.example.net",
    "\thttps://evil.example.net",
    "http://[",
    "developers/api-access-token/",
    "?confirmed=copy",
    "/nothing/here/",
    f"{PAGE}show/",
    f"{PAGE}copy/",
    f"{PAGE}revoke/",
    f"{PAGE}revoke/?generation=1",
    "/api/v7/token",
    "/api/v7/token/revoke",
    "/api/v7/openapi.json",
]
# No address, another site by its path or scheme, no address at all, a page that is not there, an action, a call.
SAMPLE = {"", "//evil.example.net", "/\\evil.example.net", "https:evil.example.net", "http://[", "/nothing/here/"}
SAMPLE |= {f"{PAGE}show/", "/api/v7/token"}


@pytest.mark.parametrize("next_url", sample(NO_DESTINATIONS, SAMPLE))
def test_logging_in_leads_to_no_other_site_no_action_and_no_call(alice: User, next_url: str) -> None:
    assert log_in(alice, next_url) == "/"


def test_no_such_destination_is_safe() -> None:
    assert [url for url in NO_DESTINATIONS if get_adapter().is_safe_url(url)] == []


def test_a_forged_host_header_does_not_choose_where_logging_in_leads(alice: User) -> None:
    assert log_in(alice, "http://panel.test/account/", Host="panel.test") == "/"


@pytest.mark.parametrize(
    ("action", "method"),
    sample(
        product(["show", "copy", "revoke"], ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]),
        [("show", "GET"), ("show", "HEAD"), ("show", "PUT"), ("copy", "OPTIONS"), ("revoke", "DELETE")],
    ),
)
def test_an_action_takes_only_post(alice: User, action: str, method: str) -> None:
    response = logged_in(alice).generic(method, f"{PAGE}{action}/")

    assert (response.status_code, response["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_health_check_needs_no_log_in(db: None, path: str) -> None:
    response = Browser().get(path)

    assert (response.status_code, response.content) == (200, b"ok\n")
