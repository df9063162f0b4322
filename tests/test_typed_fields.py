"""Every field that people or programs fill in applies the rule of its kind of text."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from allauth.core import context
from django import forms
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ValidationError
from django.forms.forms import BaseForm
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import get_resolver
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import SignUp, User
from accounts.text import keep, normalize
from botpenguin.platform.api import fields, phone_fields
from botpenguin.platform.api.fields import Input, Text

pytestmark = pytest.mark.matrix

TYPED = " Ａe\u0301\u200b\u00a0x1"
# What becomes of it by each rule.
KINDS = {
    "Aé x1": "normalized",
    "aéx1": "code",
    "Ａé\u200b\u00a0x1": "name",
    " Ａé\u200b x1": "new password",
    TYPED: "untouched",
    TYPED.strip(): "stripped",
    "['Ａé\\u200b\\xa0x1']": "names",
}
NOBODY = User(email="nobody@example.com")
OF_A_USER = [
    *("ReauthenticateForm", "ChangeEmailForm", "DeleteAccountForm", "ChangePasswordForm", "ChangePasswordAndTokenForm"),
    *("ResetPasswordAndTokenForm", "ResetPasswordKeyForm", "ActivateTOTPForm", "AuthenticateCodeForm"),
    *("ReauthenticateCodeForm", "AddPasskeyForm", "AuthenticatePasskeyForm", "ReauthenticatePasskeyForm"),
]
ARGUMENTS: dict[str, dict[str, Any]] = {
    **{name: {"user": NOBODY} for name in OF_A_USER},
    "SignUpPasswordForm": {"request": None, "waiting": SignUp()},
    "NewPasswordForm": {"email": "nobody@example.com"},
    "AccountPasswordForm": {"request": None, "user": NOBODY},
    "MappingForm": {"types": {}},
    "LogFilter": {"data": {}, "owner": NOBODY},
}
# Bases of others.
ABSTRACT = {"PlainForm", "MailboxForm", "CodeForm", "LimitedCodeForm", "FocusOnFirstError", "EditorForm"}
EXPECTED = {
    # The form itself checks these two: an account of version 0.1.0 may have what no other may.
    "LoginForm": {"login": "stripped", "password": "untouched"},
    "DeleteAccountForm": {"email": "stripped"},
    "SignupForm": {"email": "email", "password1": "new password"},
    "ResetPasswordForm": {"email": "email"},
    "SendAgainForm": {"email": "email"},
    "ChangeEmailForm": {"email": "email"},
    "ResetPasswordKeyForm": {"password1": "new password", "password2": "new password"},
    "ResetPasswordAndTokenForm": {"password1": "new password", "password2": "new password"},
    "ChangePasswordForm": {"oldpassword": "untouched", "password1": "new password", "password2": "new password"},
    "ChangePasswordAndTokenForm": {
        "oldpassword": "untouched",
        "password1": "new password",
        "password2": "new password",
    },
    "ReauthenticateForm": {"password": "untouched"},
    "SignUpPasswordForm": {"password": "untouched"},
    "AccountPasswordForm": {"password": "untouched"},
    "NewPasswordForm": {"password1": "new password"},
    "NameForm": {"name": "name"},
    # The key of a row, which nobody types.
    "EndSessionForm": {"session": "stripped"},
    # The name as its row has it, which nobody types either.
    "ProgramLabelForm": {"label": "name", "program": "untouched"},
    "ActivateTOTPForm": {"code": "code"},
    "AuthenticateCodeForm": {"code": "code"},
    "ReauthenticateCodeForm": {"code": "code"},
    "AddPasskeyForm": {"name": "name"},
    "PasskeyNameForm": {"name": "name"},
    "RenameBotForm": {"name": "name"},
    "NewBotForm": {"name": "name"},
    "SegmentForm": {"name": "name", "tags": "stripped"},
    "CallForm": {"name": "name", "url": "stripped", "body": "untouched"},
    "FieldForm": {"name": "stripped", "value": "stripped"},
    "ParameterForm": {"name": "stripped", "value": "stripped"},
    "MappingForm": {"path": "stripped", "attribute": "normalized"},
    "BodyFieldForm": {"content_type": "stripped", "name": "untouched", "value": "untouched"},
    "AttributeForm": {"name": "normalized"},
    "LogFilter": {"api": "normalized", "status": "normalized", "day": "normalized"},
    "CurlForm": {"command": "stripped"},
}


def every_form(of: type[BaseForm] = BaseForm) -> Iterator[type[Any]]:
    for form in of.__subclasses__():
        if form.__module__.split(".")[0] in ("accounts", "botpenguin", "developers"):
            yield form
        yield from every_form(form)


def made(form: type[Any]) -> Any:
    return form(**ARGUMENTS.get(form.__name__, {}))


@pytest.fixture
def request_of_a_browser(db: None) -> Iterator[HttpRequest]:
    request = RequestFactory().get("/")
    request.session = SessionStore()
    with context.request_context(request):
        yield request


def kind_of(field: Any) -> str:
    try:
        return KINDS.get(str(field.to_python(TYPED)), "another")
    except ValidationError:
        return "email"


@pytest.mark.usefixtures("request_of_a_browser")
def test_every_field_of_a_form_has_its_rule() -> None:
    get_resolver().url_patterns  # noqa: B018 - imports every form
    found = {}
    for form in every_form():
        if form.__name__ not in ABSTRACT:
            typed = {
                name: kind_of(field)
                for name, field in made(form).fields.items()
                if isinstance(field, forms.CharField) and not field.widget.is_hidden
            }
            if typed:
                found[form.__name__] = typed

    assert found == EXPECTED


RULES = {
    **dict.fromkeys(("ObjectId", "OptionalId", "ProfileId"), normalize),
    **dict.fromkeys(("AnyText", "Name", "BotName", "Tag", "Country", "Note", "Key", "WebhookUrl"), keep),
    "Email": fields._email,
    # Each of three kinds: `identified_by` finds out which.
    "Search": str.strip,
}
# Numbers have rules of their own, and a search normalizes both sides.
OTHERS = {"PhoneIn.number", "PhoneIn.prefix", "ContactFilter.searchText"}


def test_every_kind_of_text_of_the_api_has_its_rule() -> None:
    found = {
        name: text.rule
        for module in (phone_fields, fields)
        for name, kind in vars(module).items()
        for text in get_args(kind)
        if isinstance(text, Text)
    }

    assert {name: rule for name, rule in found.items() if name not in ("Number", "Prefix")} == RULES


def test_every_text_of_a_body_is_of_one_of_these_kinds() -> None:
    without = {
        f"{model.__name__}.{name}"
        for model in every_model(Input)
        for name, field in model.model_fields.items()
        if has_bare_text(field.annotation, field.metadata)
    }

    assert without - OTHERS == set()


def every_model(of: type[Input]) -> Iterator[type[Input]]:
    for model in of.__subclasses__():
        yield model
        yield from every_model(model)


def has_bare_text(kind: Any, metadata: Any = ()) -> bool:
    """Return whether a type allows a text that no `Text` describes, other than the values of attributes."""
    if any(isinstance(one, Text) for one in metadata) or kind == fields.Value:
        return False
    if kind is str:
        return True
    inner, *more = get_args(kind) or [None]
    if hasattr(kind, "__metadata__"):
        return has_bare_text(inner, more)
    return any(has_bare_text(one) for one in get_args(kind) if not isinstance(one, str))


NAMES = ["", " ", "\u200b", "\u2800", "\u3164", "\u00a0\u3000", "\u200d\ufe0f", "\u2060", "\U000e0041", "\u115f\u1160"]


@pytest.mark.parametrize("typed", NAMES, ids=ascii)
@pytest.mark.usefixtures("request_of_a_browser")
def test_a_name_that_shows_nothing_is_refused_like_an_empty_one(typed: str) -> None:
    for form in every_form():
        for name, kind in EXPECTED.get(form.__name__, {}).items():
            field = made(form).fields[name]
            if kind == "name" and field.required:
                with pytest.raises(ValidationError) as refused:
                    field.clean(typed)
                assert refused.value.messages == [field.error_messages["required"]]


@pytest.mark.parametrize(
    "typed", ["Ａｓｈａ", "می\u200cخواهم", "👩\u200d💻", "Anne\u2011Marie", "a\u00a0b", "\u200bx", "ﾊﾟ", "ＡＢ"]
)
def test_a_name_keeps_its_text(typed: str) -> None:
    for rule in (fields.BotName, fields.Tag, fields.Name, fields.Note, fields.Key):
        [text] = [one for one in get_args(rule) if isinstance(one, Text)]
        assert text.rule(f" {typed}\u3000") == typed


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0", max_codepoint=0xFFFF), max_size=3))
def test_the_pattern_of_the_document_and_the_rule_agree_on_what_is_visible(typed: str) -> None:
    assert bool(re.search(f"^{fields.VISIBLE}$", typed)) == bool(keep(typed))
