"""Logs store what happened, and say it in the language of their reader."""

from pathlib import Path

import pytest
from django.db import connection
from django.utils import translation
from pytest_django.fixtures import Settings

from accounts.models import User
from developers.outbound import running
from developers.outbound.models import ApiLog, OutboundApi
from developers.outbound.recipe import Recipe
from developers.outbound.sentences import Sentence, gettext, ngettext, read, stored
from tests.cast import LAPTOP, logged_in
from tests.platform.catalogue import Messages, speak_spanish

pytestmark = pytest.mark.matrix

MESSAGES: Messages = {
    (
        "This call needs the attribute %(names)s, which has no value.",
        "This call needs the attributes %(names)s, which have no values.",
    ): (
        "Esta llamada necesita el atributo %(names)s.",
        "Esta llamada necesita millones de atributos: %(names)s.",
        "Esta llamada necesita los atributos %(names)s.",
    ),
    "The response is empty.": "La respuesta está vacía.",
}


@pytest.fixture(autouse=True)
def spanish(settings: Settings, tmp_path: Path) -> None:
    speak_spanish(settings, tmp_path, MESSAGES)


def log_of(owner: User, *names: str) -> ApiLog:
    """Run a call that lacks attributes, and return its log."""
    url = "https://api.example/?" + "&".join(f"{name}={{{{{name}}}}}" for name in names)
    api = OutboundApi.objects.make(owner, f"Needs {names}", Recipe("GET", url))
    with pytest.raises(running.Unfillable):
        running.run(api, {}, kind="call", client=LAPTOP)
    return ApiLog.objects.latest("pk")


def in_the_table(column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM outbound_apilog")  # noqa: S608 - a name of this module
        return str(cursor.fetchone()[0])


def test_a_problem_is_read_in_the_language_of_its_reader(alice: User) -> None:
    with translation.override("es"):
        written = log_of(alice, "city", "name")

    english = ApiLog.objects.get()
    with translation.override("es"):
        spanish = ApiLog.objects.get()

    assert written.problem == spanish.problem == "Esta llamada necesita los atributos city, name."
    assert english.problem == "This call needs the attributes city, name, which have no values."
    assert in_the_table("problem").startswith('{"message": "This call needs the attribute %(names)s')


def test_pages_show_problems_in_their_language(alice: User) -> None:
    log = log_of(alice, "city")
    browser = logged_in(alice)

    page = browser.get(f"/developers/third-party-apps-api/logs/{log.pk}/").content.decode()

    assert "This call needs the attribute city, which has no value." in page
    assert "message&quot;" not in page


def test_sentences_of_earlier_versions_are_read_as_they_are(alice: User) -> None:
    old = "There is no such server: 100 %(sure)s."
    ApiLog.objects.create(owner=alice, api_name="Old", method="GET", url="https://api.example/", kind="call")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outbound_apilog SET problem = %s, notes = %s", [old, '["It came late."]'])

    log = ApiLog.objects.get()
    log.save()

    assert (log.problem, log.notes) == (old, ["It came late."])
    assert in_the_table("problem") == old
    assert list(ApiLog.objects.values_list("problem", "notes")) == [(old, ["It came late."])]


def test_notes_are_read_in_the_language_too(alice: User) -> None:
    of = {"owner": alice, "api_name": "Notes", "method": "GET", "url": "https://api.example/", "kind": "call"}
    ApiLog.objects.create(notes=[gettext("The response is empty."), "as text"], **of)

    english = ApiLog.objects.get().notes
    with translation.override("es"):
        spanish = ApiLog.objects.get().notes

    assert (english, spanish) == (["The response is empty.", "as text"], ["La respuesta está vacía.", "as text"])


def test_a_sentence_keeps_its_parts_in_an_exception() -> None:
    sentence = ngettext("%(count)d row", "%(count)d rows", 2) % {"count": 2}

    kept = str(ValueError(sentence))

    assert isinstance(kept, Sentence)
    assert kept == "2 rows"
    assert read(kept.parts()) == kept
    assert kept.parts() == {"message": "%(count)d row", "plural": "%(count)d rows", "number": 2, "values": {"count": 2}}


def test_what_a_sentence_quotes_can_be_changed_and_the_rest_stays() -> None:
    sentence = gettext("secret: %(text)s, %(count)d") % {"text": "secret", "count": 7}

    assert sentence.changed(lambda text: text.replace("secret", "•••")) == "secret: •••, 7"
    assert gettext("secret").changed(lambda text: "") == "secret"
    assert (stored("plain"), stored(gettext("x"))) == ("plain", '{"message": "x"}')


def test_columns_of_sentences_need_no_migration() -> None:
    fields = {field.name: field for field in ApiLog._meta.concrete_fields}

    assert fields["problem"].deconstruct()[1] == "django.db.models.TextField"
    assert fields["notes"].deconstruct()[1] == "django.db.models.JSONField"
