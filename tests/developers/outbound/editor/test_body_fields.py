"""The body's rows in the editor: shown, changed, kept for another kind, and hidden."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from accounts.models import User
from developers.outbound.body import body_of
from developers.outbound.editor.body_forms import BodyFieldForm
from developers.outbound.editor.forms import ParameterForm
from developers.outbound.fields import fields_of
from developers.outbound.models import OutboundApi
from developers.outbound.recipe import Recipe, RecipeField, parameters_of
from tests.cast import logged_in
from tests.developers.outbound.views.pages import GET, HTMX, PAGE, address, form_of, words

pytestmark = pytest.mark.matrix

URL = "https://api.example.com/orders"
POST = GET | {"method": "POST", "body_kind": "form"}


def form(body: str, kind: str = "form") -> Recipe:
    return Recipe("POST", URL, body_kind=kind, body_fields=fields_of(body) or ())


SPELLED = [
    *("a=b+c&d=%20&e", "caf%E9=1&x=%zz", "a=1&&b=2", "a=1%0D%0A2&b=1%0A2", "%20a%20=%20b%20", "a=é%2f&😀"),
    *("q={{name}}&{{key}}=1", "a=x%09y", "a='&amp;x", "a=%0A1"),
]


@pytest.mark.parametrize("kind", ["form", "multipart", "none"])
def test_saving_a_page_unchanged_keeps_each_row_as_it_was_spelled(alice: User, kind: str) -> None:
    body = "&".join(SPELLED)
    browser = logged_in(alice)
    api = OutboundApi.objects.make(alice, "Orders", form(body, kind))

    # A browser submits each line break as these two.
    posted = {
        name: text.replace("\n", "\r\n").replace("\r\r", "\r")
        for name, text in form_of(browser.get(address(api))).items()
    }
    response = browser.post(address(api), posted)

    assert response.status_code == 302
    assert OutboundApi.objects.get().recipe() == form(body, kind)


def test_saving_a_page_unchanged_keeps_the_blanks_and_line_breaks_of_parameters(alice: User) -> None:
    browser = logged_in(alice)
    query = "a=1%0A2&%20b=%20c&d=%0D%0A&e=f+g&token=x%0Ay&caf%E9=1&h=%0d%0a"
    api = OutboundApi.objects.make(alice, "Orders", Recipe("GET", URL, parameters_of(query)))
    before = replace(api.recipe(), parameters=tuple(replace(e, is_secret=e.is_hidden) for e in parameters_of(query)))

    # An input submits no line break.
    posted = {
        name: text.replace("\r", "").replace("\n", "") for name, text in form_of(browser.get(address(api))).items()
    }
    browser.post(address(api), posted)

    assert OutboundApi.objects.get().recipe() == before


def test_hidden_rows_stay_hidden_and_keep_their_spelling(alice: User) -> None:
    browser = logged_in(alice)
    own = RecipeField("pin code", "s3cret\r\nx", is_secret=True, content_type="text/x")
    rows = (RecipeField("token", "a/b", is_secret=True, raw="token=a%2fb"), own)
    api = OutboundApi.objects.make(alice, "Orders", Recipe("POST", URL, body_kind="multipart", body_fields=rows))
    page = browser.get(address(api))

    browser.post(address(api), form_of(page) | {"name": "Orders 2"})
    kept = OutboundApi.objects.get().recipe()
    moved = browser.post(address(api), form_of(page) | {"url": "https://elsewhere.example.com"})

    assert "s3cret" not in page.content.decode()
    assert "a%2fb" not in page.content.decode()
    assert "$TOKEN" in page.content.decode()
    assert kept.body_fields == rows
    assert words(moved).count("The call goes to another server now.") == 2
    assert moved.context["current"] == "body"


TYPED = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)


@example([RecipeField("a\nb", "\r"), RecipeField(" a\r", "\n b\r\n"), RecipeField("a", " b ")])
@example(fields_of("a=%0D&b=%0d&%20c=%0A&d=e+f&q=%26%3D"))
@given(st.text(max_size=30).map(fields_of) | st.builds(lambda *texts: [RecipeField(*texts)], TYPED, TYPED))
def test_a_row_that_nobody_changes_is_read_as_it_was(fields: Sequence[RecipeField] | None) -> None:
    for form in (BodyFieldForm, ParameterForm):
        for each in fields or ():
            spelled = replace(each, raw=each.raw if form is BodyFieldForm else "")
            # What an input and a textarea submit.
            name = re.sub("[\r\n]", "", each.name)
            value = re.sub("\r\n|\r|\n", "\r\n" if form is BodyFieldForm else "", each.value)
            row = form({"name": name, "value": value, "raw": form.raw_of(spelled)})

            if row.is_valid():
                cleaned = {key: row.cleaned_data[key] for key in ("name", "value", "raw")}
                assert cleaned == {"name": spelled.name, "value": spelled.value, "raw": spelled.raw}


def test_typed_rows_are_encoded_as_their_kind_needs_it(alice: User) -> None:
    browser = logged_in(alice)
    typed = {"body_fields-0-name": " a&b ", "body_fields-0-value": " c\r\nd=é ", "body_fields-2-name": "e"}

    browser.post(
        f"{PAGE}new/", POST | typed | {"body_fields-0-raw": "a=other", "body": "{}", "body_fields-1-name": " "}
    )

    recipe = OutboundApi.objects.get().recipe()
    assert recipe.body_fields == (RecipeField(" a&b ", " c\nd=é "), RecipeField("e", ""))
    assert body_of(recipe) == "+a%26b+=+c%0Ad%3D%C3%A9+&e="
    assert recipe.body == "{}"


@pytest.mark.parametrize(
    ("body", "secret"), [("a\nb\n", False), ("a\r\nb\r\n", False), ("a\r\nb\r\n", True), ("\n", False)]
)
def test_a_text_is_kept_with_its_line_breaks(alice: User, body: str, secret: bool) -> None:
    browser = logged_in(alice)
    recipe = Recipe("POST", URL, body=body, body_kind="text", body_is_secret=secret)
    api = OutboundApi.objects.make(alice, "Orders", recipe)

    posted = form_of(browser.get(address(api)))
    posted["body"] = posted["body"].replace("\r\n", "\n").replace("\n", "\r\n")
    browser.post(address(api), posted)

    assert OutboundApi.objects.get().recipe() == recipe


def test_a_typed_text_is_sent_with_line_feeds(alice: User) -> None:
    logged_in(alice).post(f"{PAGE}new/", POST | {"body_kind": "text", "body": "a\r\nb\r\n"})

    assert body_of(OutboundApi.objects.get().recipe()) == "a\nb\n"


def test_the_body_of_another_kind_stays(alice: User) -> None:
    browser = logged_in(alice)
    rows = (RecipeField("token", "s3cret", is_secret=True), RecipeField("a", "b"))
    recipe = Recipe("POST", URL, body='{"a": 1}', body_is_secret=True, body_kind="form", body_fields=rows)
    api = OutboundApi.objects.make(alice, "Orders", recipe)

    for kind in ("none", "json", "text", "multipart", "form"):
        browser.post(address(api), form_of(browser.get(address(api))) | {"body_kind": kind})

        assert OutboundApi.objects.get().recipe() == replace(recipe, body_kind=kind)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ({"body_fields-0-value": "b"}, "Give it a key, or remove the row."),
        ({"body_fields-0-name": "x" * 201}, "Keep it to 200 characters."),
        ({"body_fields-0-name": "a", "body_fields-0-value": "x" * 8_001}, "Keep it to 8000 characters."),
        (
            {"body_fields-0-name": "a", "body_fields-0-content_type": "json"},
            "Write a Content-Type such as application/json, or leave it empty.",
        ),
        ({}, "Add a field to the body, or choose None."),
        (
            {"body_fields-0-name": "a", "headers-0-name": "Content-Type", "headers-0-value": "a/b"},
            "The body is sent as multipart/form-data: remove this header, or choose Text.",
        ),
        ({f"body_fields-{number}-name": "a" for number in range(51)}, "At most 50 can be sent."),
        (
            {
                f"body_fields-{number}-{key}": "x" * 199 * (1 + 39 * (key == "value"))
                for number in range(13)
                for key in ("name", "value")
            },
            "Keep the body to 100,000 characters.",
        ),
    ],
)
def test_an_error_of_a_row_names_its_reason_and_loses_nothing(alice: User, rows: dict[str, str], sentence: str) -> None:
    response = logged_in(alice).post(f"{PAGE}new/", POST | {"body_kind": "multipart"} | rows)

    assert words(response).count(sentence) == 1
    assert form_of(response).items() >= rows.items()
    assert not OutboundApi.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_rows_are_added_removed_and_brought_back_inside_of_the_body(alice: User, headers: dict[str, str]) -> None:
    browser = logged_in(alice)
    typed = POST | {"body_fields-0-name": "a", "body_fields-0-value": "b"}

    added = browser.post(f"{PAGE}new/rows/", typed | {"add_row": "body_fields"}, headers=headers)
    removed = browser.post(f"{PAGE}new/rows/", typed | {"remove_row": "body_fields-0"}, headers=headers)
    gone = typed | {"body_fields-0-DELETE": "on", "undo_row": "body_fields-0"}
    restored = browser.post(f"{PAGE}new/rows/", gone, headers=headers)

    assert 'name="body_fields-1-name"' in added.content.decode()
    assert "a is removed." in words(removed)
    assert "a is removed." not in words(restored)
    assert [page.context["current"] for page in (added, removed, restored)] == ["body"] * 3
    assert ("<form" in added.content.decode()) is not bool(headers)
