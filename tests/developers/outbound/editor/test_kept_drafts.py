"""The content of the editor is read back from its draft as it was typed."""

import pytest

from accounts.models import User
from accounts.orm.owners import AccountGone
from developers.outbound.call_drafts import CallDraft
from developers.outbound.editor.drafts import Draft
from developers.outbound.models import OutboundApi
from developers.outbound.views.editor_page import NEW as NEW_CALL
from developers.outbound.views.editor_page import keep_draft
from tests.cast import logged_in
from tests.developers.outbound.editor.test_hidden_values_of_drafts import ID, NEW, TYPED, keep, opened
from tests.developers.outbound.views.pages import GET, words

pytestmark = pytest.mark.matrix


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
