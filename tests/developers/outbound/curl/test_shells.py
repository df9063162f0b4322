"""Commands as bash and cmd.exe take them, and as browsers copy them."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound import curl
from developers.outbound.curl import cmd, posix
from developers.outbound.recipe import Recipe, RecipeField

A = "https://a.test"
CMD_OF_CHROME = r"""curl ^"https://api.example.com/v1/orders?page=1^&q=a^%^20b^&f^\[0^\]=x^" ^
  -X ^"PUT^" ^
  -H ^"accept: */*^" ^
  -H ^"authorization: Bearer abc.def^" ^
  -b ^"sid=1; theme=dark^" ^
  -H ^"content-type: application/json^" ^
  -H ^"sec-ch-ua: ^\^"Chromium^\^";v=^\^"130^\^", ^\^"Not?A_Brand^\^";v=^\^"99^\^"^" ^
  -H ^"sec-fetch-mode: cors^" ^
  --data-raw ^"^{^\^"a^\^":^\^"1 ^& 2 ^| ^%^41 100^% ^^ ^<x^>^\^",^\^"path^\^":^\^"C:^\^\^\^\dir^\^"^}^"
"""
CMD_OF_FIREFOX = """curl ^"https://api.example.com/v1/orders?page=1^&q=x^" ^\r
  --compressed ^\r
  -X POST ^\r
  -H ^"Accept-Encoding: gzip, deflate, br^" ^\r
  -H ^"Content-Type: text/plain^" ^\r
  -H ^"Connection: keep-alive^" ^\r
  --data-raw ^"first^\r
\r
second ^%^41^"
"""


def test_cmd_of_chrome_and_edge_is_read() -> None:
    imported = curl.read(CMD_OF_CHROME)

    recipe = imported.recipe
    assert (recipe.method, recipe.url) == ("PUT", "https://api.example.com/v1/orders")
    assert [(each.name, each.value) for each in recipe.parameters] == [("page", "1"), ("q", "a b"), ("f[0]", "x")]
    assert [(each.name, each.value) for each in recipe.headers] == [
        ("Cookie", "sid=1; theme=dark"),
        ("accept", "*/*"),
        ("authorization", "Bearer abc.def"),
    ]
    # Its Content-Type is that of its kind.
    assert recipe.body_kind == "json"
    assert recipe.body == r"""{"a":"1 & 2 | %41 100% ^ <x>","path":"C:\\dir"}"""
    assert imported.left_out == ("Headers that each sender writes itself are left out: sec-ch-ua, sec-fetch-mode.",)
    assert not imported.to_do


def test_cmd_of_firefox_is_read() -> None:
    imported = curl.read(CMD_OF_FIREFOX)

    assert imported.recipe.body == "first\nsecond %41"
    assert imported.left_out == (
        "--compressed is left out: each response is decompressed.",
        "Headers that each sender writes itself are left out: Accept-Encoding, Connection.",
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (r'-d "{""a"":""b""}"', ["-d", '{"a":"b"}']),
        (r'-d "{\"a\":\"x & y | z\"}" -s', ["-d", '{"a":"x & y | z"}', "-s"]),
        (r'-d "100"%"" -s', ["-d", "100%", "-s"]),
        ('-d "a"^\n\n"b"', ["-d", "a\nb"]),
        (r"C:\dir\ \\x", ["C:\\dir\\", r"\\x"]),
        (r'"C:\dir\\" x', ["C:\\dir\\", "x"]),
        ('"" x', ["", "x"]),
        ('""" x"', ['" x']),
        ("it's -s", ["it's", "-s"]),
        ("-s ^\n  -k ^  \n -v", ["-s", "-k", "-v"]),
        ("a^^b ^& c", ["a^b", "&", "c"]),
        ("a > out.txt -s 2>nul", ["a", "-s"]),
        ("a | findstr x", ["a"]),
        ("a & b", ["a"]),
        ("https://a.test/?a=1&b=2 -s", ["https://a.test/?a=1&b=2", "-s"]),
        ("a\n-s\nb", ["a", "-s"]),
        ("-s ^", ["-s", "^"]),
    ],
)
def test_cmd_splits_as_windows_does(command: str, words: list[str]) -> None:
    assert cmd.split(command).words == words


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (r"a\ b 'c'\''d' \"x", ["a b", "c'd", '"x']),
        (r'"a\"b\\c\d\`e\$f"', [r'a"b\c\d`e$f']),
        ('"a\\\nb"', ["ab"]),
        (r"$'\041\x41\x4 \u00e9\U1F600\cA\e\E\?\'\"\n'", ["!A\x04 é😀\x01\x1b\x1b?'\"\n"]),
        (r"$'\ud83d\ude00\1\12\1234'", ["😀\x01\nS4"]),
        ('$"x" \'\' ""', ["x", "", ""]),
        ("a#b #c", ["a#b"]),
        ("a \\\n  b\\\nc 'd'\\\n'e' f\\ \ng", ["a", "bc", "de", "f", "g"]),
        ("<token> 'x'<my id>", ["<token>", "x<my id>"]),
        ("a <in >out b c >> d e 3>&1 f <<< g h", ["a", "b", "c", "e", "f", "h"]),
        ("a&&b", ["a"]),
        ("a&b", ["a"]),
        ("a)", ["a"]),
        ("-d @- -s <<'EOF' -k\n{\"a\":\n1}\nEOF\ncurl b", ["-d", '{"a":\n1}', "-s", "-k"]),
        ("-d @- <<EOF\n$X\n  EOF", ["-d", "$X"]),
        ("-d @- <<EOF\nEOF", ["-d", ""]),
        ("-d @- <<EOF\n\nan EOF\nEOF", ["-d", "\nan EOF"]),
        ("-d x <a <<EOF\nb", ["-d", "x"]),
        ("-d x <<EOF -k", ["-d", "x", "-k"]),
        ("https://a.test/?x=1&y=2&z=3 -s", ["https://a.test/?x=1&y=2&z=3", "-s"]),
        ('$X ${Y} `date` $(date) "$X ${Y}"', ["$X", "${Y}", "`date`", "$(date)", "$X ${Y}"]),
    ],
)
def test_bash_splits_as_posix_has_it(command: str, words: list[str]) -> None:
    assert posix.split(command).words == words


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("-H 'A: $X'", ()),
        (r'-H "A: \$X"', ()),
        (r"-H A:\$X", ()),
        ("-H $'A: $X'", ()),
        ('-H "A: $X" -d "${Y}" -b c=$Z', "$X, ${Y}, $Z"),
        ('-H "A: $X" -H "B: $X"', "$X"),
        ('-H "A: $(pass show x)"', "$(pass show x)"),
        ("-d 'a'\"'$X'\"'b'", "$X"),
        ("-d @- <<EOF\n$X\nEOF", "$X"),
        ("-d @- <<'EOF'\n$X\nEOF", ()),
        ('-H ^"A: %TOKEN%^"', "%TOKEN%"),
        ('-H ^"A: %E2%82%AC ^%^41%^"', ()),
    ],
)
def test_only_variables_that_the_shell_would_fill_in_are_named(command: str, names: str) -> None:
    to_do = [each for each in curl.read(f"curl {A} {command}").to_do if "variables" in each]

    assert to_do == ([f"Replace these shell variables by values: {names}."] if names else [])


