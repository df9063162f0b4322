import pytest

from accounts.models import User
from botpenguin.platform.models import Bot, Contact
from tests.platform.calls import NOBODY, Caller, contact_of

pytestmark = pytest.mark.matrix

CREDENTIAL = "/integrations/custom-app/general-authentication"
UPDATE = "/integrations/custom-app/update-user-attributes"
NO_BOT = (404, ["There is no bot with this id in your account."])


@pytest.fixture
def reception(alice: User) -> Bot:
    return Bot.objects.create(owner=alice, name="Reception", platform="whatsapp")


@pytest.mark.parametrize("beside", [{"slug": "n8n", "platform": "whatsapp"}, {"slug": "n8n"}, {"platform": None}, {}])
def test_a_credential_is_good_for_a_bot_of_its_owner(
    as_alice: Caller, reception: Bot, beside: dict[str, str | None]
) -> None:
    bot = as_alice.data("POST", CREDENTIAL, beside | {"botId": reception.pk})

    assert (bot["_id"], bot["name"]) == (reception.pk, "Reception")


def test_a_credential_is_good_for_no_other_bot(as_bob: Caller, reception: Bot) -> None:
    assert as_bob.refusal("POST", CREDENTIAL, {"slug": "n8n", "botId": reception.pk}) == NO_BOT
    assert as_bob.refusal("POST", CREDENTIAL, {"slug": "n8n", "botId": NOBODY}) == NO_BOT
    assert as_bob.refusal("POST", CREDENTIAL, {"slug": "n8n", "botId": ""}) == (
        422,
        ["botId should be an id, 24 hexadecimal digits."],
    )
    assert as_bob.refusal("POST", CREDENTIAL, {"slug": "n8n"}) == (422, ["botId is required."])


@pytest.mark.parametrize("platform", ["whatsapp", "WhatsApp", "WHATSAPP", " whatsapp ", "", " ", None])
def test_a_credential_names_the_platform_of_its_bot_in_any_case_or_none(
    as_alice: Caller, reception: Bot, platform: str | None
) -> None:
    bot = as_alice.data("POST", CREDENTIAL, {"slug": "n8n", "botId": reception.pk, "platform": platform})

    assert (bot["_id"], bot["platform"]) == (reception.pk, "whatsapp")


@pytest.mark.parametrize("platform", ["instagram", "facebook", "telegram", "website", "sms", "SMS", "Telegram "])
def test_a_credential_with_another_platform_than_its_bots_is_refused(
    as_alice: Caller, reception: Bot, platform: str
) -> None:
    response = as_alice.send("POST", CREDENTIAL, {"slug": "n8n", "botId": reception.pk, "platform": platform})

    sentence = "platform should be whatsapp, where this bot talks."
    assert response.status_code == 400
    assert response.json() == {
        "success": False,
        "message": sentence,
        "data": [sentence],
        "code": 400,
        "error": "platform_wrong",
    }


@pytest.mark.parametrize(
    "platform", ["signal", "whats app", "whatsapp,sms", "x" * 5000, "whatsapp\0", "ＷhatsApp", 1, True, [], {}, ["sms"]]
)
def test_a_credential_with_a_platform_that_does_not_exist_is_refused_by_name(
    as_alice: Caller, reception: Bot, platform: object
) -> None:
    status, (sentence,) = as_alice.refusal("POST", CREDENTIAL, {"botId": reception.pk, "platform": platform})

    assert (status, sentence) == (
        422,
        "platform should be 'whatsapp', 'instagram', 'facebook', 'telegram', 'website' or 'sms'.",
    )


def test_the_platform_of_somebody_elses_bot_stays_unknown(as_bob: Caller, reception: Bot) -> None:
    for platform in ("whatsapp", "sms"):
        assert as_bob.refusal("POST", CREDENTIAL, {"botId": reception.pk, "platform": platform}) == NO_BOT


@pytest.mark.parametrize(
    "search",
    [
        *("ASHA@example.com", "919876543210", "+91 98765-43210", "9876543210", "id"),
        *(919876543210, 9876543210, 9876543210.0),
    ],
)
def test_attributes_are_set_on_whom_a_search_names(
    as_alice: Caller, alice: User, reception: Bot, search: object
) -> None:
    contact = contact_of(
        alice, email="asha@example.com", phone="919876543210", phone_prefix="91", attributes={"plan": "gold"}
    )
    contact_of(alice, name="Ben")

    shown = as_alice.data(
        "PUT",
        UPDATE,
        {
            "search": contact.pk if search == "id" else search,
            "attributes": {"city": "Pune"},
            "botId": reception.pk,
            "platform": "whatsapp",
        },
    )

    assert shown["_id"] == contact.pk
    assert Contact.objects.get(pk=contact.pk).attributes == {"plan": "gold", "city": "Pune"}


@pytest.mark.parametrize(
    "search", ["ben@example.com", "12345", "Asha", "", "\0", NOBODY, 12345, 0, True, 1.5, [], None]
)
def test_a_search_that_names_nobody_is_refused(as_alice: Caller, alice: User, search: object) -> None:
    contact_of(alice)

    status, (sentence,) = as_alice.refusal("PUT", UPDATE, {"search": search, "attributes": {"a": 1}})

    assert (status, sentence) == (
        (422, "search should be a text of at most 200 characters.")
        if search in ("\0", 0, True, 1.5, [], None)
        else (404, "No contact of your account has this email, number or id.")
    )


def test_a_number_that_several_have_is_refused(as_alice: Caller, alice: User) -> None:
    for prefix in ("44", "91"):
        contact_of(alice, phone=f"{prefix}9876543210", phone_prefix=prefix)

    refusal = as_alice.refusal("PUT", UPDATE, {"search": "9876543210", "attributes": {"a": 1}, "botId": ""})

    assert refusal == (409, ["Several contacts have this number. Send its country's prefix too."])
    assert set(Contact.objects.values_list("attributes__a", flat=True)) == {None}


def test_nothing_is_set_on_somebody_elses_contact_or_by_somebody_elses_bot(
    as_bob: Caller, alice: User, bob: User, reception: Bot
) -> None:
    contact = contact_of(alice, email="asha@example.com")
    contact_of(bob, email="dora@example.com")

    by_id = as_bob.refusal("PUT", UPDATE, {"search": contact.pk, "attributes": {"a": 1}})
    by_email = as_bob.refusal("PUT", UPDATE, {"search": "asha@example.com", "attributes": {"a": 1}})
    by_bot = as_bob.refusal(
        "PUT", UPDATE, {"search": "dora@example.com", "attributes": {"a": 1}, "botId": reception.pk}
    )

    assert by_id == by_email == (404, ["No contact of your account has this email, number or id."])
    assert by_bot == NO_BOT
    assert set(Contact.objects.values_list("attributes__a", flat=True)) == {None}


def test_whatsapp_bots_are_listed(as_alice: Caller, as_bob: Caller, alice: User, reception: Bot) -> None:
    Bot.objects.create(owner=alice, name="Shop", platform="website")

    assert as_alice.data("GET", "/whatsapp-automation") == [{"_id": reception.pk, "name": "Reception"}]
    assert as_bob.data("GET", "/whatsapp-automation") == []
