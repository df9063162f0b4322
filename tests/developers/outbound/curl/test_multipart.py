"""multipart/form-data as curl, fetch, PowerShell and HTTP write it: fields become rows, and files need a hand."""

import pytest

from developers.outbound import curl
from developers.outbound.recipe import RecipeField

A = "https://a.test"
STAYS = (
    "The body is multipart/form-data with a file, or with parts that cannot be read. It stays a text; choose Multipart "
    "form and write its fields."
)
BROWSER = f"""fetch("{A}", {{"method": "POST", "headers": {{"content-type": "multipart/form-data; boundary=----X"}},
"body": "BODY"}})"""

SENT = f"fetch('{A}', {{method: 'POST', body: f}})"
IN_CRLF = r"------X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\nc\r\n------X--\r\n"
OTHER_TYPE = "The body is sent as multipart/form-data: remove this header, or choose Text."
FILE = "The field a is the file b.png. Files are not sent: remove the field, or write a text."
TEXT_FILE = "The field a is to come from the file b.txt, which is not read. Write its text into the field."


def http(body: str, content_type: str = "multipart/form-data; boundary=----X") -> str:
    return f"POST / HTTP/1.1\nHost: a.test\nContent-Type: {content_type}\n\n{body}"


def part(name: str, value: str, *, end: str = "\n", more: str = "") -> str:
    return end.join(["------X", f'Content-Disposition: form-data; name="{name}"{more}', "", value, ""])


def typed(name: str, value: str, content_type: str = "") -> RecipeField:
    return RecipeField(name, value, content_type=content_type)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (f"curl {A} -F a=b -F 'c=d e' --form-string 'f=@g'", [typed("a", "b"), typed("c", "d e"), typed("f", "@g")]),
        (f"curl {A} --form a=b --form-string=c=d", [typed("a", "b"), typed("c", "d")]),
        (f"curl {A} -F 'a={{}};type=application/json'", [typed("a", "{}", "application/json")]),
        (f"curl {A} -F 'a=b;filename=\"x;y\";type=a/b'", [typed("a", "b", "a/b")]),
        (f"curl {A} -F 'a=b;type=a/b;filename=x;type=c/d'", [typed("a", "b", "c/d")]),
        (f"curl {A} -F 'a=b;type=x/y; z=1' -H 'Content-Type: multipart/form-data'", [typed("a", "b", "x/y; z=1")]),
        (f"curl {A} -F 'a=b;' -F 'c=d;;type=a/b'", [typed("a", "b"), typed("c", "d", "a/b")]),
        (f"curl {A} -F a={{{{name}}}}", [typed("a", "{{name}}")]),
        (f"curl.exe {A} -F `\n a=b", [typed("a", "b")]),
        (f'curl {A} ^\n  -F "a=b" ^\n  -F "c=d"', [typed("a", "b"), typed("c", "d")]),
        (f"iwr {A} -Method Post -Form @{{a=1; b='x y'; c=@('1', '2')}}", [*map(typed, "abcc", ["1", "x y", "1", "2"])]),
        (f"$form = @{{a='=b'}}\nirm {A} -Method Post -Form $form", [typed("a", "=b")]),
        (
            f"const f = new FormData();\nf.append('a', 'b');\nf.append('a', `c d`);\n{SENT}",
            [typed("a", "b"), typed("a", "c d")],
        ),
        (BROWSER.replace("BODY", IN_CRLF), [typed("a", "b\r\nc")]),
        (http(part("a", "1") + part("b", "") + "------X--"), [typed("a", "1"), typed("b", "")]),
        (http(part("a", "1\n\n2") + "------X-- \n"), [typed("a", "1\n\n2")]),
        (http(part("a%22b\\\\%0A", "1").replace("%0A", "") + "------X--"), [typed('a"b\\', "1")]),
        (http(part("a", "1").replace('"a"', "a\nContent-Type: text/x") + "------X--"), [typed("a", "1", "text/x")]),
        (
            http("------X\ncontent-type: a/b\ncontent-disposition: Form-Data; name=a\n\n1\n------X--"),
            [typed("a", "1", "a/b")],
        ),
    ],
)
def test_text_fields_become_rows(text: str, fields: list[RecipeField]) -> None:
    imported = curl.read(text)

    recipe = imported.recipe
    assert (recipe.method, recipe.body_kind, list(recipe.body_fields)) == ("POST", "multipart", fields)
    assert (recipe.body, recipe.content_type, imported.to_do) == ("", None, ())
    assert f"{len(fields)} field{'s' if len(fields) > 1 else ''}" in imported.read


