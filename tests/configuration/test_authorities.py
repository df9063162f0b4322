"""A file of certificate authorities is one that can be used, or is refused."""

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from botpenguin.configuration import authorities
from tests.developers.outbound.certificates import Authority


def test_no_file_is_none() -> None:
    assert authorities.checked("") == ""


@pytest.mark.parametrize("more", [b"", b"# An authority of ours\n", b"\xef\xbb\xbf", b"\r\n\r\n"])
def test_a_file_of_certificates_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: bytes) -> None:
    path = Authority(tmp_path).write(tmp_path / "app #1?.pem")
    path.write_bytes(more + path.read_bytes() + path.read_bytes())
    monkeypatch.chdir(tmp_path)

    assert authorities.checked("app #1?.pem") == str(path)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hunter2",
        b"\0\1\2",
        b"-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
    ],
)
def test_a_file_without_certificates_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(data)

    with pytest.raises(ImproperlyConfigured, match=r"^CA_FILE names no file of certificates in PEM"):
        authorities.checked(str(path))


@pytest.mark.parametrize("path", ["/nowhere/ca.pem", os.sep, "ca\0.pem", "x" * 5000])
def test_what_is_no_file_is_refused(path: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^CA_FILE names no file of certificates in PEM"):
        authorities.checked(path)


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    path = Authority(tmp_path).write(tmp_path / "ca.pem")
    path.write_bytes(path.read_bytes()[:-60])

    with pytest.raises(ImproperlyConfigured, match=r"^CA_FILE names no file of certificates in PEM"):
        authorities.checked(str(path))