def test_ampersands_outside_of_quotation_marks_belong_to_the_url() -> None:
    for text in (f"curl {A}/?a=1&b=2&c=3 -L", f"C:\\>curl {A}/?a=1&b=2&c=3 -L"):
        imported = curl.read(text)

        assert [each.name for each in imported.recipe.parameters] == ["a", "b", "c"]
        assert imported.recipe.follows_redirects
        assert imported.to_do == ("The URL holds & outside of quotation marks. It is read as a part of the URL.",)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("curl 'https://a.test", "A quotation mark ' is never closed. Paste the whole command."),
        ("curl a.test -H 'X: secret", "The quotation mark ' after -H is never closed. Paste the whole command."),
        ('curl a.test --data "{', 'The quotation mark " after --data is never closed. Paste the whole command.'),
        ('curl ^"a.test', 'A quotation mark " is never closed. Paste the whole command.'),
        ('curl ^"a.test^" -d ^"secret', 'The quotation mark " after -d is never closed. Paste the whole command.'),
        ("curl a.test -d $'secret", "The quotation mark ' after -d is never closed. Paste the whole command."),
        ("curl -s a.test 'secret", "A quotation mark ' is never closed. Paste the whole command."),
        ("curl a.test -d \"it's", 'The quotation mark " after -d is never closed. Paste the whole command.'),
    ],
)
def test_a_mark_that_is_never_closed_is_named_by_its_place(command: str, sentence: str) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(command)

    assert str(refused.value) == sentence


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30)


def ansi_c(text: str) -> str:
    """Quote as Chrome and Firefox do for bash."""
    escaped = re.sub(r"[\\']", r"\\\g<0>", text).replace("\n", "\\n")
    return "$'" + re.sub(r"[\x01-\x1f!]|[^\x20-\x7e]", lambda match: _units(str(match[0])), escaped) + "'"


def _units(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def caret(text: str) -> str:
    """Quote as Chrome does for cmd.exe."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", r"^\g<0>", text, flags=re.ASCII)
    return '^"' + re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text).replace("\n", "^\n\n") + '^"'


def doubled(text: str) -> str:
    """Quote as Firefox of some years did for cmd.exe."""
    text = text.replace("\\", "\\\\").replace('"', '""').replace("%", '"%"')
    return '"' + text.replace("\n", '"^\n\n"') + '"'


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_what_each_shell_quotes_is_read_back(words: list[str]) -> None:
    assert posix.split(shlex.join(words)).words == words
    assert posix.split(" \\\n  ".join(map(ansi_c, words))).words == words
    assert cmd.split(" ^\n  ".join(map(caret, words))).words == words


@given(TEXT, TEXT.map(lambda text: " ".join(text.split())))
def test_a_command_in_each_dialect_is_the_same_call(body: str, value: str) -> None:
    headers = (RecipeField("X", value), RecipeField("Content-Type", "a/b"))
    recipe = Recipe("POST", A, headers=headers, body=body, body_kind="text")
    words = [A, "-H", f"X: {value}" if value else "X;", "-H", "Content-Type: a/b", "--data-raw", body]

    for quoted in (shlex.quote, ansi_c, caret):
        assert curl.read("curl " + " ".join(map(quoted, words))).recipe == recipe
