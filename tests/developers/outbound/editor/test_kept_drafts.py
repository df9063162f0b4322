"""The content of the editor is read back from its draft as it was typed."""

import json
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from accounts.models import User
from accounts.orm.owners import AccountGone
from developers.outbound.call_drafts import CallDraft
from developers.outbound.editor import kept_drafts
from developers.outbound.editor.drafts import Draft
from developers.outbound.editor.editor import Editor
from developers.outbound.editor.forms import LINE_BREAKS
from developers.outbound.editor.formsets import FORMSETS
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, RecipeField
from developers.outbound.views.editor_page import NEW as NEW_CALL
from developers.outbound.views.editor_page import keep_draft
from tests.cast import logged_in
from tests.developers.outbound.editor.test_hidden_values_of_drafts import ID, NEW, TYPED, keep, opened
from tests.developers.outbound.views.pages import GET, words

pytestmark = pytest.mark.matrix

MARK = "s3cr3t"
TEXTS = st.text(st.sampled_from(' \t\r\néß漢😀+%&="{}\\/az09'), max_size=8)
NAMES = st.sampled_from(["X-Trace", "Authorization", "api_key", "note", "Cookie "])
ROWS = st.lists(st.tuples(NAMES, TEXTS, st.booleans(), st.booleans()), max_size=3)


def typed_rows(part: str, rows: list[tuple[str, str, bool, bool]]) -> dict[str, str]:
    """Return rows as a browser sends them: each hidden value holds the mark."""
    typed = {f"{part}-TOTAL_FORMS": str(len(rows))}
    for number, (name, content, is_secret, is_removed) in enumerate(rows):
        text = content if part == "body_fields" else LINE_BREAKS.sub("", content)
        is_hidden = RecipeField(name.strip(), text, is_secret).is_hidden
        row = {"name": name, "value": f"{text}{MARK}{text}" if is_hidden else text}
        boxes = {"is_secret": is_secret, "DELETE": is_removed}
        row |= {name: "on" for name, is_ticked in boxes.items() if is_ticked}
        typed |= {f"{part}-{number}-{name}": value for name, value in row.items()}
    return typed


def recipe_of(api: OutboundApi, draft: Draft) -> Recipe:
    editor = Editor(api, None, draft, is_checked=True)
    assert all([editor.form.is_valid(), *(part.is_valid() for part in editor.parts)])
    return editor.recipe()


@pytest.mark.no_cover
@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(ROWS, ROWS, ROWS, TEXTS, st.booleans(), st.sampled_from(["json", "text", "form"]))
def test_whatever_is_typed_makes_the_same_call_from_its_draft_and_nothing_hidden_is_in_it(  # noqa: PLR0913, PLR0917
    alice: User, parameters: Any, headers: Any, body_fields: Any, body: str, is_secret: bool, kind: str
) -> None:
    data = QueryDict(mutable=True)
    data.update(GET | {"body": f"{body}{MARK}" if is_secret else body, "body_kind": kind})
    data.update({"body_is_secret": "on"} if is_secret else {})
    for part, rows in (("parameters", parameters), ("headers", headers), ("body_fields", body_fields)):
        data.update(typed_rows(part, rows))
    api = OutboundApi(owner=alice)
    typed = Draft.posted(data)
    expected = recipe_of(api, Draft.posted(data))

    kept_drafts.keep(api, Draft.of(api, NEW_CALL), typed)
    opened = kept_drafts.open_draft(api, typed.public_id)

    assert opened
    assert MARK not in json.dumps([opened.fields, *map(opened.rows, FORMSETS)])
    assert recipe_of(api, opened) == expected


def test_what_is_not_hidden_comes_back_as_it_was_typed(alice: User) -> None:
    browser = logged_in(alice)
    typed = GET | {
        "draft": ID,
        "url": "https://api.example.com/?page=1",
        "headers-0-name": "X-Trace",
        "headers-0-value": "on ",
        "parameters-0-name": "q",
        "parameters-0-value": "é+",
        "parameters-0-raw": "q=%C3%A9%2b",
        "body": "{\r\n}",
        "mappings-0-path": "a.b",
        "mappings-0-attribute": "new_one",
        "mappings-0-type": "number",
        "sample-city": "Oslo",
        "follows_redirects": "on",
        "body_kind": "json",
    }

    keep(browser, typed)

    form = opened(browser)
    assert {name: form.get(name) for name in typed} == typed


def test_a_draft_that_cannot_be_read_is_not_offered_and_harms_nothing(alice: User) -> None:
    browser = logged_in(alice)
    keep(browser, TYPED)
    CallDraft.objects.update(sealed="damaged")

    assert "You have unsaved changes" not in words(browser.get(NEW))
    assert "These changes are gone" in words(browser.get(NEW, {"draft": ID}, follow=True))
    keep(browser, TYPED)
    assert opened(browser)["name"] == "Orders"


def test_a_draft_of_an_api_or_account_that_is_gone_is_not_kept(alice: User, weather: OutboundApi) -> None:
    of_nobody = OutboundApi.objects.get(pk=weather.pk)
    weather.delete()
    draft = Draft(fields=Draft.of(of_nobody, NEW_CALL).fields | {"name": "Changed"})

    keeping = keep_draft(of_nobody, None, draft)
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert (keeping, draft.not_kept) == (None, "This API is deleted for good.")
    with pytest.raises(AccountGone):
        keep_draft(of_nobody, None, draft)