@pytest.mark.parametrize(
    "text",
    [
        http(part("a", "1", more='; filename="x.png"') + "------X--"),
        http(part("a", "1")),
        http("------X--"),
        http("before" + part("a", "1") + "------X--"),
        http(part("a", "\x01") + "------X--"),
        http(part("a", "1").replace("form-data", "attachment") + "------X--"),
        http(part("a", "1").replace("\n\n", "\nX-Own: 1\n\n") + "------X--"),
        http(part("a", "1") + "------X\nnothing\n------X--"),
        http("a=1", "multipart/form-data"),
        http("a=1", "multipart/form-data; boundary="),
        BROWSER.replace("BODY", "none"),
    ],
)
def test_a_body_with_other_parts_stays_a_text(text: str) -> None:
    imported = curl.read(text)

    assert imported.recipe.body_kind == "text"
    assert str(imported.recipe.content_type).startswith("multipart/form-data")
    assert imported.to_do == (STAYS,)


@pytest.mark.parametrize(
    ("text", "field", "sentence"),
    [
        ("-F a=@b.png", typed("a", ""), FILE),
        ("-F 'a=@b.png;type=image/png'", typed("a", ""), FILE),
        ("-F 'a=<b.txt;type=text/x'", typed("a", "", "text/x"), TEXT_FILE),
        ("-F =b", typed("", "b"), "Give it a name."),
        ("-F 'a=b' -H 'Content-Type: application/json'", typed("a", "b"), OTHER_TYPE),
        (f"-F a={'b' * 8_001}", typed("a", "b" * 8_001), "Keep it to 8,000 characters."),
    ],
)
def test_what_needs_a_hand_is_said(text: str, field: RecipeField, sentence: str) -> None:
    imported = curl.read(f"curl {A} {text}")

    assert imported.recipe.body_fields == (field,)
    assert imported.to_do == (sentence,)


def test_the_file_of_powershell_and_the_variable_of_fetch_need_a_hand() -> None:
    shell = curl.read(f"iwr {A} -Method Post -Form @{{a=Get-Item -Path './b c.png'; d=(gi e.txt)}}")
    script = curl.read(f"const f = new FormData();\nf.append('a', input.value);\n{SENT}")

    assert [(each.name, each.value) for each in shell.recipe.body_fields] == [("a", ""), ("d", "")]
    assert shell.to_do == (
        "The field a is the file ./b c.png. Files are not sent: remove the field, or write a text.",
        "The field d is the file e.txt. Files are not sent: remove the field, or write a text.",
    )
    assert script.to_do == ("Replace these variables by values: input.value.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-F 'a=b;filename=x'", "filename= of the field a is left out: the field is sent as a text."),
        ("-F 'a=b; headers=\"X: 1; 2\"'", "headers= of the field a is left out: the field is sent as a text."),
        ("-F 'a=b;encoder=base64'", "encoder= of the field a is left out: the field is sent as a text."),
        ("-F 'a=b;c'", "What follows the semicolon in the field a is left out, as curl leaves it out."),
        (
            "-F a=b -H 'Content-Type: multipart/form-data; boundary=x'",
            "The boundary in Content-Type is left out: each call has its own.",
        ),
        (
            "-F a=b --form-escape",
            "--form-escape is left out: quotation marks in the names of fields are written as %22.",
        ),
    ],
)
def test_what_is_left_out_of_a_field_is_said(text: str, sentence: str) -> None:
    imported = curl.read(f"curl {A} {text}")

    assert imported.left_out == (sentence,)
    assert imported.recipe.body_fields == (typed("a", "b"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("-F a=b -F secret", "Field 2 of the form has no name: write name=value after --form."),
        ("--form-string secret", "Field 1 of the form has no name: write name=value after --form-string."),
        ("-F 'a=b;type=text'", "The type of the field a is none that curl takes. Write one such as type=text/plain."),
        ("-F 'a=(;type=x/y'", "The field a holds parts of its own, which cannot be sent. Write a text after -F."),
        ("-F a=b -d c", "The command has fields after -F and data after -d. curl sends only one of them."),
        ("--json {} -F a=b", "The command has fields after -F and data after -d. curl sends only one of them."),
    ],
)
def test_a_form_that_curl_refuses_too_is_refused_for_its_reason(text: str, sentence: str) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(f"curl {A} {text}")

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "body", ["&".join(["a=1"] * 51), f"a={'b' * 8_001}", "=1", "a=1&=2", "a=%00", "a%0Ab=1", "[1]"]
)
def test_a_form_that_rows_cannot_hold_stays_a_text_of_the_same_type(body: str) -> None:
    recipe = curl.read(f"curl {A} -d '{body}'").recipe

    assert (recipe.body_kind, recipe.body, recipe.body_fields) == ("text", body, ())
    assert recipe.content_type == "application/x-www-form-urlencoded"
