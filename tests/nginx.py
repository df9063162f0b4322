"""Runs nginx with the configuration of `deploy/` on free ports of the loopback, in front of a test's nodes."""

import os
import shutil
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.server import ROOT, free_port, poll

HOST = "app.example.com"
DEPLOY = ROOT / "deploy" / "nginx"
# What Debian's own nginx.conf gives around a site, as far as it matters here.
MAIN = """\
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include conf.d/*.conf;
}}
"""


class Nginx:
    """nginx in front of nodes at these ports. Only ports, paths and nodes differ from the file in `deploy/`."""

    def __init__(self, folder: Path, *nodes: int) -> None:
        self.folder, self.http, self.https = folder, free_port(), free_port()
        (folder / "conf.d").mkdir(parents=True)
        (folder / "snippets").mkdir()
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user))
        for snippet in DEPLOY.glob("botpenguin-*.conf"):
            shutil.copy(snippet, folder / "snippets")
        self.write_site("botpenguin.conf")
        self.write_nodes(*nodes)
        write_certificate(folder)

    def write_site(self, name: str) -> None:
        site = (DEPLOY / name).read_text()
        for old, new in (
            ("listen 80", f"listen 127.0.0.1:{self.http}"),
            ("listen 443", f"listen 127.0.0.1:{self.https}"),
            ("/etc/nginx/tls/", f"{self.folder}/"),
            ("/var/log/nginx/", f"{self.folder}/"),
        ):
            assert old in site
            site = site.replace(old, new)
        (self.folder / "conf.d" / name).write_text(site)

    def change(self, name: str, old: str, new: str) -> None:
        """Replace what stands in a file, before the start."""
        path = self.folder / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def write_nodes(self, *ports: int) -> None:
        upstream = (DEPLOY / "upstream.conf").read_text()
        lines = [line for line in upstream.splitlines() if "server 127" not in line and line != "}"]
        lines += [f"server 127.0.0.1:{port} max_fails=3 fail_timeout=1s;" for port in ports]
        (self.folder / "conf.d" / "upstream.conf").write_text("\n".join([*lines, "}"]))

    @property
    def command(self) -> list[str]:
        found = shutil.which("nginx") or "/usr/sbin/nginx"
        if not Path(found).exists():
            sys.exit("nginx is missing. Run: sudo apt-get install --no-install-recommends nginx")
        return [found, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]

    def check(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self.command, "-t"], capture_output=True, text=True, check=False)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        poll((self.folder / "nginx.pid").exists)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait(60)

    @property
    def tls(self) -> ssl.SSLContext:
        return self.tls_of(HOST)

    def tls_of(self, host: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.folder / f"{host}.pem"))
        context.check_hostname = False
        return context


def write_certificate(folder: Path, host: str = HOST) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{host}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{host}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
