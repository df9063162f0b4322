"""Every option that curl has is read, left out with the reason, or refused with the reason."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from developers.outbound import curl
from developers.outbound.curl.option_table import FLAGS, LEFT_OUT, REFUSED, REFUSED_WITH_VALUE, SHORT, WITH_VALUE

A = "https://a.test"


def installed() -> Iterator[tuple[str, str, bool]]:
    """Yield the options of the installed curl: the short name, the long one, and whether it takes a value."""
    printed = subprocess.run(["curl", "--help", "all"], capture_output=True, text=True, check=True).stdout
    for line in printed.splitlines()[1:]:
        match = re.match(r" (?:-(.), | {4})--(\S+) ?(.*)", line)
        assert match
        short, name, help_text = match.groups()
        yield short or "", name, help_text.startswith(("<", "[")) and name != "help"


@pytest.mark.curl
def test_the_table_holds_every_option_of_the_installed_curl() -> None:
    wrong = []
    for short, name, takes_value in installed():
        plain = name if name in WITH_VALUE | FLAGS else name.removeprefix("no-")
        if (plain in WITH_VALUE, plain in FLAGS) != (takes_value, not takes_value) or SHORT.get(short, name) != name:
            wrong.append(name)

    assert not wrong
    assert not WITH_VALUE & FLAGS


def test_every_option_that_is_left_out_is_named_with_the_reason() -> None:
    for reason in LEFT_OUT:
        for name in reason.with_value | reason.flags:
            value = " 1" if name in reason.with_value else ""

            imported = curl.read(f"curl --{name}{value} {A}")

            assert imported.left_out == (reason.sentence % {"options": f"--{name}", "count": 1},)
            assert imported.recipe.url == A


def test_every_option_that_is_refused_has_its_own_reason() -> None:
    for name, reason in (REFUSED | REFUSED_WITH_VALUE).items():
        with pytest.raises(curl.InvalidCommand) as refused:
            curl.read(f"curl --{name} 1 {A}")

        assert str(refused.value) == str(reason) % {"option": f"--{name}"}


@pytest.mark.parametrize(
    "options",
    [
        *("--no-insecure", "--no-head", "--no-digest", "--no-keepalive", "-N", "--no-location -L --no-location"),
        *("--basic", "--no-compressed", "--no-get", "--globoff", "--no-netrc", "--no-fail --no-silent"),
    ],
)
def test_what_is_switched_off_changes_nothing(options: str) -> None:
    imported = curl.read(f"curl {options} {A}")

    assert (imported.recipe.method, imported.recipe.follows_redirects) == ("GET", False)


@pytest.mark.parametrize(
    ("options", "recipe"),
    [
        ("-XDELETE", ("DELETE", [])),
        ("--heade 'A: b'", ("GET", [("A", "b")])),
        ("--HEADER 'A: b'", ("GET", [("A", "b")])),
        ("--user-a me", ("GET", [("User-Agent", "me")])),
        ("--oauth2 t", ("GET", [("Authorization", "Bearer t")])),
        ("-r 0-9", ("GET", [("Range", "bytes=0-9")])),
        ("-C 5", ("GET", [("Range", "bytes=5-")])),
        ("-C -", ("GET", [])),
        ("-e 'x;auto'", ("GET", [("Referer", "x")])),
        ("-A '' -H 'X: 1'", ("GET", [("X", "1")])),
        ("-u a:b -H 'authorization: own'", ("GET", [("authorization", "own")])),
        ("-u a:b --oauth2-bearer t", ("GET", [("Authorization", "Bearer t")])),
        ("--oauth2-bearer t -u a:b", ("GET", [("Authorization", "Bearer t")])),
        ("-b a=1 -b c=2", ("GET", [("Cookie", "a=1;c=2")])),
        ("-b a=1 -H 'Cookie: x=1'", ("GET", [("Cookie", "x=1")])),
        ("-X PUT -X PATCH", ("PATCH", [])),
    ],
)
def test_options_mean_what_they_mean_to_curl(options: str, recipe: tuple[str, list[tuple[str, str]]]) -> None:
    read = curl.read(f"curl {options} {A}").recipe

    assert (read.method, [(each.name, each.value) for each in read.headers]) == recipe


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--magic", "curl has no option --magic. Take it out."),
        ("-sß", "curl has no option -ß. Take it out."),
        (
            "--loca",
            "The option --loca may stand for --local-port, --location, --location-trusted. Write its whole name.",
        ),
        ("--no-data x", "curl has no option --no-data: only an option without a value has an opposite."),
        ("--no-magic", "curl has no option --no-magic. Take it out."),
        ("--=x", "curl has no option --. Take it out."),
        ("--expand-url x", "Variables of curl are not filled in. Write their values into the command."),
        ("-sH", "The option --header has no value. Paste the whole command."),
        (f"--{'x' * 80}", f"curl has no option --{'x' * 57}…. Take it out."),
    ],
)
def test_options_that_curl_does_not_know_are_named(options: str, sentence: str) -> None:
    with pytest.raises(curl.InvalidCommand) as refused:
        curl.read(f"curl {A} {options}")

    assert str(refused.value) == sentence
