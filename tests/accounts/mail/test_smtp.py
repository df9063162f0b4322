"""Mail over TLS to a server with a certificate of an authority of one's own."""

import ssl
from pathlib import Path

import pytest
from django.core.mail import EmailMessage, get_connection
from pytest_django.fixtures import Settings

from botpenguin.configuration import service_urls
from tests.developers.outbound.certificates import Authority
from tests.mail_server import MailServer


def send(url: str) -> None:
    """Send a mail as `EMAIL_URL` says."""
    found = service_urls.email(url)
    backend = get_connection(
        found["EMAIL_BACKEND"],
        host=found["EMAIL_HOST"],
        port=found["EMAIL_PORT"],
        use_tls=found.get("EMAIL_USE_TLS", False),
        use_ssl=found.get("EMAIL_USE_SSL", False),
    )
    EmailMessage("Hello", "text", "a@example.com", ["b@example.com"], connection=backend).send()


@pytest.mark.parametrize(("scheme", "starts_with_tls"), [("smtp+tls", False), ("smtps", False), ("smtp+ssl", True)])
def test_mail_goes_to_a_server_of_an_own_authority(
    settings: Settings, tmp_path: Path, scheme: str, starts_with_tls: bool
) -> None:
    authority = Authority(tmp_path)
    with MailServer(tls=authority.server("127.0.0.1"), starts_with_tls=starts_with_tls) as server:
        url = f"{scheme}://127.0.0.1:{server.port}"

        with pytest.raises(ssl.SSLCertVerificationError):
            send(url)
        settings.CA_FILE = str(Authority(tmp_path).write(tmp_path / "other.pem"))
        with pytest.raises(ssl.SSLCertVerificationError):
            send(url)
        settings.CA_FILE = str(authority.write(tmp_path / "ca.pem"))
        send(url)

    assert server.recipients == ["<b@example.com>"]


def test_the_authorities_of_the_system_stay_trusted(settings: Settings, tmp_path: Path) -> None:
    before = get_connection(service_urls.SMTP).ssl_context.get_ca_certs()

    settings.CA_FILE = str(Authority(tmp_path).write(tmp_path / "ca.pem"))
    after = get_connection(service_urls.SMTP).ssl_context.get_ca_certs()

    assert len(after) == len(before) + 1
    assert [certificate for certificate in before if certificate not in after] == []
