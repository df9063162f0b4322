"""Outbound calls to a server with a certificate of an authority of one's own."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound.recipe import Recipe
from developers.outbound.transport.network import public_certificates
from developers.outbound.transport.sending import send
from tests.developers.outbound import certificates
from tests.developers.outbound.servers import LocalServer, responding, response

pytestmark = [pytest.mark.matrix, pytest.mark.usefixtures("loopback")]


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    public_certificates.cache_clear()
    yield
    public_certificates.cache_clear()


def test_a_call_reaches_a_server_of_an_own_authority(
    alice: User, settings: Settings, authority: certificates.Authority, tmp_path: Path
) -> None:
    with LocalServer(responding(response(b'"secure"')), tls=authority.server("127.0.0.1")) as server:
        recipe = Recipe("GET", f"https://127.0.0.1:{server.port}/")

        refused = send(recipe, owner=alice)
        settings.CA_FILE = str(authority.write(tmp_path / "ca.pem"))
        public_certificates.cache_clear()
        received = send(recipe, owner=alice)

    assert (refused.problem or "").startswith("The certificate of the server can't be trusted: ")
    assert (received.problem, received.data) == (None, "secure")


def test_the_authorities_of_everybody_stay_trusted(
    settings: Settings, authority: certificates.Authority, tmp_path: Path
) -> None:
    settings.CA_FILE = str(authority.write(tmp_path / "ca.pem"))
    everybody = httpx.create_ssl_context(trust_env=False).get_ca_certs()

    trusted = public_certificates().get_ca_certs()

    assert len(trusted) == len(everybody) + 1
    assert [certificate for certificate in everybody if certificate not in trusted] == []


def test_certificates_of_the_environment_are_not_used(
    alice: User, authority: certificates.Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.write(tmp_path / "ca.pem")))

    with LocalServer(responding(response(b'"secure"')), tls=authority.server("127.0.0.1")) as server:
        refused = send(Recipe("GET", f"https://127.0.0.1:{server.port}/"), owner=alice)

    assert (refused.problem or "").startswith("The certificate of the server can't be trusted: ")
