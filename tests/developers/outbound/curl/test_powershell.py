"""PowerShell: curl.exe, and Invoke-WebRequest as browsers, manuals and Postman write it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from developers.outbound import curl
from developers.outbound.curl import powershell
from developers.outbound.curl.dialects import parse
from developers.outbound.recipe import Recipe, RecipeField
from tests.developers.outbound.curl.calls import call_of

A = "https://api.example.com/v1/orders"
# None of these sets a variable that can be used.
UNREADABLE = "$x.y.z = 1\n$x = @{a b}\n$o.Add(1)\n$session.Cookies.Add($c)\n$q['a'] = 1\n"
CHROME = """$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession
$session.UserAgent = "Mozilla/5.0 (X11)"
$session.Cookies.Add((New-Object System.Net.Cookie("sid", "a`$1", "/", "api.example.com")))
$session.Cookies.Add((New-Object System.Net.Cookie("t", "2", "/", ".example.com")))
Invoke-WebRequest -UseBasicParsing -Uri "https://api.example.com/v1/orders?x=1" `
-Method "POST" `
-WebSession $session `
-Headers @{
"authority"="api.example.com"
  "method"="POST"
  "path"="/v1/orders?x=1"
  "scheme"="https"
  "accept"="*/*"
  "sec-ch-ua"="`"Chromium`";v=`"130`""
} `
-ContentType "application/json" `
-Body ([System.Text.Encoding]::UTF8.GetBytes("{`"a`":`"$([char]228) $([char]55357)$([char]56832)`"}"))
"""
POSTMAN = """$headers = New-Object "System.Collections.Generic.Dictionary[[String],[String]]"
$headers.Add("Content-Type", "application/json")
$headers.Add("X-Key", "k 1")

$body = @"
{
  `"a`": "it's"
}
"@

$response = Invoke-RestMethod 'https://api.example.com/v1/orders' -Method 'POST' -Headers $headers -Body $body
$response | ConvertTo-Json
"""


def pairs(recipe: Recipe) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in recipe.headers]


def test_powershell_of_chrome_and_edge_is_read() -> None:
    imported = curl.read(CHROME)

    recipe = imported.recipe
    assert (recipe.method, recipe.url, recipe.parameters) == ("POST", A, (RecipeField("x", "1"),))
    assert pairs(recipe) == [
        ("User-Agent", "Mozilla/5.0 (X11)"),
        ("Cookie", "sid=a$1; t=2"),
        ("accept", "*/*"),
    ]
    assert recipe.body_kind == "json"
    assert recipe.body == '{"a":"ä 😀"}'
    assert imported.left_out == (
        "Headers that each sender writes itself are left out: authority, method, path, scheme, sec-ch-ua.",
    )
    assert not imported.to_do


def test_powershell_of_postman_is_read() -> None:
    imported = curl.read(POSTMAN)

    assert call_of(POSTMAN) == Recipe(
        "POST",
        A,
        headers=(RecipeField("Content-Type", "application/json"), RecipeField("X-Key", "k 1")),
        body='{\n  "a": "it\'s"\n}',
        follows_redirects=True,
    )
    assert not imported.notes


@pytest.mark.parametrize(
    ("text", "recipe"),
    [
        (f"iwr {A}", Recipe("GET", A)),
        (f"PS C:\\> irm '{A}' -Method Put", Recipe("PUT", A)),
        (f"Invoke-WebRequest –Uri “{A}” –Method Delete", Recipe("DELETE", A)),
        (f"curl -Uri {A} -Method patch", Recipe("PATCH", A)),
        (f'$r = Invoke-RestMethod -Uri "{A}" -CustomMethod DELETE -UseBasicParsing', Recipe("DELETE", A)),
        (
            f"Invoke-WebRequest `\n  -Uri {A} `\n  -H @{{ A = 'b'; 'C-D' = 1 }}",
            Recipe("GET", A, headers=(RecipeField("A", "b"), RecipeField("C-D", "1"))),
        ),
        (f"Invoke-WebRequest\n  -Uri {A}\n  -Headers @{{A=''}}", Recipe("GET", A, headers=(RecipeField("A", ""),))),
        (
            f"$h = @{{}}\n$h['A'] = 'b'\n$h.Add('C', 'd')\niwr {A} -Headers $h",
            Recipe("GET", A, headers=(RecipeField("A", "b"), RecipeField("C", "d"))),
        ),
        ("$b = 'https://api.example.com'; $v = 1\niwr \"$b/v1/orders\"", Recipe("GET", A)),
        ("$b = 'https://api.example.com'\niwr $b/v1/orders", Recipe("GET", A)),
        (f"iwr {A} -Method POST -Body '{{\"a\":1}}'", Recipe("POST", A, body='{"a":1}')),
        (f'iwr {A} -Method POST -Body @\'\n{{"a": "it\'s"}}\n\'@', Recipe("POST", A, body='{"a": "it\'s"}')),
        (
            f"iwr {A} -Method POST -Body (@{{a = 1; b = @('x', $true, $null); c = @{{}}}} | ConvertTo-Json -Depth 5)",
            Recipe("POST", A, body='{"a": 1, "b": ["x", true, null], "c": {}}'),
        ),
        (
            f"$p = @{{a = 1.5; d = '01'}} | ConvertTo-Json\niwr {A} -Method POST -Body $p",
            Recipe("POST", A, body='{"a": 1.5, "d": "01"}'),
        ),
        (f"$p = [ordered]@{{ # why\n a = 'b c' }}\niwr {A} -Method POST -Body $p", Recipe("POST", A, body="a=b+c")),
        (f"iwr {A} -Body @{{a = 'b c'}}", Recipe("GET", A, (RecipeField("a", "b c", raw="a=b+c"),))),
        (f"iwr {A} -Method POST -Body ('{{\"a\":' + 1 + '}}')", Recipe("POST", A, body='{"a":1}')),
        (
            f"iwr {A} -ContentType text/csv -UserAgent me",
            Recipe("GET", A, headers=(RecipeField("User-Agent", "me"), RecipeField("Content-Type", "text/csv"))),
        ),
        (
            f"iwr {A} -Headers @{{A = \"Basic \" + [Convert]::ToBase64String([Text.Encoding]::ASCII.GetBytes('a:b'))}}",
            Recipe("GET", A, headers=(RecipeField("A", "Basic YTpi"),)),
        ),
        (
            f"iwr {A} -Headers @{{A = $True; B = $null}}",
            Recipe("GET", A, headers=(RecipeField("A", "True"), RecipeField("B", ""))),
        ),
        (f"iwr {A}; Write-Host done", Recipe("GET", A)),
        (f"(iwr {A}).Content", Recipe("GET", A)),
        (
            f"$u='{A}'\niwr ($u+'?a='+'b') -Method POST -Body @\"\n\"\"\n\"@",
            Recipe("POST", A, (RecipeField("a", "b"),), body='""'),
        ),
        (f"$b = @'\n$x = 1\n'@\niwr {A}?x=$x", Recipe("GET", A, (RecipeField("x", "$x", raw="x=$x"),))),
    ],
)
def test_web_requests_are_read_as_powershell_would_send_them(text: str, recipe: Recipe) -> None:
    assert call_of(text) == Recipe(
        recipe.method, recipe.url, recipe.parameters, recipe.headers, recipe.body, follows_redirects=True
    )


def test_what_only_powershell_needs_is_left_out_with_a_note() -> None:
    imported = curl.read(f"iwr {A} -TimeoutSec 5 -SkipCertificateCheck -MaximumRedirection 0\niwr https://b.test")

    assert not imported.recipe.follows_redirects
    assert imported.left_out == (
        "-timeoutsec, -SkipCertificateCheck are left out: that changes only how PowerShell connects or what it prints.",
        "Only the first command is read. Paste the others one at a time.",
    )


def test_a_body_without_a_type_is_said() -> None:
    plain = curl.read(f"iwr {A} -Method POST -Body '{{}}'")
    typed = curl.read(f"iwr {A} -Method POST -Body '{{}}' -Headers @{{'content-type' = 'application/json'}}")

    assert (plain.recipe.body_kind, plain.recipe.content_type) == ("text", "application/x-www-form-urlencoded")
    assert plain.to_do == (
        "Without a -ContentType PowerShell sends the body as a form. If the server wants JSON, choose JSON.",
    )
    assert (typed.recipe.body_kind, typed.to_do) == ("json", ())


def test_variables_without_a_value_are_named_and_stay() -> None:
    text = f'{UNREADABLE}iwr {A} -Headers @{{A = "Bearer $env:TOKEN"; B = $Key}} -Body $b'

    imported = curl.read(text)

    assert pairs(imported.recipe) == [("A", "Bearer $env:TOKEN"), ("B", "$Key")]
    assert "Replace these shell variables by values: $env:TOKEN, $Key, $b." in imported.to_do


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("iwr -Method Get", "The command names no URL. It needs one, like https://api.example.com/orders."),
        (f"iwr {A} -Form @{{a=}}", "The value of -Form cannot be read. Write it as text, or as @{…}."),
        (f"iwr {A} -InFile x", "The body is to come from a file. Files are not read: write it after -Body."),
        (
            f"iwr {A} -Credential $c",
            "The password of -Credential is not in the text. Send it in the header Authorization.",
        ),
        (f"iwr {A} -Headers @{{A = }}", "The value of -Headers cannot be read. Write it as text, or as @{…}."),
        (f"iwr {A} -Headers @{{=}}", "The value of -Headers cannot be read. Write it as text, or as @{…}."),
        (f"iwr {A} -Headers @{{A 1}}", "The value of -Headers cannot be read. Write it as text, or as @{…}."),
        (f"iwr {A} -Body {'(' * 99}", "The value of -Body cannot be read. Write it as text, or as @{…}."),
        (f"iwr {A} -Body 'secret", "The value of -Body cannot be read. Write it as text, or as @{…}."),
        (
            f"iwr {A} -Method Put secret",
            "A word after -method stands alone. Put what belongs together into quotation marks.",
        ),
        (f'iwr {A} -Body "$([char]55357)"', "The command holds a character that does not exist. Paste it anew."),
        (f'iwr {A} -Body "$([char]0x110000)"', "The command holds a character that does not exist. Paste it anew."),
        ("curl.exe -d 'secret", "The quotation mark ' after -d is never closed. Paste the whole command."),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_name(text: str, sentence: str) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(text)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ('a \'it\'\'s\' "b`"c""d`$e`n`u{e9}`q"', ["a", "it's", 'b"c"d$e\né' + "q"]),
        ("a `\n  -b `  \n -c", ["a", "-b", "-c"]),
        (r"""-d '{\"a\": 1}' -d '{"a": "\"b\""}'""", ["-d", '{"a": 1}', "-d", r'{"a": "\"b\""}']),
        ("-d @'\n{\"it's\": 1}\n'@ -s", ["-d", '{"it\'s": 1}', "-s"]),
        ('-d @"\n"x" $y\n"@', ["-d", '"x" $y']),
        ("a`&b c # d\n-e", ["a&b", "c", "-e"]),
        ("a > out.txt -b 2>&1 *> $null c", ["a", "-b", "c"]),
        ("a | ConvertFrom-Json", ["a"]),
        ("a&b", ["a"]),
        ("https://a.test?a=1&b=2 $x", ["https://a.test?a=1&b=2", "$x"]),
        ('"$([char]65)$(date) ${x}"', ["A$(date) ${x}"]),
    ],
)
def test_powershell_splits_as_its_manual_has_it(command: str, words: list[str]) -> None:
    assert powershell.split(command).words == words


@pytest.mark.parametrize(
    "text",
    [
        f"curl.exe -X PUT {A} `\n  -H 'A: $b' `\n  -d '{{\\\"a\\\": 1}}'",
        f"PS C:\\x> curl.exe -X PUT {A} -H 'A: $b' -d '{{\"a\": 1}}'",
        f'curl.exe -X PUT "{A}" -H "A: `$b" -d "{{`"a`": 1}}"',
        f"curl.exe -X PUT {A} -H 'A: $b' -d @'\n{{\"a\": 1}}\n'@",
        f"curl.exe –X PUT {A} `\n>> -H ‘A: $b’ `\n>> -d ‘{{“a”: 1}}’",
    ],
)
def test_curl_in_powershell_is_read(text: str) -> None:
    assert call_of(text) == Recipe("PUT", A, headers=(RecipeField("A", "$b"),), body='{"a": 1}')
    assert not parse(text).to_do


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=30)


def double(text: str) -> str:
    """Quote as Chrome does for PowerShell."""
    escaped = re.sub(r'[`$"]', r"`\g<0>", text)
    return '"' + re.sub(r"[^\x20-\x7e]", lambda match: _units(str(match[0])), escaped) + '"'


def _units(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"$([char]{units[at] * 256 + units[at + 1]})" for at in range(0, len(units), 2))


def single(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@given(st.lists(TEXT.filter(lambda text: '\\"' not in text), min_size=1, max_size=4))
def test_what_powershell_quotes_is_read_back(words: list[str]) -> None:
    for quoted in (single, double):
        assert powershell.split(" `\n  ".join(map(quoted, words))).words == words


@given(TEXT, TEXT.map(lambda text: " ".join(text.split())))
def test_a_web_request_is_the_same_call(body: str, value: str) -> None:
    for quoted in (single, double):
        start = f'Invoke-WebRequest -Uri {quoted(A)} `\n-Method "POST" `\n-Headers @{{\n"X"={quoted(value)}\n}}'
        text = f"{start} `\n-Body {quoted(body)}"

        recipe = call_of(text)

        assert recipe == Recipe("POST", A, headers=(RecipeField("X", value),), body=body, follows_redirects=True)
