"""Tokens are found in the usual encodings, and nothing else is taken for one."""

import base64
import html
import json
import quopri
import textwrap
from collections.abc import Callable
from random import Random
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from developers import tokens
from developers.outbound.token_search import DEPTH, holds_token

BODY = tokens.PREFIX + "aZ09" * 10
TOKEN = BODY + tokens.checksum(BODY)


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def as_utf_16(codec: str) -> Callable[[str], str]:
    return lambda text: text.encode(codec).decode("latin-1")


def base64_of_utf_16(codec: str) -> Callable[[str], str]:
    return lambda text: base64.b64encode(text.encode(codec)).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "percent": percent,
    "percent, upper case": lambda text: percent(text).upper(),
    "percent, underscore only": lambda text: text.replace("_", "%5F"),
    "percent, as escape() writes it": lambda text: "".join(f"%u{ord(letter):04x}" for letter in text),
    "HTML, decimal": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "HTML, decimal without semicolons": lambda text: "".join(f"&#{ord(letter):07}" for letter in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(letter):x};" for letter in text),
    "HTML, hexadecimal without semicolons": lambda text: "".join(f"&#X{ord(letter):06X}" for letter in text),
    "HTML, by name": lambda text: text.replace("_", "&lowbar;").replace("&", "&amp;"),
    "JSON": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "JSON, underscore only": lambda text: text.replace("_", "\\u005F"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text.replace("_", "°"))).replace("00b0", "005f"),
    "JavaScript": lambda text: "".join(f"\\x{ord(letter):02x}" for letter in text),
    "JavaScript, code points": lambda text: "".join(f"\\u{{{ord(letter):x}}}" for letter in text),
    "base64": base64_of,
    "base64 without padding": lambda text: base64_of(text).rstrip("="),
    "base64url": lambda text: base64.urlsafe_b64encode(f"??>>{text}".encode()).decode(),
    "base64 in lines": lambda text: "\n".join(textwrap.wrap(base64_of(text), 20)),
    "base64 in lines of MIME": lambda text: "\r\n".join(textwrap.wrap(base64_of(text), 76)),
    "base64 in lines, folded": lambda text: "\n \t".join(textwrap.wrap(base64_of(text), 11)),
    "base64 in lines, escaped in JSON": lambda text: json.dumps(base64.encodebytes(text.encode()).decode()),
    "base64 with blanks as plus signs": lambda text: "+".join(textwrap.wrap(base64_of(text), 9)),
    "base64 after other letters": lambda text: f"abc{base64_of(text)}",
    "base64 in a data URL": lambda text: f"data:text/plain;charset=utf-8;base64,{base64_of(text)}",
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, upper case, in pairs": lambda text: text.encode().hex(":").upper(),
    "hexadecimal after an odd digit": lambda text: f"f{text.encode().hex()}",
    "UTF-16-LE": as_utf_16("utf-16-le"),
    "UTF-16-BE": as_utf_16("utf-16-be"),
    "UTF-16 with its mark": as_utf_16("utf-16"),
    "UTF-32": as_utf_16("utf-32"),
    "UTF-16-LE in base64": base64_of_utf_16("utf-16-le"),
    "UTF-16-BE in base64": base64_of_utf_16("utf-16-be"),
    "UTF-16 with its mark in base64": base64_of_utf_16("utf-16"),
    "UTF-16 in hexadecimal": lambda text: text.encode("utf-16").hex(),
    "UTF-16 in percent escapes": lambda text: quote(text.encode("utf-16")),
    "quoted-printable": lambda text: quopri.encodestring(text.encode(), quotetabs=True, header=True).decode(),
    "quoted-printable, underscore only": lambda text: text.replace("_", "=5F"),
    "quoted-printable, soft line breaks": lambda text: "=\r\n".join(textwrap.wrap(text, 20)),
    "lines": lambda text: "\n".join(textwrap.wrap(text, 20)),
    "a list": lambda text: json.dumps(textwrap.wrap(text, 10)),
}  # fmt: skip
AROUND = ["{}", "me:{}", "x{}x", "Grüße, {} ÿ\n", '{{"a": ["b", "{}"]}}', "??{}", "~~~{}"]
# Those that encode any text and keep escapes whole, so that each can encode the result of another.
NESTABLE = [
    name for name in ENCODINGS if name not in ("a list", "JSON in JSON", "lines", "HTML, decimal without semicolons")
]


@pytest.mark.no_cover
@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_a_token_is_found_in_every_usual_encoding(encode: Callable[[str], str]) -> None:
    missed = [
        around
        for around in AROUND
        if not (holds_token(around.format(encode(TOKEN))) and holds_token(encode(around.format(TOKEN))))
    ]

    assert missed == []


@pytest.mark.parametrize("encode", [percent, base64_of, ENCODINGS["HTML, decimal"], ENCODINGS["hexadecimal"]])
def test_a_token_is_found_encoded_again_and_again(encode: Callable[[str], str]) -> None:
    text = TOKEN
    for _ in range(DEPTH):
        text = encode(text)

    assert holds_token(text)
    assert holds_token(text.encode())


def test_a_soft_line_break_within_an_escape_hides_no_token() -> None:
    assert holds_token(ENCODINGS["quoted-printable, soft line breaks"](ENCODINGS["HTML, decimal"](TOKEN)))


@settings(max_examples=40)
@given(
    random=st.binary(min_size=40, max_size=40), names=st.lists(st.sampled_from(NESTABLE), max_size=2), around=st.text()
)
def test_a_token_is_found_in_one_encoding_within_another(random: bytes, names: list[str], around: str) -> None:
    body = tokens.PREFIX + "".join(tokens.ALPHABET[byte % 62] for byte in random)
    text = body + tokens.checksum(body)
    for name in names:
        text = ENCODINGS[name](text)

    assert holds_token(f"{around.replace(chr(92), '')}\n{text}\n{around}")


@given(st.text() | st.binary())
def test_no_other_text_is_taken_for_a_token(text: str | bytes) -> None:
    assert not holds_token(text)


@pytest.mark.parametrize(
    "text",
    [
        BODY + "000000",
        TOKEN[:-1],
        TOKEN.lower(),
        base64_of(BODY + "000000"),
        f"{base64_of(json.dumps({'alg': 'ES256'}))}.{base64_of(json.dumps({'name': 'bpat_'}))}.c2lnbmF0dXJl" * 9,
        html.escape(json.dumps({"text": "Grüße & <b>100 %</b> = 5"})) * 99,
        "&#" + "9" * 5000 + ";",
        "\\u{110000} \\u{ffffff} %u00e9 &#xffffff; &#1114112; &notanentity;" * 9,
    ],
)  # fmt: skip
def test_what_only_looks_like_a_token_is_let_through(text: str) -> None:
    assert not holds_token(text)


@pytest.mark.no_cover
def test_a_megabyte_of_noise_is_let_through() -> None:
    noise = Random(1).randbytes(1024 * 1024)  # noqa: S311 - the same at every run

    assert not holds_token(noise)
    assert not holds_token(base64.b64encode(noise[: 3 * 256 * 1024]))
    assert not holds_token(noise[: 512 * 1024].hex())


def test_a_text_with_too_many_readings_is_taken_for_one_that_holds_a_token() -> None:
    """Each of the two escapes can be decoded five times, which makes twenty-one combinations."""
    text = "%2525252541=3D3D3D3D41" + "." * 400

    assert not holds_token(text)
    assert holds_token(text * 100)
