"""Pages of passkeys, and steps of somebody who uses a software key there."""

import base64
import json
from typing import Any

from django.test import Client as Browser

from accounts.models import User
from tests.accounts.mfa.security_key import SecurityKey
from tests.cast import logged_in

REAUTHENTICATE = "/account/reauthenticate/passkey/"
ADD = "/account/security/passkeys/add/"
LOG_IN = "/account/login/passkey/"
SECOND_STEP = "/account/login/second-step/"
REFUSED = "That passkey did not work. Try again."


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def credential(**response: str) -> dict[str, Any]:
    return {"id": "eA", "rawId": "eA", "type": "public-key", "clientExtensionResults": {}, "response": response}


CLIENT_DATA = encoded(
    json.dumps({"type": "webauthn.get", "challenge": "eA", "origin": "https://app.example.com"}).encode()
)
# What a browser or a script may send instead of a credential.
NONSENSE: list[Any] = [
    "",
    "{",
    "null",
    "[]",
    "1",
    '"text"',
    "{}",
    json.dumps(credential()),
    json.dumps(credential(clientDataJSON="", authenticatorData="", signature="", userHandle="")),
    json.dumps(credential(clientDataJSON="é", authenticatorData="%", signature="", userHandle="%")),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(b"x"), signature="", userHandle="MQ")),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(bytes(37)), signature="eA")),
    json.dumps(
        credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(bytes(37)), signature="eA", userHandle="MQ")
    ),
    json.dumps(
        credential(clientDataJSON=CLIENT_DATA, authenticatorData=encoded(bytes(37)), signature="eA", userHandle="_w")
    ),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, attestationObject=encoded(b"\xa1"))),
    json.dumps(credential(clientDataJSON=CLIENT_DATA, attestationObject=encoded(b"\xf9\x00"))),
    json.dumps(
        credential(clientDataJSON=CLIENT_DATA, attestationObject=encoded(b"\xa3cfmtdnonegattStmt\xa0hauthDataAx"))
    ),
]


def options_on(page: Any) -> Any:
    """Return the challenge that a page holds for its script."""
    text = page.content.decode().partition('<script id="passkey-options" type="application/json">')[2]
    return json.loads(text.partition("</script>")[0])["publicKey"]


def add_passkey(user: User, key: SecurityKey, name: str = "My laptop") -> Any:
    browser = logged_in(user)
    return browser.post(ADD, {"credential": key.create(options_on(browser.get(ADD))), "name": name})


def log_in(key: SecurityKey) -> Browser:
    """Return a browser in which somebody has used a passkey on the log-in page."""
    browser = Browser()
    options = browser.get(LOG_IN, headers={"Accept": "application/json"}).json()["request_options"]["publicKey"]
    browser.post(LOG_IN, {"credential": key.get(options)})
    return browser


def is_logged_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200
