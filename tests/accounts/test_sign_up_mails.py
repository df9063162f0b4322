"""Which mails a sign-up sends, and how many."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.utils import timezone
from post_office.models import Email
from pytest_django.fixtures import Settings

from accounts import sign_ups
from accounts.models import SignUp, User
from tests.accounts.mail.mails import link_in, newest
from tests.accounts.sign_ups import (
    AGAIN,
    CAROL,
    DEAD,
    OWN,
    RESET,
    SIGN_UP,
    THIEVES,
    at,
    can_log_in,
    ips,
    log_in,
    mails_to,
    send_again,
    sign_up,
    text,
)
from tests.cast import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("queued_mail")]


def test_the_right_password_of_an_unconfirmed_address_only_mails_the_link() -> None:
    link = sign_up(at())
    cache.clear()

    wrong = log_in("guessed wrong")
    mailed_for_wrong = mails_to()
    right = log_in(OWN)

    assert (wrong.status_code, right.status_code) == (200, 200)
    assert right.context["form"].non_field_errors() == wrong.context["form"].non_field_errors()
    assert [set(answer.cookies) for answer in (wrong, right)] == [{"csrftoken"}] * 2
    assert (mailed_for_wrong, mails_to()) == (1, 2)
    assert link_in(newest()).split("/")[:3] == link.split("/")[:3]
    assert DEAD not in text(at().get(link_in(newest())))


def test_code_that_asks_without_a_request_learns_nothing_and_mails_nothing(alice: User) -> None:
    sign_up(at())
    EmailAddress.objects.update(verified=False)

    answers = [authenticate(email=CAROL, password=OWN), authenticate(email=alice.email, password=PASSWORD)]

    assert answers == [None, None]
    assert Email.objects.count() == 1


def test_a_thief_s_log_ins_and_requests_use_up_no_mail_of_the_owner_s(clock: list[float], settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"sign_up": "3/d/key"}
    thief, owner = at("198.51.100.7"), at()
    sign_up(thief, THIEVES)
    for _time in range(4):
        clock[0] += 301
        thief.post(SIGN_UP, {"email": CAROL, "password1": THIEVES})
        at("198.51.100.7").post(SIGN_UP, {"email": CAROL, "password1": THIEVES})
        log_in(THIEVES, browser=thief)
        send_again(thief)
        send_again(at("198.51.100.8"))
    before = mails_to()

    own_link = sign_up(owner)
    signed_up = mails_to()
    clock[0] += 181
    send_again(owner)
    sent_again = mails_to()
    clock[0] += 181
    log_in(OWN, browser=at("192.0.2.44"))
    mailed_elsewhere = mails_to()
    clock[0] += 181
    send_again(at("192.0.2.45"))

    assert [count - before for count in (signed_up, sent_again, mailed_elsewhere, mails_to())] == [1, 2, 3, 4]
    owner.post(own_link)
    assert can_log_in(OWN)


@pytest.mark.release
def test_an_address_gets_few_links_a_day_from_one_network_and_not_many_from_all(clock: list[float]) -> None:
    def flood(ip: str) -> None:
        clock[0] += 181
        browser, password = at(ip), f"{THIEVES} {clock[0]}"
        browser.post(SIGN_UP, {"email": CAROL, "password1": password})
        send_again(browser)
        log_in(password, browser=browser)
        send_again(at(ip))

    for _time in range(8):
        flood("198.51.100.7")
    of_one = mails_to()
    for ip, _number in zip(ips("192.0.2.{}"), range(40), strict=False):
        flood(ip)

    # Six new sign-ups and three links that others asked for; of all networks, fifteen of each.
    assert of_one == 9
    assert mails_to() == 30


@pytest.mark.parametrize("path", [AGAIN, RESET])
def test_a_link_is_sent_again_only_where_an_address_waits(alice: User, path: str) -> None:
    sign_up(at())
    deactivated = User.objects.create_user("dave@example.com", PASSWORD, is_active=False)
    EmailAddress.objects.filter(user=deactivated).update(verified=False)
    before, people = Email.objects.count(), ("nobody@example.com", "dave@example.com", "Carol@Example.com")

    asked = [at().post(path, {"email": email}) for email in people]

    assert [answer.status_code for answer in asked] == [302] * 3
    assert [mail.to for mail in Email.objects.order_by("pk")[before:]] == [[CAROL]]
    assert DEAD not in text(at().get(link_in(newest())))


def test_a_link_is_not_sent_again_to_an_account_that_is_confirmed(alice: User) -> None:
    sign_up(at())
    User.objects.create_user(CAROL, PASSWORD)
    before = Email.objects.count()

    for email in (alice.email, CAROL):
        send_again(at(), email)

    assert Email.objects.count() == before


def test_a_failed_log_in_offers_to_send_the_link_again_to_the_address_that_was_typed() -> None:
    page = text(log_in("guessed wrong"))
    invalid = send_again(at(), "no address")
    done = at().post(AGAIN, {"email": CAROL}, follow=True)

    assert f'action="{AGAIN}"' in page
    assert f'<input type="hidden" name="email" value="{CAROL}">' in page
    assert "Send the confirmation link again" in page
    assert len(invalid.context["form"].errors["email"]) == 1
    assert "If this address still has to be confirmed, a link is on its way to it." in text(done)


def test_a_sign_up_is_forgotten_once_its_last_link_has_had_its_time() -> None:
    for email, age in (("old@example.com", timedelta(days=3, minutes=1)), (CAROL, timedelta(days=2, hours=23))):
        SignUp.objects.create(email=email, password=make_password(OWN), renewed_at=timezone.now() - age)

    forgotten = sum(sign_ups.forget_old())

    assert (forgotten, [str(row) for row in SignUp.objects.all()]) == (1, [CAROL])
