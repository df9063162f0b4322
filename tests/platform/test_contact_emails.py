"""Emails of contacts: in whatever spelling they are sent, one email is one contact; what cannot be has its reason."""

import pytest
from django.test import Client as Browser

from accounts.models import User
from botpenguin.platform.models import Contact
from tests.platform.calls import Caller, contact_of, names, row

pytestmark = pytest.mark.matrix

STORED = "zoe@xn--mnchen-3ya.example"
SPELLINGS = [
    STORED,
    "zoe@münchen.example",
    "ZOE@MÜNCHEN.example",
    "Zoe@XN--MNCHEN-3YA.Example",
    "zoe@mu\u0308nchen.example",
    "ｚｏｅ＠ｍünchen．example",
    "zoe@münchen。example",
    "\ufeffzoe@münchen.example\u200b",
    "\u00a0zoe@mün\u00adchen.example\u3000",
]
REFUSED = [
    *[(text, "invalid") for text in ("zoe", "zoe@x", "zoe@x.example, y@x.example", '"zoe"@x.example', "a b@x.example")],
    *[
        (text, "invalid")
        for text in ("zoe@\u2764.example", "zoe@x\u3000y.example", f"{'x' * 65}@x.example", "@x.example")
    ],
    *[(text, "local_part") for text in ("zoë@x.example", "почта@почта.рф", "李@x.example", "\u0131@x.example")],
    *[(text, "joiner") for text in ("zoe@क्\u200dष.example", "zoe@نامه\u200cای.com")],
]
REASONS = {
    "invalid": "should be an email address",
    "local_part": "should have only the letters a to z, digits and signs such as . - + before the @",
    "joiner": "should have a domain without an invisible joiner. Send its ASCII spelling, which begins with xn--",
}


@pytest.mark.parametrize("typed", SPELLINGS, ids=ascii)
def test_an_email_in_every_spelling_is_one_contact(as_alice: Caller, alice: User, typed: str) -> None:
    zoe = contact_of(alice, name="Zoe", email=STORED)

    imported = as_alice.data("POST", "/inbox/users/import", [row("Zoë", email=typed)])
    body = {"profile": {"userDetails": {"contact": {"email": typed}}}}
    changed = as_alice.data("PUT", f"/inbox/users/{zoe.pk}", body)
    update = {"search": typed, "attributes": {"plan": "gold"}}
    found = as_alice.data("PUT", "/integrations/custom-app/update-user-attributes", update)
    searched = as_alice.data("POST", "/inbox/users", {"searchText": typed})

    assert (imported["ids"], imported["updated"]) == ([zoe.pk], 1)
    assert changed["profile"]["userDetails"]["contact"]["email"] == STORED
    assert found["_id"] == zoe.pk
    assert names(searched) == ["Zoë"]
    assert Contact.objects.get().email == STORED


@pytest.mark.parametrize(("typed", "reason"), REFUSED, ids=ascii)
def test_an_email_that_cannot_be_has_its_reason(as_alice: Caller, alice: User, typed: str, reason: str) -> None:
    rows = [row("Asha", email="asha@example.com"), row("Zoe", email=typed)]

    status, sentences = as_alice.refusal("POST", "/inbox/users/import", rows)

    assert (status, sentences) == (400, [f"Row 2: profile.userDetails.contact.email {REASONS[reason]}."])
    assert not Contact.objects.exists()


@pytest.mark.parametrize("typed", ["a..b@example.com", "a.@example.com", "x@a.b", "x@example.com "])
def test_emails_that_version_0_1_0_accepted_are_accepted(as_alice: Caller, typed: str) -> None:
    as_alice.data("POST", "/inbox/users/import", [row("Zoe", email=typed)])

    assert Contact.objects.get().email == typed.strip()


@pytest.mark.parametrize("typed", ["", " ", "\u200b", "\u2800\ufeff"])
def test_an_email_that_shows_nothing_is_none(as_alice: Caller, typed: str) -> None:
    as_alice.data("POST", "/inbox/users/import", [row("Zoe", email=typed)])

    assert Contact.objects.get().email == ""


def test_pages_show_the_domain_in_its_script(alice: User) -> None:
    zoe = contact_of(alice, name="", email=STORED)
    browser = Browser()
    browser.force_login(alice)

    pages = [browser.get(path).content.decode() for path in ("/inbox/", f"/inbox/{zoe.pk}/")]

    assert ["zoe@<wbr>münchen.<wbr>example" in page for page in pages] == [True, True]
    assert str(zoe) == "zoe@münchen.example"
