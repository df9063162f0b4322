import base64
import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import User
from developers import tokens
from developers.outbound import models, running
from developers.outbound.models import ApiLog, CustomAttribute, OutboundApi
from developers.outbound.recipe import MASK, AttributeMapping, Recipe, RecipeField
from developers.outbound.running import Unfillable, run, try_out
from tests.cast import LAPTOP, token_text
from tests.developers.outbound.conftest import SECRET
from tests.developers.outbound.servers import response, serving

pytestmark = pytest.mark.matrix
JSON = "Content-Type: application/json"


def everything_stored() -> str:
    """Return all content of the tables of outbound calls, as in a dump."""
    with connection.cursor() as cursor:
        rows: list[Any] = []
        for model in (OutboundApi, ApiLog, CustomAttribute):
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")  # noqa: S608 - a name of Django's
            rows += cursor.fetchall()
    return repr(rows)


def at(api: OutboundApi, url: str, **changes: Any) -> OutboundApi:
    recipe = api.recipe()
    values = (
        {name: getattr(recipe, name) for name in Recipe.__slots__} | {"url": f"{url}/cities/{{{{city}}}}"} | changes
    )
    api.keep(Recipe(**values))
    return api


@pytest.mark.usefixtures("loopback")
def test_a_run_fills_sends_maps_and_logs(weather: OutboundApi, alice: User) -> None:
    CustomAttribute.objects.create(owner=alice, name="Temperature", type="number")
    body = json.dumps({"weather": {"temperature": "21"}}).encode()
    with serving(response(body, JSON)) as server:
        ran = run(at(weather, server.url), {"city": "Köln/Bonn", "name": 'A"B'}, kind="call", client=LAPTOP)

    assert server.requests[0].startswith(
        b"POST /cities/K%C3%B6ln%2FBonn?units=metric&signed=sk-9f8e7d6c5b4a HTTP/1.1\r\n"
    )
    assert server.requests[0].endswith(b'\r\n\r\n{"name": "A\\"B"}')
    assert f"Authorization: Bearer {SECRET}".encode() in server.requests[0]
    assert (ran.response.status, ran.mapped, ran.missing) == (200, {"temperature": 21}, [])
    log = ApiLog.objects.owned_by(alice).get()
    assert log == ran.log
    assert (log.api, log.api_name, log.kind, log.method, log.status) == (weather, "Weather", "call", "POST", 200)
    assert log.url == f"{server.url}/cities/K%C3%B6ln%2FBonn?units=metric&signed={MASK}"
    assert log.request_headers[4:6] == [["Authorization", MASK], ["X-Trace", "on"]]
    assert log.hops == [["POST", log.url, 200]]
    assert (log.request_body, log.response_body, log.response_size) == (MASK, body.decode(), len(body))
    assert (log.problem, log.is_cut, log.ip, log.client) == ("", False, LAPTOP.ip, LAPTOP.user_agent)
    assert ["Content-Type", "application/json"] in log.response_headers
    assert 0 < log.seconds < 30
    assert str(log) == "Weather: POST 200"


def test_a_token_that_an_attribute_holds_is_masked_in_the_reason_of_a_refusal(
    weather: OutboundApi, alice: User
) -> None:
    token = token_text(alice)

    with pytest.raises(Unfillable):
        run(weather, {"city": f"../{token}", "name": "Carol"}, kind="call", client=LAPTOP)

    log = ApiLog.objects.get()
    assert (tokens.mask(token[-4:]) in log.problem, token in log.problem) == (True, False)


@pytest.mark.usefixtures("loopback")
def test_secrets_that_the_server_echoes_are_not_kept(weather: OutboundApi, alice: User, caplog: Any) -> None:
    basic = base64.b64encode(b"me:passw0rd-x").decode()
    token = token_text(alice)
    secrets = [SECRET, "passw0rd-x", basic, "s/e cr+et&", "s%2Fe%20cr%2Bet%26", token]
    echo = json.dumps([*secrets, f"Bearer {SECRET}", "hidden-name", "inner-pw"]).encode()
    headers = (
        RecipeField("Authorization", f"Bearer {SECRET}"),
        RecipeField("X-Second", f"Basic {basic}", is_secret=True),
        RecipeField("X-Third", "s/e cr+et&", is_secret=True),
        RecipeField("X-Plain", "seen"),
    )
    reply = response(echo, JSON, f"Set-Cookie: session={SECRET}", f"X-Echo: {SECRET}", f"Location: /{SECRET}")
    with serving(reply) as server:
        run(at(weather, server.url, headers=headers), {"city": "x", "name": "hidden-name"}, kind="test", client=LAPTOP)
        plain = at(
            weather, server.url, headers=headers, body_is_secret=False, body='{"password": "inner-pw", "a": [1]}'
        )
        ran = run(plain, {"city": "x"}, kind="test", client=LAPTOP)

    assert ran.response.text == echo.decode()
    stored = everything_stored()
    for secret in [*secrets, token[:45]]:
        assert secret not in stored
        assert secret not in caplog.text
    first, second = ApiLog.objects.order_by("pk")
    assert "hidden-name" not in first.response_body
    assert second.request_body == f'{{"password": "{MASK}", "a": [1]}}'
    assert "inner-pw" not in second.response_body
    assert ["Set-Cookie", MASK] in second.response_headers
    assert ["X-Echo", MASK] in second.response_headers
    assert ["X-Plain", "seen"] in second.request_headers


