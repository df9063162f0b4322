import json

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from accounts.models import User
from botpenguin.platform.models import Contact
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import AttributeMapping, Recipe, RecipeField
from developers.outbound.transport import addresses, concurrency
from tests.cast import logged_in
from tests.developers.outbound.servers import LocalServer, Peer, response, serving
from tests.platform.calls import NOBODY, Caller, contact_of

pytestmark = pytest.mark.matrix

NO_API = (404, ["There is no 3rd party API with this id in your account."])
BODY = json.dumps({"weather": {"temperature": "21"}})


@pytest.fixture(autouse=True)
def loopback(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    monkeypatch.setattr(concurrency, "call_slots", concurrency.CallSlots(3))


def api_of(owner: User, url: str, path: str = "/{{city}}") -> OutboundApi:
    recipe = Recipe(
        "GET",
        url + path,
        (RecipeField("key", "hush-hush"),),
        mappings=(AttributeMapping("weather.temperature", "temperature"),),
    )
    return OutboundApi.objects.make(owner, "Weather", recipe)


def weather() -> bytes:
    return response(BODY.encode(), "Content-Type: application/json")


def requested(server: LocalServer) -> list[bytes]:
    return [request.partition(b" HTTP/1.1")[0] for request in server.requests]


def test_a_run_returns_the_response_and_the_mapped_attributes(as_alice: Caller, alice: User) -> None:
    CustomAttribute.objects.create(owner=alice, name="temperature", type="number")
    with serving(weather()) as server:
        path = f"/third-party-apis/{api_of(alice, server.url).pk}/run"
        shown = as_alice.data("POST", path, {"attributes": {"city": "Bonn"}})

    assert requested(server) == [b"GET /Bonn?key=hush-hush"]
    assert shown["attributes"] == {"temperature": 21}
    assert shown["missing"] == []
    seconds = shown["response"].pop("seconds")
    assert 0 <= seconds < 30
    assert shown["response"] == {
        "status": 200,
        "reason": "OK",
        "explanation": "The server has done what was asked.",
        "problem": None,
        "headers": [
            {"name": "Content-Length", "value": str(len(BODY))},
            {"name": "Connection", "value": "close"},
            {"name": "Content-Type", "value": "application/json"},
        ],
        "body": BODY,
        "size": len(BODY),
        "isCut": False,
        "redirectedTo": [],
    }
    log = ApiLog.objects.owned_by(alice).get()
    assert (log.kind, log.status, log.ip) == ("call", 200, "127.0.0.1")


def test_a_contact_gives_its_attributes_and_takes_what_is_mapped(as_alice: Caller, asha: Contact) -> None:
    with serving(weather()) as server:
        api = api_of(asha.owner, server.url, "/{{plan}}/{{email}}/{{age}}/{{phone}}/{{name}}")
        path = f"/third-party-apis/{api.pk}/run"
        as_alice.data("POST", path, {"contactId": asha.pk, "attributes": {"age": 42}})

    assert requested(server) == [b"GET /gold/asha%40example.com/42/919876543210/Asha?key=hush-hush"]
    asha.refresh_from_db()
    assert asha.attributes == {"plan": "gold", "age": 41, "is_new": False, "temperature": "21"}


def test_what_is_asked_for_goes_before_what_a_contact_has_whatever_its_case(as_alice: Caller, asha: Contact) -> None:
    asha.attributes = {"Email": "attribute@example.com", "PLAN": "gold"}
    asha.save()
    with serving(weather()) as server:
        path = f"/third-party-apis/{api_of(asha.owner, server.url, '/{{EMAIL}}/{{plan}}').pk}/run"
        as_alice.data("POST", path, {"contactId": asha.pk, "attributes": {"email": "wanted@example.com"}})
        as_alice.data("POST", path, {"contactId": asha.pk, "attributes": {"Plan": "silver"}})

    assert requested(server) == [
        b"GET /wanted%40example.com/gold?key=hush-hush",
        b"GET /attribute%40example.com/silver?key=hush-hush",
    ]


def test_what_a_contact_cannot_take_is_reported_beside_the_response(as_alice: Caller, asha: Contact) -> None:
    asha.attributes = {f"a{number}": 1 for number in range(100)}
    asha.save()
    with serving(weather()) as server:
        path = f"/third-party-apis/{api_of(asha.owner, server.url, '/').pk}/run"
        shown = as_alice.data("POST", path, {"contactId": asha.pk})

    assert shown["missing"] == ["Nothing was stored: a contact has at most 100 attributes."]
    assert shown["response"]["status"] == 200


def test_what_there_is_no_room_for_is_reported_beside_the_response(
    as_alice: Caller, asha: Contact, settings: Settings
) -> None:
    settings.QUOTA_CONTACT_BYTES = 0
    with serving(weather()) as server:
        path = f"/third-party-apis/{api_of(asha.owner, server.url).pk}/run"
        shown = as_alice.data("POST", path, {"contactId": asha.pk, "attributes": {"city": "Bonn"}})

    assert shown["attributes"] == {"temperature": "21"}
    [sentence] = shown["missing"]
    assert sentence.startswith("Nothing was stored. Your contacts take")
    asha.refresh_from_db()
    assert "temperature" not in asha.attributes


@pytest.mark.django_db(transaction=True)
def test_a_contact_that_is_deleted_meanwhile_takes_nothing(as_alice: Caller, alice: User) -> None:
    contact = contact_of(alice)

    def delete_and_answer(peer: Peer) -> None:
        peer.read_request()
        Contact.objects.all().delete()
        connection.close()
        peer.send(weather())

    with LocalServer(delete_and_answer) as server:
        path = f"/third-party-apis/{api_of(alice, server.url, '/').pk}/run"
        shown = as_alice.data("POST", path, {"contactId": contact.pk})

    assert shown["missing"] == ["Nothing was stored: the contact has been deleted meanwhile."]


def test_a_server_that_fails_is_reported_in_the_response(as_alice: Caller, alice: User) -> None:
    api = api_of(alice, "http://10.0.0.1", "/")

    shown = as_alice.data("POST", f"/third-party-apis/{api.pk}/run", {})

    assert (shown["response"]["status"], shown["response"]["body"]) == (None, None)
    assert shown["response"]["problem"] == addresses.no_public_server()


def test_of_a_response_that_ends_early_what_came_is_returned_and_nothing_is_mapped(
    as_alice: Caller, alice: User
) -> None:
    cut = weather().replace(b"Content-Length: ", b"Content-Length: 9")
    with serving(cut) as server:
        shown = as_alice.data("POST", f"/third-party-apis/{api_of(alice, server.url, '/').pk}/run", {})

    response = shown["response"]
    assert (response["status"], response["body"], response["isCut"]) == (200, BODY, True)
    assert response["problem"] == "The server closed the connection before its response was complete."
    assert (shown["attributes"], shown["missing"]) == ({}, ["No attribute was set, since the call did not succeed."])


def test_a_run_without_what_it_needs_is_refused(as_alice: Caller, alice: User) -> None:
    path = f"/third-party-apis/{api_of(alice, 'http://127.0.0.1').pk}/run"

    assert as_alice.refusal("POST", path, {}) == (422, ["This call needs the attribute city, which has no value."])
    assert as_alice.refusal("POST", path, {"attributes": 7})[0] == 422
    assert as_alice.refusal("POST", path, {"contactId": NOBODY}) == (
        404,
        ["There is no contact with this id in your account."],
    )


def test_an_api_that_cannot_be_read_is_reported(as_alice: Caller, alice: User) -> None:
    api = api_of(alice, "http://127.0.0.1", "/")
    OutboundApi.objects.update(sealed="damaged")

    assert as_alice.refusal("POST", f"/third-party-apis/{api.pk}/run", {}) == (
        409,
        ["This API can no longer be read on this server. Set it up anew on the Developers page."],
    )


def test_one_call_at_a_time_and_so_many_a_minute(as_alice: Caller, alice: User, settings: Settings) -> None:
    settings.OUTBOUND_RATE_LIMIT = 1
    path = f"/third-party-apis/{api_of(alice, 'http://10.0.0.1', '/').pk}/run"

    with concurrency.hold_slot(alice.pk):
        busy = as_alice.send("POST", path, {})
    often = as_alice.send("POST", path, {})

    assert (busy.status_code, busy["Retry-After"]) == (429, "1")
    assert busy.json()["data"] == ["Another call of yours is under way. Try again once it has ended."]
    assert often.status_code == 429
    assert 0 < int(often["Retry-After"]) <= 60


@pytest.mark.parametrize("api_id", [NOBODY, "x", "%00", "6743A1F09B2C4D5E6F708192"])
def test_what_is_no_api_of_the_account_is_404(as_alice: Caller, api_id: str) -> None:
    assert as_alice.refusal("POST", f"/third-party-apis/{api_id}/run", {}) == NO_API


def test_somebody_elses_api_is_404_and_is_not_sent(as_bob: Caller, alice: User) -> None:
    with serving(weather()) as server:
        refused = as_bob.refusal("POST", f"/third-party-apis/{api_of(alice, server.url, '/').pk}/run", {})

    assert refused == NO_API
    assert server.connections == 0
    assert not ApiLog.objects.exists()


def test_a_deleted_api_is_404_at_once_until_it_is_brought_back(as_alice: Caller, alice: User) -> None:
    with serving(weather(), weather()) as server:
        api = api_of(alice, server.url, "/")
        path = f"/third-party-apis/{api.pk}/run"
        logged_in(alice).post(f"/developers/third-party-apps-api/{api.pk}/delete/", {"is_sure": "on"})
        refused = as_alice.refusal("POST", path, {})
        reached = server.connections
        logged_in(alice).post(f"/developers/third-party-apps-api/{api.pk}/restore/")
        run = as_alice.data("POST", path, {})

    assert (refused, reached) == (NO_API, 0)
    assert run["response"]["status"] == 200


def test_somebody_elses_contact_is_404_and_nothing_is_sent(as_bob: Caller, bob: User, asha: Contact) -> None:
    with serving(weather()) as server:
        path = f"/third-party-apis/{api_of(bob, server.url, '/').pk}/run"
        assert as_bob.refusal("POST", path, {"contactId": asha.pk})[0] == 404

    assert server.connections == 0
