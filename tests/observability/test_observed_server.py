"""The log of a server of two processes: each line is JSON, and none holds a secret."""

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.leaks import find
from tests.observability.observed import Observed, bearing
from tests.server import ask, free_port
from tests.visitor import Visitor

pytestmark = [pytest.mark.matrix, pytest.mark.server, pytest.mark.xdist_group("observed")]
PASSWORD = "three otters read the tide"
# Python's header parser fails at the first two. The others name charsets that are no text encodings.
UNREADABLE = [
    "application/json; a*=nonsense''%41",
    "application/json; a*=x; a*1=y",
    "application/json; charset*=utf-8''%00",
    "application/json; charset=hex",
    "application/json; charset=idna",
]


def test_its_sentences_stay_sentences_and_all_the_rest_is_json(server: Observed, owner: Visitor) -> None:
    owner.get("/account/")

    assert server.sentences[-4].startswith("The first account: ")
    assert server.sentences[-1] == "Press Ctrl-C to stop."
    assert {"time", "level", "logger", "process", "request_id", "message"} <= set.intersection(*map(set, server.lines))


def test_no_line_holds_a_secret(server: Observed, owner: Visitor, token: str) -> None:
    session, form = owner.client.cookies["sessionid"], owner.client.cookies["csrftoken"]
    query = "an-address-that-nobody-may-know"
    key = "aaaaaa-0123456789abcdef0123456789abcdef"
    owner.get(f"/inbox/?search={query}&apiKey={token}")
    owner.get(f"/nowhere/{token}/{query}")
    owner.get(f"/account/password/reset/key/{key}/")
    owner.client.get("/api/v7/token", headers=bearing(token, **{"X-Request-ID": token, "User-Agent": token}))
    owner.get(f"/api/v7/{token}?access_token={token}")
    owner.client.post("/account/login/", data={"login": query, "password": PASSWORD})
    with server.without("platform_bot"):
        broken = owner.client.get(f"/api/v7/bots?{query}", headers=bearing(token))
        broken_page = owner.client.get(f"/bots/?{query}")
    _, password = server.first_account

    log = "\n".join(server.output.splitlines()[len(server.sentences) :])

    held = {"token": token, "session": session, "form": form, "password": password, "wrong password": PASSWORD}
    assert (broken.status_code, broken_page.status_code) == (500, 500)
    assert find([log], held | {"query": query, "key": key, "bearer": f"Bearer {token}"}) == []
    of_each_engine = re.compile('no such table: platform_bot|relation "platform_bot" does not exist')
    shown = Counter(line["level"] for line in server.lines if of_each_engine.search(line.get("traceback", "")))
    assert shown == {"ERROR": 2}


def test_each_request_is_one_line_with_its_id(server: Observed, token: str) -> None:
    addresses = {
        "api": ("/api/v7/token", "/api/v7/token"),
        "page": ("/account/login/", "/account/login/"),
        "none": ("/nowhere", "-"),
    }
    asked = {f"{name}-{number}": name for number in range(20) for name in addresses}

    def call(request_id: str) -> str:
        headers = bearing(token, **{"X-Request-ID": request_id})
        address, _ = addresses[asked[request_id]]
        answered: str = ask(server.url + address, headers=headers).headers["X-Request-ID"]
        return answered

    with ThreadPoolExecutor(8) as threads:
        answered = list(threads.map(call, asked))

    shown = {request_id: server.lines_of(request_id) for request_id in asked}
    assert answered == list(asked)
    assert {request_id: [line["route"] for line in lines] for request_id, lines in shown.items()} == {
        request_id: [addresses[name][1]] for request_id, name in asked.items()
    }
    assert {line["process"] for [line] in shown.values()} == set(server.workers)


def test_a_warning_carries_the_id_of_its_request(server: Observed) -> None:
    answer = ask(server.url, headers={"Host": "evil.example", "X-Request-ID": "evil-1"})

    warning, request = server.lines_of("evil-1", 2)
    assert answer.headers["X-Request-ID"] == "evil-1"
    assert (warning["level"], warning["logger"]) == ("WARNING", "django.security.DisallowedHost")
    assert (request["route"], request["status"]) == ("-", 400)


@pytest.mark.parametrize("content_type", UNREADABLE)
def test_no_content_type_keeps_a_request_from_its_answer_and_its_line(server: Observed, content_type: str) -> None:
    request_id = f"type-{UNREADABLE.index(content_type)}"
    headers = {"Content-Type": content_type, "X-Request-ID": request_id}

    answers = [
        ask(f"{server.url}{address}?a=%41", headers=headers) for address in ("/api/v7/token", "/nowhere", "/healthz")
    ]

    shown = [(answer.status_code, answer.headers["X-Request-ID"]) for answer in answers]
    assert shown == [(401, request_id), (404, request_id), (200, request_id)]
    assert answers[0].json()["code"] == 401
    assert [line["status"] for line in server.lines_of(request_id, 2)] == [401, 404]


def test_the_mail_worker_writes_json_too(server: Observed, owner: Visitor) -> None:
    owner.post("/account/password/reset/", {"email": server.first_account[0]})

    worked = server.manage("mail_worker", "--once", EMAIL_URL=f"smtp://127.0.0.1:{free_port()}")

    lines = [json.loads(line) for line in worked.stderr.splitlines()]
    assert (worked.returncode, worked.stdout) == (0, "")
    assert {(line["logger"], line["level"], line["request_id"]) for line in lines} == {("post_office", "ERROR", "-")}
    assert "ConnectionRefusedError: [Errno 111]" in lines[0]["traceback"]
    assert not re.search(r"/account/password/reset/key/[0-9a-z]", worked.stderr)
