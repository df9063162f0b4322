"""The commands of Get started, and the choice of their language."""

import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from developers.snippets import COOKIE, Language, language_of, remember, snippets_in

pytestmark = pytest.mark.matrix
SERVER = "https://app.example.com"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
MACOS = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"
FORGED = ["", "perl", "Bash", "bash ", "bash\0", "<script>", "powershell,bash", "None", "b" * 4000]


@pytest.mark.parametrize("language", Language)
def test_each_language_sets_the_variable_without_a_token_in_the_command_and_calls_the_public_address(
    language: Language,
) -> None:
    snippets = snippets_in(language, SERVER)

    assert snippets.language is language
    assert "BOTPENGUIN_TOKEN" in snippets.variable.text
    assert f"{SERVER}/api/v7/token" in snippets.call.text
    assert "BOTPENGUIN_TOKEN" in snippets.call.text
    assert "Bearer" in snippets.call.text
    assert re.search("history|only you can read it", str(snippets.variable.note))
    # Copying the command takes the token out of the clipboard.
    assert "copy the token" in str(snippets.variable.note)
    # A last newline would run a command whose rest is still being pasted.
    assert not snippets.variable.text.endswith("\n")


@pytest.mark.parametrize(
    ("agent", "cookie", "language"),
    [
        (WINDOWS, None, "powershell"),
        (MACOS, None, "bash"),
        ("", None, "bash"),
        ("curl/8.5.0", None, "bash"),
        (WINDOWS, "bash", "bash"),
        (MACOS, "powershell", "powershell"),
        (MACOS, "javascript", "javascript"),
        (WINDOWS, "python", "python"),
        *((WINDOWS, forged, "powershell") for forged in FORGED),
    ],
)
def test_the_language_is_the_chosen_one_else_that_of_the_system(agent: str, cookie: str | None, language: str) -> None:
    request = RequestFactory().get("/", headers={"User-Agent": agent})
    if cookie is not None:
        request.COOKIES[COOKIE] = cookie

    assert language_of(request) == language


@pytest.mark.parametrize("word", FORGED)
def test_no_other_word_is_remembered(word: str) -> None:
    response = HttpResponse()

    remember(response, word)

    assert not response.cookies


def test_the_commands_for_powershell_are_of_its_version_5_1() -> None:
    """No PowerShell runs here: the words are those that its versions 5.1 and 7 share."""
    variable, call = snippets_in(Language.POWERSHELL, SERVER)[1:]

    secret = "[Net.NetworkCredential]::new('', (Read-Host 'Token' -AsSecureString)).Password"
    assert variable.text == f"$env:BOTPENGUIN_TOKEN = {secret}"
    assert re.fullmatch(
        r"Invoke-RestMethod https://app\.example\.com/api/v7/token -Headers @\{\n"
        r'  Authorization = "Bearer \$env:BOTPENGUIN_TOKEN"\n\}',
        call.text,
    )
