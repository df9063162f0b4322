"""`.env` is read as other tools read it, or refused by line number; nothing prints a value."""

import codecs
import os
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from botpenguin import bootstrap
from botpenguin.configuration import env_file
from tests import server

SECRET = "hunter2-ÿ"
Bootstrap = Callable[[], Path | None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.fixture
def ensure_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path | None]:
    def call(**settings: str) -> Path | None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", server.environment(tmp_path, **settings))
            return bootstrap.ensure_secrets()

    return call


def refusal(file: Path) -> str:
    """Return the sentence of the refusal; the whole traceback must not show a value."""
    with pytest.raises(ImproperlyConfigured) as caught:
        env_file.read(file)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"KEY=a b",
        b"KEY=a b\r\nOTHER=1\r\n",
        b"\r\n\r\nKEY=a b\r\n",
        codecs.BOM_UTF8 + b"KEY=a b\n",
        codecs.BOM_UTF8 + b"# comment\nKEY=a b\n",
        b"  KEY = a b  \n",
        b"\tKEY\t=\ta b\n",
        b"export KEY=a b\n",
        b"export\tKEY='a b'\n",
        b'KEY="a b"\n',
        b"KEY='a b' # why\n",
        b"KEY=a b # why\n",
        b"KEY=a b\nKEY='a b'\n",
        b"'KEY'=a b\n",
        "KEY=\u00a0a b\u00a0\n".encode(),
        b"OTHER=1\rKEY=a b\r",
    ],
)
def test_a_file_is_read_as_other_tools_read_it(file: Path, data: bytes) -> None:
    file.write_bytes(data)

    assert env_file.read(file)["KEY"].value == "a b"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=", ""),
        ("KEY=''", ""),
        ("KEY=a#b", "a#b"),
        ("KEY=#b", "#b"),
        ("KEY==b=", "=b="),
        ("KEY=$HOME ${HOME}", "$HOME ${HOME}"),
        ("KEY='$HOME'", "$HOME"),
        ("KEY=ÿ日本語", "ÿ日本語"),
        (r"KEY='a\'b'", "a'b"),
        (r'KEY="a\"b"', 'a"b'),
        ("KEY=it's", "it's"),
        ("KEY=BotPenguin <no-reply@example.com>", "BotPenguin <no-reply@example.com>"),
    ],
)
def test_a_value_is_what_is_written(file: Path, line: str, value: str) -> None:
    file.write_text(f"{line}\nNEXT=1\n")

    assert env_file.read(file) == {"KEY": (value, 1), "NEXT": ("1", 2)}


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40))
def test_any_value_in_single_quotes_is_read_back(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.env"
    quoted = value.replace("\\", r"\\").replace("'", r"\'")
    file.write_bytes(f"# comment\r\nKEY = '{quoted}'\r\n".encode())

    assert env_file.read(file) == {"KEY": (value, 2)}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (f"A=1\n{SECRET}\n".encode(), 2),
        (f"A=1\r\n\r\n{SECRET} {SECRET}\r\n".encode(), 3),
        (f"# comment\n\n\nKEY: {SECRET}\n".encode(), 4),
        (f"A=1\n'KEY={SECRET}\n".encode(), 2),
        (f"A=1\nKEY='{SECRET}\nB=2\n".encode(), 2),
        (f'A=1\nKEY="{SECRET}\nB=2"\n'.encode(), 2),
        (f'KEY="{SECRET}" {SECRET}\n'.encode(), 1),
        (f"A=1\nexport {SECRET}\n".encode(), 2),
        (f"A=1\nset KEY={SECRET}\n".encode(), 2),
        (f"A=1\n={SECRET}\n".encode(), 2),
        (f"A=1\nSECRET-KEY={SECRET}\n".encode(), 2),
        (f"A=1\n\ufeffKEY={SECRET}\n".encode(), 2),
        (f"A=1\nSCHLÜSSEL={SECRET}\n".encode(), 2),
        (f"A=1\r\nKEY={SECRET}\r\n".encode("latin-1"), 2),
        (b"A=1\rKEY=hunter2\xff\r", 2),
        (f"A=1\nKEY={SECRET}\0\n".encode(), 2),
        (f"KEY={SECRET}\n".encode("utf-16"), 1),
        (codecs.BOM_UTF16_BE + f"KEY={SECRET}\n".encode("utf-16-be"), 1),
        (f"KEY={SECRET}\n".encode("utf-16-le"), 1),
        (f"KEY={SECRET}\n".encode("utf-16-be"), 1),
        (f"KEY={SECRET}\n".encode("utf-32"), 1),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_line(file: Path, data: bytes, line: int) -> None:
    file.write_bytes(data)

    sentence = refusal(file)

    assert str(file) in sentence
    assert f"ine {line}" in sentence


def test_two_values_of_one_name_are_refused_by_their_lines(file: Path) -> None:
    file.write_text("A=1\nKEY=hunter2\nB=2\n\nKEY=hunter22\n")

    assert refusal(file) == f"Lines 2 and 5 of {file} give KEY different values. Remove one of them."


def test_a_file_that_may_not_be_read_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.touch()
    loop = file.with_name("loop")
    loop.symlink_to(file)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    # root may read everything
    monkeypatch.setattr(Path, "read_bytes", refuse)

    assert refusal(loop) == f"{loop} cannot be read: Permission denied."


def test_a_file_that_is_not_there_has_no_entries(file: Path) -> None:
    assert env_file.read(file) == {}
    assert env_file.read(Path(os.devnull)) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("TOKEN_KEY=hunter2", "Line 1 of {} sets TOKEN_KEY, but no TOKEN_KEYS. "),
        ("A=1\ntoken_keys=hunter2", "Line 2 of {} sets token_keys, but no TOKEN_KEYS. "),
        ("Secret_Key=hunter2", "Line 1 of {} sets Secret_Key, but no SECRET_KEY. "),
        ("SECRETKEY=hunter2", "Line 1 of {} sets SECRETKEY, but no SECRET_KEY. "),
        ("SECRET_KEYS=hunter2", "Line 1 of {} sets SECRET_KEYS, but no SECRET_KEY. "),
        ("SECERT_KEY=hunter2", "Line 1 of {} sets SECERT_KEY, but no SECRET_KEY. "),
        ("TOKENS_KEYS=hunter2", "Line 1 of {} sets TOKENS_KEYS, but no TOKEN_KEYS. "),
        ("TOKEN_KEYS=", "TOKEN_KEYS is empty in line 1 of {}. Put"),
        ("\n\nSECRET_KEY='  '", "SECRET_KEY is empty in line 3 of {}. Put"),
    ],
)
def test_a_secret_that_is_misspelled_or_empty_is_not_replaced(
    ensure_secrets: Bootstrap, file: Path, text: str, sentence: str
) -> None:
    file.write_text(text)

    with pytest.raises(bootstrap.SecretsMissing) as caught:
        ensure_secrets()

    assert str(caught.value).startswith(sentence.format(file))
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"TOKEN_KEY": "hunter2"}, "The environment sets TOKEN_KEY, but no TOKEN_KEYS. "),
        ({"secret_key": "hunter2"}, "The environment sets secret_key, but no SECRET_KEY. "),
        ({"TOKEN_KEYS": " "}, "TOKEN_KEYS is empty in the environment. Put"),
    ],
)
def test_a_secret_in_the_environment_is_not_replaced_either(
    ensure_secrets: Callable[..., Path | None], file: Path, settings: dict[str, str], sentence: str
) -> None:
    with pytest.raises(bootstrap.SecretsMissing) as caught:
        ensure_secrets(**settings)

    assert str(caught.value).startswith(sentence)
    assert "hunter2" not in str(caught.value)
    assert not file.exists()


