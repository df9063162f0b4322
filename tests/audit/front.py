"""A proxy with HTTPS in front of a server, as docs/deployment.md describes it.

It listens on one port of 127.0.0.1 for both protocols. A connection that begins with a TLS handshake is HTTPS, and
any other is plain HTTP.
"""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

# RFC 8446, section 5.1: the content type of a record that carries a handshake.
HANDSHAKE = b"\x16"
# RFC 9110, section 7.6.1: what belongs to one connection, and to the framing that this proxy makes anew.
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
FORWARDED = {"x-forwarded-for", "x-forwarded-proto"}


class Front(ThreadingHTTPServer):
    """Forwards requests to `https://localhost:PORT` to a server at a port of 127.0.0.1.

    Clients must trust the file `certificate`. While `cookie` is set, every forwarded request has it, so that a
    client without cookies is logged in.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.url = f"https://localhost:{self.server_port}"
        self.certificate = write_certificate(folder)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(self.certificate)
        self.cookie = ""
        self.behind = httpx.Client(trust_env=False, timeout=30, limits=httpx.Limits(max_connections=None))

    def pass_to(self, port: int) -> None:
        self.behind.base_url = httpx.URL(f"http://127.0.0.1:{port}")

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
        self.behind.close()

    def client(self) -> httpx.Client:
        trust = ssl.create_default_context(cafile=str(self.certificate))
        return httpx.Client(base_url=self.url, verify=trust, trust_env=False, timeout=30)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing when a client disconnects: scanners do that."""


class Passage(BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"
    # A kept connection that its client has forgotten ends by itself.
    timeout = 30

    def setup(self) -> None:
        self.request.settimeout(self.timeout)
        self.scheme = "http"
        if self.request.recv(1, socket.MSG_PEEK) == HANDSHAKE:
            self.scheme = "https"
            self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        with suppress(OSError):
            self.request.close()

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = [(name, value) for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP | FORWARDED]
        headers += [("X-Forwarded-For", self.client_address[0]), ("X-Forwarded-Proto", self.scheme)]
        if self.server.cookie:
            headers = [pair for pair in headers if pair[0].lower() != "cookie"] + [("Cookie", self.server.cookie)]
        # Sent as it came: a client of httpx would turn what scanners write into something decent.
        target = httpx.URL(self.server.behind.base_url).copy_with(raw_path=self.path.encode("latin-1"))
        with self.server.behind.stream(
            self.command, target, headers=headers, content=body or None, follow_redirects=False
        ) as answer:
            content = b"".join(answer.iter_raw())
        self.send_response_only(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", answer.headers.get("content-length", str(len(content))))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = pass_on  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        """Log nothing."""


def write_certificate(folder: Path) -> Path:
    """Write a self-signed certificate for localhost and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "front.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + certificate.public_bytes(Encoding.PEM)
    )
    return path