@pytest.mark.usefixtures("loopback")
def test_a_secret_is_masked_also_where_the_log_is_cut(weather: OutboundApi) -> None:
    text = "x" * (models.KEPT_OF_A_BODY - 5) + SECRET + "\0y"
    with serving(response(text.replace("\0", "é").encode(), "Content-Type: text/plain")) as server:
        log = run(at(weather, server.url), {"city": "x", "name": "hidden-name"}, kind="test", client=LAPTOP).log

    assert log.response_body == "x" * (models.KEPT_OF_A_BODY - 5) + "•"
    assert log.response_size == len(text) + 1


@pytest.mark.usefixtures("loopback")
def test_what_was_tried_and_not_kept_is_logged_as_a_test(alice: User) -> None:
    with serving(response(b"no", status="404 Not Found")) as server:
        recipe = Recipe("DELETE", server.url, body="not sent: it is [] of JSON", mappings=(AttributeMapping("a", "b"),))
        refused = try_out(alice, "Draft", recipe, {}, client=LAPTOP)
        sent = try_out(alice, "Draft", Recipe("DELETE", server.url, mappings=recipe.mappings), {}, client=LAPTOP)

    assert refused.response.problem == "The body is not JSON: see line 1, column 1."
    assert (refused.mapped, refused.missing) == ({}, [])
    assert sent.missing == ["No attribute was set, since the call did not succeed."]
    assert [(log.api, log.api_name, log.kind) for log in ApiLog.objects.all()] == [(None, "Draft", "test")] * 2


@pytest.mark.usefixtures("loopback")
def test_a_response_that_is_not_json_sets_no_attribute(weather: OutboundApi) -> None:
    with serving(response(b"<html>", "Content-Type: text/html")) as server:
        ran = run(at(weather, server.url), {"city": "x", "name": "y"}, kind="call", client=LAPTOP)

    assert (ran.mapped, ran.missing) == ({}, ["The response is not JSON: see line 1, column 1."])


def test_what_cannot_be_filled_is_logged_and_not_sent(weather: OutboundApi, alice: User) -> None:
    with pytest.raises(Unfillable, match="This call needs the attributes city, name"):
        run(weather, {}, kind="call", client=LAPTOP)

    log = ApiLog.objects.owned_by(alice).get()
    assert (log.status, log.problem) == (None, "This call needs the attributes city, name, which have no values.")
    assert SECRET not in log.url


def test_our_own_token_is_neither_sent_nor_logged(alice: User) -> None:
    token = token_text(alice)
    recipe = Recipe("GET", f"https://api.example.com/{token}", (RecipeField("x", token),), (RecipeField("Y", token),))

    ran = try_out(alice, "Leak", recipe, {}, client=LAPTOP)

    assert "never sent anywhere" in (ran.response.problem or "")
    assert token not in everything_stored()
    assert tokens.mask(token[-4:]) in ran.log.url


def test_a_text_with_our_own_token_in_base64_is_not_logged(alice: User) -> None:
    encoded = base64.urlsafe_b64encode(f"me:{token_text(alice)}".encode()).decode()
    recipe = Recipe(
        "POST", "https://api.example.com", headers=(RecipeField("X", encoded),), body=json.dumps({"a": encoded})
    )

    log = try_out(alice, "Leak", recipe, {}, client=LAPTOP).log

    assert (log.url, log.request_headers, log.request_body) == ("https://api.example.com", [["X", MASK]], MASK)


def test_an_api_is_its_owners_alone(weather: OutboundApi, alice: User, bob: User) -> None:
    assert running.api_of(alice, weather.pk) == weather
    assert running.api_of(bob.pk, weather.pk) is None
    assert running.api_of(alice, "\0") is None


def test_logs_are_kept_for_ten_days_and_a_thousand_calls(alice: User, bob: User, settings: Settings) -> None:
    settings.QUOTA_LOGS = 3
    for days in (11, 9, 8, 7):
        for owner in (alice, bob):
            ApiLog.objects.create(owner=owner, api_name=str(days), sent_at=timezone.now() - timedelta(days=days))

    try_out(alice, "now", Recipe("GET", "nowhere"), {}, client=LAPTOP)

    assert [log.api_name for log in ApiLog.objects.owned_by(alice)] == ["now", "7", "8"]
    assert ApiLog.objects.owned_by(bob).count() == 4


def test_a_command_forgets_old_logs(alice: User) -> None:
    for days in (11, 9, 1):
        ApiLog.objects.create(owner=alice, api_name=str(days), sent_at=timezone.now() - timedelta(days=days))

    def prune(*arguments: str) -> str:
        output = StringIO()
        call_command("prune_api_logs", *arguments, stdout=output)
        return output.getvalue()

    assert prune() == "1 logs of outbound calls deleted.\n"
    assert prune("--older-than", "2") == "1 logs of outbound calls deleted.\n"
    with pytest.raises(CommandError, match="0 to 10 days"):
        prune("--older-than", "11")


def test_a_log_outlives_its_api_and_goes_with_its_owner(weather: OutboundApi, alice: User) -> None:
    log = ApiLog.objects.create(owner=alice, api=weather, api_name="Weather")

    weather.delete()

    log.refresh_from_db()
    assert log.api is None
    alice.delete()
    assert not ApiLog.objects.exists()
