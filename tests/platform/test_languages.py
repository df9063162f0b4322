"""Sentences of the API follow `Accept-Language`. Keys, headers and log lines do not."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.test import Client as Browser
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.api import field_errors, languages, operations, reference, reference_texts
from developers import issuance
from developers.models import ApiToken
from tests.cast import LAPTOP, token_text
from tests.platform.calls import NOBODY, Caller
from tests.platform.catalogue import Messages, speak_spanish
from tests.platform.test_errors import ADDRESS, BROKEN

pytestmark = pytest.mark.matrix

MISSING = "Send your API access token in the header Authorization: Bearer <token>."
FALTA = "Envíe su token de acceso en la cabecera Authorization: Bearer <token>."
MESSAGES: Messages = {
    MISSING: FALTA,
    "There is nothing at this path. Paths have no trailing slash.": "No hay nada en esta ruta.",
    "There is no bot with this id in your account.": "No hay ningún bot con este id en su cuenta.",
    "This API access token was revoked at %(time)s. Copy the current one from the Developers page.": (
        "Este token se revocó: %(time)s."
    ),
    BROKEN: "Algo falló.",
    "The credential works.": "La credencial funciona.",
    "This server sends no messages.": "Este servidor no envía mensajes.",
}


@pytest.fixture(autouse=True)
def spanish(settings: Settings, tmp_path: Path) -> Iterator[None]:
    speak_spanish(settings, tmp_path, MESSAGES)
    reference.groups_in.cache_clear()
    yield
    reference.groups_in.cache_clear()


def ask(path: str = ADDRESS, accepted: str = "es", **headers: str) -> Any:
    return Browser().get(path, headers={"Accept-Language": accepted} | headers)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("es-MX", "es"),
        ("es-419,en;q=0.5", "es"),
        ("ja, es;q=0.2", "es"),
        ("pt", "pt-br"),
        ("pt-PT,es;q=0.9", "pt-br"),
        ("en, es;q=0.9", "en"),
        ("es;q=0.4, en;q=0.9", "en"),
        ("ja", "en"),
        ("*", "en"),
        ("*, es;q=0.5", "en"),
        ("ja, *;q=0.5, es;q=0.1", "en"),
        ("es;q=0", "en"),
        ("", "en"),
        ("es_ES; drop table", "en"),
        ("x" * 5000, "en"),
        ("es," * 500, "es"),
    ],
)
def test_the_language_is_the_most_preferred_one_of_those_that_there_are(accepted: str, language: str) -> None:
    response = ask(accepted=accepted)

    assert (response["Content-Language"], response["Vary"]) == (language, "Accept-Language")
    assert response.json()["message"] == (FALTA if language == "es" else MISSING)


def test_without_a_preference_the_language_is_english() -> None:
    response = Browser().get(ADDRESS)

    assert (response["Content-Language"], response.json()["data"]) == ("en", [MISSING])


@given(st.text(st.characters(codec="latin-1"), max_size=200))
def test_any_header_leads_to_a_language(accepted: str) -> None:
    assert languages.of({"HTTP_ACCEPT_LANGUAGE": accepted}) in {"en", "es", "pt-br"}


def test_message_and_data_are_translated_and_the_key_is_not() -> None:
    assert ask().json() == {"success": False, "message": FALTA, "data": [FALTA], "code": 401, "error": "token_missing"}
    assert ask("/api/v7/nothing").json()["data"] == ["No hay nada en esta ruta."]


def test_the_challenge_of_a_revoked_token_stays_english_and_ascii(alice: User) -> None:
    old = token_text(alice)
    issuance.revoke(alice, ApiToken.objects.get().generation, LAPTOP, even_if_used=True)

    refused = ask(Authorization=f"Bearer {old}")

    assert refused.json()["message"].startswith("Este token se revocó: 20")
    assert 'error_description="This API access token was revoked at 20' in refused["WWW-Authenticate"]
    assert refused["WWW-Authenticate"].isascii()


def test_sentences_of_operations_are_translated(as_alice: Caller) -> None:
    made = as_alice.data("POST", "/bots", {"name": "Reception", "platform": "sms"})
    body = {"botId": made["_id"]}
    path = "/integrations/custom-app/general-authentication"

    works = as_alice.send("POST", path, body, **{"Accept-Language": "es"})
    refused = as_alice.send("GET", f"/bots/{NOBODY}", **{"Accept-Language": "es"})
    absent = [as_alice.send("GET", "/ext/x", **{"Accept-Language": accepted}) for accepted in ("es", "en", "es")]
    messages = [
        as_alice.send("GET", "/telegram-automation/messages", **{"Accept-Language": accepted}).json()["message"]
        for accepted in ("es", "en", "es")
    ]

    assert (works.json()["message"], works["Content-Language"]) == ("La credencial funciona.", "es")
    assert refused.json()["message"] == "No hay ningún bot con este id en su cuenta."
    assert [answer["Content-Language"] for answer in absent] == ["es", "en", "es"]
    assert messages == [
        "Este servidor no envía mensajes.",
        "This server sends no messages.",
        "Este servidor no envía mensajes.",
    ]


@pytest.mark.parametrize("path", [ADDRESS, "/api/v7/bots", "/api/v7/token/check", "/api/v7/nothing"])
def test_the_language_of_the_thread_neither_counts_nor_changes(path: str, db: None) -> None:
    with translation.override("es"):
        response = Browser().get(path)

        assert translation.get_language() == "es"
    assert response["Content-Language"] == "en"
    assert response.json()["message"] in {MISSING, "There is nothing at this path. Paths have no trailing slash."}


def test_a_call_leaves_no_language_behind() -> None:
    before = translation.get_language()

    ask()
    ask("/api/v7/nothing")

    assert translation.get_language() == before


def test_answers_without_sentences_say_their_language_too(alice: User) -> None:
    headers = {"Authorization": f"Bearer {token_text(alice)}"}

    answers = [ask(path, **headers) for path in (ADDRESS, "/api/v7/token/check", "/api/v7/bots")]

    assert [(answer.status_code, answer["Content-Language"], answer["Vary"]) for answer in answers] == [
        (200, "es", "Accept-Language"),
        (204, "es", "Accept-Language"),
        (200, "es", "Accept-Language"),
    ]


def test_the_document_stays_english() -> None:
    english, spanish = Browser().get("/api/v7/openapi.json"), ask("/api/v7/openapi.json")

    assert spanish["Content-Language"] == "en"
    assert spanish.content == english.content
    assert MISSING in english.content.decode()


def test_a_page_that_fails_answers_in_the_language_too(settings: Settings, db: None) -> None:
    del settings.PUBLIC_URL

    response = Browser(raise_request_exception=False).get("/api/v7/docs", headers={"Accept-Language": "es"})

    assert (response.json()["message"], response["Content-Language"]) == ("Algo falló.", "es")


def test_log_lines_stay_english(caplog: pytest.LogCaptureFixture, settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.platform.urls"

    response = ask("/api/failing/broken")

    assert response.json()["message"] == "Algo falló."
    assert caplog.messages[0] == "GET '/api/failing/broken' failed."


def test_every_text_of_the_document_that_the_page_shows_can_be_translated() -> None:
    """If it fails, run `python -m tests.platform.reference_texts`."""
    assert list(reference_texts.TEXTS) == reference.texts()


def test_the_reference_is_translated_and_its_code_is_not(settings: Settings, tmp_path: Path) -> None:
    texts: Messages = {text: f"¡{text}!" for text in reference_texts.TEXTS}
    speak_spanish(settings, tmp_path / "reference", texts | {"list of %(kind)s": "lista: %(kind)s"})

    english = reference.groups()
    with translation.override("es"):
        spanish = reference.groups()
        introduction = operations.prose(reference.document()["info"]["description"])

    for before, after in zip(chain(*english.values()), chain(*spanish.values()), strict=True):
        assert after.summary == f"¡{before.summary}!"
        assert after.description == before.description.replace("<p>", "<p>¡").replace("</p>", "!</p>")
        assert [field.name for field in after.fields] == [field.name for field in before.fields]
        assert [note for _, note in after.errors] == [f"¡{note}!" for _, note in before.errors]
        assert (after.path, after.body, after.responses) == (before.path, before.body, before.responses)
    assert "<p>¡Every answer is an envelope: <code>success</code>" in introduction
    assert [field.kind for field in spanish["inbox"][2].fields if field.name == "[].profile.userDetails.tags"] == [
        "lista: text"
    ]
    assert reference.groups() == english


def test_what_is_wrong_with_fields_is_translated(as_alice: Caller, settings: Settings, tmp_path: Path) -> None:
    messages: Messages = {
        "%(field)s is required": "falta %(field)s",
        "%(field)s should be an object": "%(field)s debe ser un objeto",
        "%(field)s should be a name of 1 to 100 characters": "%(field)s debe ser un nombre",
        "%(field)s should be %(values)s or %(last)s": "%(field)s debe ser %(values)s o %(last)s",
        "The body": "El cuerpo",
        "the row": "la fila",
        "Row %(number)d: %(why)s.": "Fila %(number)d: %(why)s.",
        "Nothing was imported.": "No se importó nada.",
    }
    speak_spanish(settings, tmp_path / "fields", messages)

    def data(path: str, body: Any) -> list[str]:
        sentences: list[str] = as_alice.send("POST", path, body, **{"Accept-Language": "es"}).json()["data"]
        return sentences

    assert data("/bots", {}) == ["falta name.", "falta platform."]
    assert data("/bots", 7) == ["El cuerpo debe ser un objeto."]
    assert data("/bots", {"name": "", "platform": "fax"}) == [
        "name debe ser un nombre.",
        "platform debe ser 'whatsapp', 'instagram', 'facebook', 'telegram', 'website' o 'sms'.",
    ]
    assert data("/inbox/users/import", ["Asha"]) == ["Fila 1: la fila debe ser un objeto."]


@pytest.mark.parametrize(
    ("error", "clause"),
    [
        ({"type": "literal_error", "ctx": {"expected": "'one'"}}, "field should be 'one'"),
        ({"type": "url_type", "msg": "URL input should be a string."}, "field URL input should be a string"),
        ({"type": "float_type", "msg": "Input should be a valid number"}, "field should be a valid number"),
    ],
)
def test_rare_errors_of_fields_are_described_too(error: dict[str, Any], clause: str) -> None:
    assert field_errors.describe(["field"], error) == clause


def test_the_admin_names_the_panel_in_the_language(settings: Settings, tmp_path: Path) -> None:
    speak_spanish(settings, tmp_path / "admin", {"Developers": "Desarrolladores"})

    with translation.override("es"):
        assert str(apps.get_app_config("developers").verbose_name) == "Desarrolladores"
