"""Texts can be translated: each message is a whole, and says what its variables are."""

import ast
import re
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.utils.translation.template import TranslatorCommentWarning, templatize  # type: ignore[attr-defined]

from tests.server import ROOT

TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
MODULES = sorted(path for room in ("accounts", "botpenguin", "developers") for path in (ROOT / room).rglob("*.py"))
CALLS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}
WITH_CONTEXT = {"pgettext", "pgettext_lazy", "npgettext"}

COMMENT = re.compile(r"\{#.*?#\}")
TRANSLATE = re.compile(r'\{% translate "(?P<text>[^"]*)"(?P<context> context "[^"]*")?(?: as \w+)? %\}')
# Another message, a link or a hidden word right behind one that does not end a sentence.
GLUED = re.compile(
    r'\{% translate "[^"]*[^".?!:…]"(?: context "[^"]*")? %\}'
    r'(?:\s*<span class="visually-hidden">|[ ]+<(?:a|strong|code)\b[^>]*>|[ ]*(?=\{% (?:block)?translate |[^\W\d_]))'
)
CASES = re.compile(r"\{\{[^}]*\|(?:lower|upper|title|capfirst)\b[^}]*\}\}")
CODE_IN_LOWER_CASE = {"{{ operation.method|lower }}"}
PLACEHOLDER = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?[sdif]")
# Verb or noun, heading or preposition: none can be translated without knowing where it stands.
AMBIGUOUS = {
    "By",
    "By:",
    "Call",
    "Change",
    "Client",
    "From",
    "From:",
    "Next",
    "Number",
    "Previous",
    "Test",
    "What",
    "You",
}


def text_of(path: Path) -> str:
    return COMMENT.sub("", path.read_text())


def found(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    matches = {
        str(path.relative_to(ROOT)): [match.group() for match in pattern.finditer(text_of(path))] for path in TEMPLATES
    }
    return {path: texts for path, texts in matches.items() if texts}


@cache
def messages() -> list[tuple[str, str, list[ast.expr]]]:
    """Return where each call for a translation stands, its name, and its texts."""
    return [
        (f"{path.relative_to(ROOT)}:{call.lineno}", name, texts)
        for path in MODULES
        for call, name, texts in calls_in(path.read_text())
    ]


def calls_in(code: str) -> Iterator[tuple[ast.Call, str, list[ast.expr]]]:
    if "django.utils.translation" not in code:
        return
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            start = int(node.func.id in WITH_CONTEXT)
            # The singular and the plural.
            length = 2 if node.func.id.startswith("n") else 1
            yield node, node.func.id, node.args[start : start + length]


def literal_texts() -> Iterator[tuple[str, str, str]]:
    for place, name, texts in messages():
        for text in texts:
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                yield place, name, text.value


def test_comments_reach_translators() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", TranslatorCommentWarning)
        for path in TEMPLATES:
            templatize(path.read_text(), origin=str(path))


def test_no_sentence_of_a_template_is_made_of_several_messages() -> None:
    assert found(GLUED) == {}


def test_no_template_changes_the_case_of_a_text() -> None:
    changed = {path: set(texts) - CODE_IN_LOWER_CASE for path, texts in found(CASES).items()}

    assert {path: texts for path, texts in changed.items() if texts} == {}


def test_no_message_begins_or_ends_with_a_blank() -> None:
    in_templates = [match["text"] for path in TEMPLATES for match in TRANSLATE.finditer(text_of(path))]
    in_modules = [text for _place, _name, text in literal_texts()]

    assert [text for text in in_templates + in_modules if text != text.strip()] == []


def test_each_message_of_a_module_is_written_out() -> None:
    put_together = [
        place
        for place, _name, texts in messages()
        if any(isinstance(text, ast.JoinedStr | ast.BinOp) for text in texts)
    ]

    assert put_together == []


def test_several_variables_of_a_message_have_names() -> None:
    assert [place for place, _name, text in literal_texts() if len(PLACEHOLDER.findall(text)) > 1] == []


def test_ambiguous_words_have_a_context() -> None:
    in_templates = [
        (str(path.relative_to(ROOT)), match["text"])
        for path in TEMPLATES
        for match in TRANSLATE.finditer(text_of(path))
        if match["text"] in AMBIGUOUS and not match["context"]
    ]
    in_modules = [
        (place, text) for place, name, text in literal_texts() if text in AMBIGUOUS and name not in WITH_CONTEXT
    ]

    assert in_templates + in_modules == []
