"""What copying adds to a command is taken away, and nothing inside of quotation marks changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound import curl
from developers.outbound.body import body_of
from developers.outbound.curl.cleaning import straightened
from developers.outbound.recipe import Recipe, RecipeField

A = "https://a.test/v1"
NO_CONTENT_TYPE = "Without a Content-Type curl sends the body as a form. If the server wants JSON, choose JSON."
FORM = RecipeField("Content-Type", "application/x-www-form-urlencoded")
PLAIN = Recipe("POST", A, headers=(RecipeField("X-Key", "k 1"), FORM), body='{"a": 1}', body_kind="text")
COMMAND = f"""curl {A} -H 'X-Key: k 1' -d '{{"a": 1}}'"""
LINES = f"""curl {A} \\\n  -H 'X-Key: k 1' \\\n  -d '{{"a": 1}}'"""


@pytest.mark.parametrize(
    "prompt",
    [
        *("$ ", "% ", "# ", "> ", "❯ ", "➜ ", "$  ", "user@host:~$ ", "root@server:/srv/app# ", "[me@box ~]$ "),
        *("(venv) me@box:~/x$ ", "me@MacBook-Pro ~ % ", "bash-5.1$ ", "sh-3.2# ", "PS C:\\Users\\me> ", "PS> "),
        *("PS /home/me> ", "C:\\Users\\my name>", "C:\\>", "\xa0$ ", "(base) $ "),
    ],
)
def test_prompts_are_taken_away(prompt: str) -> None:
    assert curl.read(f"{prompt}curl -X PUT {A}").recipe == Recipe("PUT", A)


@pytest.mark.parametrize(
    "text",
    [
        f"```bash\n{COMMAND}\n```",
        f"Call it so:\n\n~~~\n{COMMAND}\n~~~\n\nThen wait.",
        f"`{COMMAND}`",
        f"   ```sh\r\n   {COMMAND}\r\n   ```\r\n",
        f"```\n{COMMAND}",
        f"\ufeff{COMMAND}",
        f"\u200b{COMMAND}\u200b",
        LINES.replace("\n", "\r\n"),
        LINES.replace("\\\n", "\\ \t\n"),
        LINES.replace("\\\n", "\\\xa0\n"),
        LINES.replace("\\\n", "\n"),
        LINES.replace("\n  ", "\n> "),
        f"$ {LINES}".replace("\n  ", "\n>   "),
        LINES.replace("  -", "\xa0\u2003-"),
        LINES.replace(" -H", " –H").replace(" -d", " —d"),
        LINES.replace(" -H", " —header").replace(" -d", " –data"),
        LINES.replace(" -H", " –-header").replace(" -d", " −−data-raw"),
        LINES.replace("-H 'X-Key: k 1'", "-H “X-Key: k 1”"),
        LINES.replace("-H 'X-Key: k 1'", "-H „X-Key: k 1“"),
        LINES.replace("'", "’"),
        LINES.replace("-d '", "-d ‘").replace("}'", "}’").replace('"', "”"),
        LINES.replace("'", '"').replace('"a"', '\\"a\\"'),
        LINES.replace("-d '", "-d “").replace("}'", "}”").replace('"a"', "“a”"),
        f"curl\xa0{A} -H ＇X-Key: k 1＇ -d ＇{{＂a＂: 1}}＇",
        f"{COMMAND};",
        f"{COMMAND} ;",
        f"{COMMAND}&",
        f"answer=$({COMMAND})",
        f'echo "$({COMMAND})"',
        f"{COMMAND} \\",
        f"{COMMAND} # makes an order",
        f"# Make an order\n\n{COMMAND}",
        f"// Make an order\n{COMMAND}",
        f"REM Make an order\n{COMMAND}",
        f"{COMMAND} > out.json 2>&1",
        f"{COMMAND} 2>/dev/null",
        f"{COMMAND} &> log.txt",
        f"/usr/bin/{COMMAND}",
        f"sudo {COMMAND}",
        f"LANG=C time {COMMAND}",
    ],
)
def test_what_documents_and_terminals_add_changes_nothing(text: str) -> None:
    imported = curl.read(text)

    assert imported.recipe == PLAIN
    assert imported.to_do == (NO_CONTENT_TYPE,)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (f"{COMMAND} | jq .items", "What follows the command is left out: | jq."),
        (f"{COMMAND}|jq", "What follows the command is left out: | jq."),
        (f"{COMMAND} && echo done", "What follows the command is left out: && echo."),
        (f"{COMMAND} || exit 1", "What follows the command is left out: || exit."),
        (f"{COMMAND}; curl https://b.test -u a:secret", "What follows the command is left out: ; curl."),
        (f"{COMMAND}\ncurl https://b.test", "Only the first command is read. Paste the others one at a time."),
        (f"export KEY=1\n{COMMAND}", "The lines before the command are left out."),
        (f"Call it:\n{COMMAND}", "The lines before the command are left out."),
    ],
)
def test_what_stands_around_the_command_is_left_out_with_a_note(text: str, note: str) -> None:
    imported = curl.read(text)

    assert imported.recipe == PLAIN
    assert imported.left_out == (note,)


@pytest.mark.parametrize(
    "text",
    [
        *("“quoted” – dash", "it’s ‘x’", "a\xa0b\u2003c", "z\u200bw\ufeffj", "# no comment", "$ no prompt", "> x\n> y"),
        *("a;b|c&d", "```\nfence\n```", "line \\ \nline", "–H —data", "&amp; &quot;", "\u2028", "^ ` !", "trailing\\"),
    ],
)
@pytest.mark.parametrize("quote", ["'", "$'"])
def test_nothing_inside_of_quotation_marks_changes(text: str, quote: str) -> None:
    inside = text.replace("\\", "\\\\") if quote == "$'" else text

    imported = curl.read(f"curl {A} --data-raw {quote}{inside}'")

    assert body_of(imported.recipe) == text


@given(st.text(st.sampled_from("ab “”‘’–—\xa0\u200b#;|&>\n$^`\\"), max_size=20))
def test_text_in_straight_marks_stays(text: str) -> None:
    assert straightened(f"curl '{text}'") == f"curl '{text}'"


def test_marks_that_only_open_are_turned_in_pairs() -> None:
    assert straightened("“" * 30) == '""' * 15


@pytest.mark.parametrize("text", ["‘", "curl ‘x", "curl “x y", "curl a’b", "curl ’"])
def test_a_curly_mark_without_another_is_text(text: str) -> None:
    assert straightened(text) == text