def test_secrets_of_other_programs_are_no_misspelled_ones(
    ensure_secrets: Callable[..., Path | None], file: Path
) -> None:
    file.write_text("POSTGRES_PASSWORD=x\nAPI_KEY=x\n")

    assert ensure_secrets(AWS_SECRET_KEY="x", GITHUB_TOKEN="x") == file


@pytest.mark.parametrize(
    ("before", "newline"),
    [
        (codecs.BOM_UTF8 + b"A=1", b"\n"),
        (codecs.BOM_UTF8 + b"A=1\r\nB=2\r\n", b"\r\n"),
        (b"A=1\r\nB=2", b"\r\n"),
        (b"A=1\n\n", b"\n"),
        (b"# comment", b"\n"),
        (b"A='x'", b"\n"),
        ("A=ÿ日本語".encode(), b"\n"),
        (b"\n", b"\n"),
        (b"A=1\r", b"\n"),
    ],
)
def test_secrets_are_added_to_any_file_and_to_nothing_else_in_it(
    ensure_secrets: Bootstrap, file: Path, before: bytes, newline: bytes
) -> None:
    file.write_bytes(before)
    entries = env_file.read(file)

    ensure_secrets()

    written = file.read_bytes()
    assert written.startswith(before)
    assert env_file.read(file).items() >= entries.items()
    assert {"SECRET_KEY", "TOKEN_KEYS"} == env_file.read(file).keys() - entries.keys()
    assert written[len(before) :].count(newline) == written[len(before) :].count(b"\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_start_prints_a_line_of_the_file(tmp_path: Path, file: Path) -> None:
    file.write_text("SECRET_KEY=hunter2\nTOKEN_KEYS hunter2\n")

    started = server.try_to_serve(tmp_path)

    assert (started.returncode, started.stdout) == (1, "")
    assert started.stderr.startswith(f"Line 2 of {file} is no setting")
    assert "hunter2" not in started.stderr
