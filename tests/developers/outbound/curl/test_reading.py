"""Reading and writing curl commands, without running them or opening files."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest

from developers.outbound import curl
from developers.outbound.fields import fields_of
from developers.outbound.recipe import Recipe, RecipeField

A = "https://a.test"
FORM = "application/x-www-form-urlencoded"
KINDS = "Paste a curl command, fetch(…), Invoke-WebRequest or an HTTP request as text."


def form(body: str, *headers: RecipeField) -> Recipe:
    return Recipe("POST", A, headers=headers, body_kind="form", body_fields=fields_of(body) or ())


@pytest.mark.parametrize(
    ("command", "recipe"),
    [
        (f"curl {A}", Recipe("GET", A)),
        ("$ curl.exe a.test", Recipe("GET", A)),
        (
            f"curl '{A}/x?a=1&b=&a=2#end'",
            Recipe("GET", f"{A}/x", (RecipeField("a", "1"), RecipeField("b", ""), RecipeField("a", "2"))),
        ),
        (f"curl -sXPUT {A} -d '' \\\n  -L", Recipe("PUT", A, body_kind="form", follows_redirects=True)),
        (f"curl --request=delete --url {A}", Recipe("DELETE", A)),
        (
            f"curl {A} -H 'A: 1' -H 'A: 2' -H 'Host:' -H 'B;'",
            Recipe("GET", A, headers=(RecipeField("A", "1"), RecipeField("A", "2"), RecipeField("B", ""))),
        ),
        (f"curl {A} -d a=1 -d b=2", form("a=1&b=2")),
        (
            f"curl -G {A} --data-urlencode 'q=a b' --data-urlencode '=c&d' --data-urlencode e",
            Recipe("GET", A, (RecipeField("q", "a b"), RecipeField("c&d", ""), RecipeField("e", ""))),
        ),
        (f"curl {A} --data-raw '@plain'", form("@plain")),
        (f"curl {A} --data-urlencode q=ä", form("q=%C3%A4")),
        (f"curl {A} -H $'A: it\\'s \\u00e9\\x41\\n'", Recipe("GET", A, headers=(RecipeField("A", "it's éA"),))),
        (
            f"curl {A} -d $'\\ud83d\\ude00'",
            form("😀"),
        ),
        (f"curl {A} -u me:pw", Recipe("GET", A, headers=(RecipeField("Authorization", "Basic bWU6cHc="),))),
        (f"curl {A} --oauth2-bearer t", Recipe("GET", A, headers=(RecipeField("Authorization", "Bearer t"),))),
        (
            f"curl {A} -A me -e from -b a=1",
            Recipe(
                "GET",
                A,
                headers=(RecipeField("User-Agent", "me"), RecipeField("Referer", "from"), RecipeField("Cookie", "a=1")),
            ),
        ),
        (f"curl -g {A} | jq .", Recipe("GET", A)),
        (f"curl -- {A}", Recipe("GET", A)),
        (
            f"curl {A} -G -d a=1 -d b=2 --url-query c=3",
            Recipe("GET", A, (RecipeField("a", "1"), RecipeField("b", "2"))),
        ),
        (
            f"curl '{A}?z=1' --url-query 'b=2 3' --url-query +x%20y --url-query '=q r' --url-query s",
            Recipe(
                "GET",
                A,
                tuple(RecipeField(*each) for each in (("z", "1"), ("b", "2 3"), ("x y", ""), ("q r", ""), ("s", ""))),
            ),
        ),
        (
            f"curl {A} -d 1 --json 2 -d 3 -H 'accept;' -H Content-Type:",
            Recipe(
                "POST",
                A,
                headers=(RecipeField("accept", ""), RecipeField("Content-Type", "")),
                body="12&3",
                body_kind="text",
            ),
        ),
        (f"curl {A} --data-urlencode 'a@b=c d'", form("a@b=c+d")),
        (f"curl {A} --data-urlencode '@a=b'", form("@a=b")),
        (
            "curl http://me%41:p%40w@a.test/x",
            Recipe("GET", "http://a.test/x", headers=(RecipeField("Authorization", "Basic bWVBOnBAdw=="),)),
        ),
        (
            "curl -u a:b http://me:pw@a.test",
            Recipe("GET", "http://a.test", headers=(RecipeField("Authorization", "Basic YTpi"),)),
        ),
        ("curl --proto-default http a.test", Recipe("GET", "http://a.test")),
        (r"curl 'a.test/\[b\]?c\{d\}=1'", Recipe("GET", f"{A}/[b]", (RecipeField("c{d}", "1"),))),
        ("curl -g 'a.test/{b,c}'", Recipe("GET", f"{A}/{{b,c}}")),
        ("curl a.test/{{id}}?q={{name}}", Recipe("GET", f"{A}/{{{{id}}}}", (RecipeField("q", "{{name}}"),))),
        (f"curl {A} -d 1 --next b.test -X PUT", form("1")),
        (f"curl {A} -H -- -H -a:1 -d --", form("--", RecipeField("-a", "1"))),
    ],
)
def test_a_command_is_read_as_curl_would_send_it(command: str, recipe: Recipe) -> None:
    read = curl.read(command).recipe

    # How parameters are spelled is compared with what curl itself sends, elsewhere.
    assert replace(read, parameters=tuple(replace(each, raw="") for each in read.parameters)) == recipe


def test_json_brings_its_headers() -> None:
    recipe = curl.read(f"curl --json '{{}}' {A}").recipe

    assert (recipe.method, recipe.body, recipe.body_kind) == ("POST", "{}", "json")
    assert [(each.name, each.value) for each in recipe.headers] == [("Accept", "application/json")]


def test_ignored_options_and_shell_variables_are_listed() -> None:
    notes = curl.read(f"curl -kso out {A} -H 'X: $text' -H \"Authorization: Bearer $TOKEN\" -d a=1").notes

    assert notes == (
        "--insecure is left out: certificates are always checked.",
        "--silent, --output are left out: that changes only what curl prints or saves.",
        "Replace these shell variables by values: $TOKEN.",
    )


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("", f"There is no call in that. {KINDS}"),
        ("wget https://a.test", f"No call begins with wget. {KINDS}"),
        ("a" * 90, f"No call begins with {'a' * 59}…. {KINDS}"),
        ("curl", "The command names no URL. It needs one, like https://api.example.com/orders."),
        ("curl -- -a", "The command names no URL. It needs one, like https://api.example.com/orders."),
        ("curl -- -h", "The command names no URL. It needs one, like https://api.example.com/orders."),
        ("curl --url=--data", "The command names no URL. It needs one, like https://api.example.com/orders."),
        ("curl '#a'", "The command names no URL. It needs one, like https://api.example.com/orders."),
        ("curl ''", "The command names no URL. It needs one, like https://api.example.com/orders."),
        ("curl ftp://a.test", "The URL begins with ftp://. Only https:// and http:// can be called."),
        ("curl a.test/{b,c}", "The URL stands for several ones: {b,c}. Write one of them."),
        ("curl 'a.test/[1-9]?b=[a-z:2]'", "The URL stands for several ones: [1-9]. Write one of them."),
        ("curl 'a.test/?b=[a-z:2]'", "The URL stands for several ones: [a-z:2]. Write one of them."),
        ("curl -X", "The option --request has no value. Paste the whole command."),
        (
            "curl a.test https://me:pw@b.test/c?key=secret",
            "The command names two URLs: the second is https://b.test/c. Paste one call at a time.",
        ),
        ("curl a.test b.test", "The command names two URLs: the second is b.test. Paste one call at a time."),
        (
            "curl a.test -H Authorization: Bearer eyJh.eyJz.sig",
            "A word after --header stands alone, and curl would call it as a second URL. "
            "Put what belongs together into quotation marks.",
        ),
        ("curl -X HEAD a.test", "The method HEAD is not offered. It is one of GET, POST, PUT, PATCH, DELETE."),
        ("curl -I a.test", "A HEAD request has no response to show. Use GET instead."),
        ("curl -h", "That asks curl for its manual. Paste a command that calls a URL."),
        ("curl -K file", "Files are not read. Write the options of that file into the command itself."),
        ("curl -T file a.test", "Files are not read. Paste what is to be sent itself, after -d."),
        *(
            (f"curl a.test {option} $'{text}'", "The command holds a character that does not exist. Paste it anew.")
            for option in ("-H", "-u", "--data-urlencode", "")
            for text in ("A: \\ud800", "\\udc00\\ud800", "\\U00110000", "\\UFFFFFFFF")
        ),
        ("curl " + "a" * 100_001, "The command is too long. Shorten its body and fill that in afterwards."),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(
    command: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(command)

    assert str(refused.value) == sentence
    assert capfd.readouterr() == ("", "")


def test_what_others_print_meanwhile_is_not_held_up() -> None:
    streams = sys.stdout, sys.stderr
    commands = [f"curl {A} -H 'A: b' -d '{{}}'", f"curl '--url=-{A}'"] * 200

    def read(command: str) -> None:
        with suppress(curl.InvalidCommand):
            curl.read(command)

    with ThreadPoolExecutor(4) as threads:
        seen = [(sys.stdout, sys.stderr) for _ in threads.map(read, commands)]

    assert [*seen, (sys.stdout, sys.stderr)] == [streams] * 401


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("curl a.test", "The URL begins with no https:// or http://. It is read with https://."),
        (
            f"curl {A} -H 'A: Bearer <token> {{x}}' -H 'B: YOUR_KEY'",
            "Replace these parts of the headers by values: <token>, {x}, YOUR_KEY.",
        ),
        (f"curl {A} -u me", "curl would ask for the password of -u. Add it to the header Authorization."),
        (f"curl '{A}/{{id}}/<name>?q={{id}}'", "Replace these parts of the URL by values: {id}, <name>."),
        (
            f"curl {A} -d '{{}}'",
            "Without a Content-Type curl sends the body as a form. If the server wants JSON, choose JSON.",
        ),
        ("curl 'http://[a'", "The name of the server cannot be read. An IPv6 address stands in square brackets."),
        (
            f"curl {A} -H 'Host: b.test'",
            "The header Host names another server than the URL. It is left out: a call names the URL's.",
        ),
    ],
)
def test_what_needs_a_hand_is_said(command: str, sentence: str) -> None:
    assert curl.read(command).to_do == (sentence,)


def test_what_was_read_is_listed_without_secrets() -> None:
    imported = curl.read(f"curl '{A}/x?key=secret' -H 'A: secret' -H 'B: 1' -d '{{}}' --next b.test -H nothing")

    assert imported.read == ("Method: POST", f"URL: {A}/x", "1 parameter", "3 headers", "Body: 2 characters")
    assert imported.left_out == ("Only the first of several requests is read: --next begins another one.",)


@pytest.mark.parametrize(
    "option",
    [
        "--url-query f@x",
        "--data-urlencode a.b@c",
        "-d @f",
        "--data-binary @f",
        "--json @f",
        "--data-urlencode a@f",
        "-H @f",
        "-b f",
    ],
)
def test_no_file_is_ever_read(option: str) -> None:
    with pytest.raises(curl.InvalidCommand, match="Files are not read"):
        curl.read(f"curl {A} {option}")
