"""The ceremonies of passkeys: Web Authentication, Level 3, sections 7.1 (registration) and 7.2 (authentication).

They replace allauth's, which accept any subdomain and any port as the origin, allow concurrent answers to one
challenge, and store no signature counter. fido2 parses the browser's answers and verifies the signatures.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import idna
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidSignature
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    CollectedClientData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.models import CLOCKS_DIFFER_BY, PasskeyCredential, UsedChallenge, User
from accounts.security_log import Detail, Kind, record_failure
from accounts.web.clients import Client

# The key in a session of the challenge that waits for an answer.
CHALLENGE = "passkey_challenge"
CHALLENGE_LIFETIME = timedelta(minutes=10)
# Characters of JSON. Without an attestation, which is not requested, the longest keys take a quarter of this.
LONGEST_ANSWER = 32 * 1024
# Section 7.1, step 26.
LONGEST_ID = 1023
DEFAULT_PORTS = {"http": 80, "https": 443}


class PasskeyRefused(Exception):
    """The answer is not valid for the challenge of this session."""


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """What is stored of a registration; `credential` is the JSON that allauth reads."""

    id: bytes
    sign_count: int
    credential: dict[str, Any]


def passkeys_of(person: User) -> "QuerySet[Authenticator]":
    passkeys: QuerySet[Authenticator] = Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN)
    return passkeys


def begin_registration(request: HttpRequest, person: User) -> dict[str, Any]:
    """Return the options for `navigator.credentials.create`. The passkey will work without an email."""
    options, state = _server().register_begin(
        user=_entity(person),
        credentials=_known(person),
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _keep_challenge(request, state)
    return dict(options)


def begin_authentication(request: HttpRequest, person: User | None = None) -> dict[str, Any]:
    """Return the options for `navigator.credentials.get`, for the passkeys of one person or of all."""
    options, state = _server().authenticate_begin(
        credentials=_known(person) if person else [], user_verification=UserVerificationRequirement.REQUIRED
    )
    _keep_challenge(request, state)
    return dict(options)


def register(request: HttpRequest, text: str | None) -> NewPasskey:
    """Check the answer to `begin_registration`. Raises `PasskeyRefused`."""
    state = _take_challenge(request)
    with _refusing_nonsense():
        answer = RegistrationResponse.from_dict(_parse(text))
        _check_page(answer.response.client_data)
        server = _server()
        data = server.register_complete(state, answer)
        attested = data.credential_data
        if attested is None or attested.credential_id != answer.raw_id:
            raise PasskeyRefused
        _check_key(server, attested)
    _use_up(state)
    # The attestation was not requested, and would reveal the make of the device.
    bare = AttestationObject.create("none", data, {})
    response = {"clientDataJSON": answer.response.client_data.b64, "attestationObject": websafe_encode(bare)}
    name = websafe_encode(answer.raw_id)
    credential = {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": response}
    return NewPasskey(answer.raw_id, data.counter, credential)


def keep(person: User, name: str, new: NewPasskey) -> Authenticator:
    """Add a passkey. Call it inside a transaction, and roll that back on an error.

    Raises `PasskeyRefused` where another passkey has the id.
    """
    kept: Authenticator = Authenticator.objects.create(
        user=person, type=Authenticator.Type.WEBAUTHN, data={"name": name, "credential": new.credential}
    )
    _, is_first = PasskeyCredential.objects.get_or_create(
        credential_id=new.id, defaults={"authenticator": kept, "sign_count": new.sign_count}
    )
    if not is_first:
        raise PasskeyRefused
    return kept


def authenticate(request: HttpRequest, text: str | None, person: User | None = None) -> Authenticator:
    """Return the passkey that answered `begin_authentication`, of one person or of any. Raises `PasskeyRefused`."""
    state = _take_challenge(request)
    with _refusing_nonsense():
        answer = AuthenticationResponse.from_dict(_parse(text))
        _check_page(answer.response.client_data)
    handle = answer.response.user_handle
    passkey = (
        PasskeyCredential.objects.select_related("authenticator__user").filter(credential_id=answer.raw_id).first()
    )
    if passkey is None or not _is_of(passkey.authenticator.user, person, handle):
        raise PasskeyRefused
    with _refusing_nonsense():
        stored = passkey.authenticator.wrap().authenticator_data.credential_data
        _server().authenticate_complete(state, [stored], answer)
    _use_up(state)
    _count(request, passkey, answer.response.authenticator_data.counter)
    found: Authenticator = passkey.authenticator
    return found


def public_origin() -> str:
    """Return the origin of `PUBLIC_URL` as browsers write it: ASCII, lower case, no port where it is the usual one."""
    url = urlsplit(settings.PUBLIC_URL)
    port = "" if url.port in (None, DEFAULT_PORTS.get(url.scheme)) else f":{url.port}"
    return f"{url.scheme}://{public_host()}{port}"


def public_host() -> str:
    """Return the relying party's id: the host of `PUBLIC_URL`."""
    host = str(urlsplit(settings.PUBLIC_URL).hostname)
    return host if host.isascii() else idna.encode(host, uts46=True).decode()


def _server() -> Fido2Server:
    entity = PublicKeyCredentialRpEntity(**get_adapter().get_public_key_credential_rp_entity())
    server = Fido2Server(entity, verify_origin=lambda origin: origin == public_origin())
    server.timeout = int(CHALLENGE_LIFETIME.total_seconds() * 1000)  # type: ignore[assignment]  # typed as None
    return server


def _entity(person: User) -> PublicKeyCredentialUserEntity:
    return PublicKeyCredentialUserEntity(**get_adapter().get_public_key_credential_user_entity(person))


def _known(person: User) -> list[PublicKeyCredentialDescriptor]:
    ids = PasskeyCredential.objects.filter(authenticator__user=person).order_by("pk").values_list("credential_id")
    return [PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=bytes(id_)) for (id_,) in ids]


def _keep_challenge(request: HttpRequest, state: dict[str, Any]) -> None:
    request.session[CHALLENGE] = state | {"at": time.time()}


def _take_challenge(request: HttpRequest) -> dict[str, Any]:
    """Remove the challenge from the session and return it: it takes one answer, right or wrong.

    Raises `PasskeyRefused` where it has expired, or is dated in the future, since the clock was set back.
    """
    state: dict[str, Any] = request.session.pop(CHALLENGE, None) or {"at": 0}
    age = timedelta(seconds=time.time() - state["at"])
    if not -CLOCKS_DIFFER_BY <= age <= CHALLENGE_LIFETIME:
        raise PasskeyRefused
    return state


def _use_up(state: dict[str, Any]) -> None:
    """Mark a challenge as used. Raises `PasskeyRefused` where another request was first.

    Concurrent requests read one session, and any of them can write back the challenge that another removed.
    """
    digest = sha256(state["challenge"].encode()).digest()
    with transaction.atomic():
        UsedChallenge.objects.filter(used_at__lt=timezone.now() - 3 * CHALLENGE_LIFETIME).delete()
        _, is_first = UsedChallenge.objects.get_or_create(digest=digest)
    if not is_first:
        raise PasskeyRefused


def _count(request: HttpRequest, passkey: PasskeyCredential, counter: int) -> None:
    """Store the signature counter (7.2, step 22). Most passkeys do not count and always send 0.

    Raises `PasskeyRefused`, and warns the owner, where the counter has not gone up: the passkey may be a copy.
    """
    counted = PasskeyCredential.objects.filter(pk=passkey.pk)
    if counted.filter(Q(sign_count__lt=counter) if counter else Q(sign_count=0)).update(sign_count=counter):
        return
    if counted.exists():
        owner = passkey.authenticator.user
        record_failure(Kind.PASSKEY_COPIED, owner, Client.of(request), Detail.PASSKEY)
    raise PasskeyRefused


def _parse(text: str | None) -> Any:
    if not text or len(text) > LONGEST_ANSWER:
        raise PasskeyRefused
    return json.loads(text)


def _check_page(client_data: CollectedClientData) -> None:
    """Refuse an answer given inside a page of another site. `Fido2Server` compares the origin itself."""
    data = json.loads(client_data)
    if data.get("crossOrigin", False) is not False or "topOrigin" in data:
        raise PasskeyRefused


def _check_key(server: Fido2Server, attested: AttestedCredentialData) -> None:
    """Refuse a key of an algorithm that was not offered, a key that cannot verify, and an id that is too long."""
    offered = [parameters.alg for parameters in server.allowed_algorithms]
    if attested.public_key[3] not in offered or not 0 < len(attested.credential_id) <= LONGEST_ID:
        raise PasskeyRefused
    with suppress(InvalidSignature):
        attested.public_key.verify(b"", b"")


def _is_of(owner: User, person: User | None, handle: bytes | None) -> bool:
    """Return whether the owner's passkey may answer for the person, or by its handle if none is given (7.2, step 6)."""
    is_handle_of_owner = handle == _entity(owner).id
    return is_handle_of_owner if person is None else owner == person and (not handle or is_handle_of_owner)


@contextmanager
def _refusing_nonsense() -> Iterator[None]:
    """Turn every error into a refusal: the client chooses the input, and the libraries raise errors of any kind.

    Do not query the database in here: its errors are not the client's.
    """
    try:
        yield
    except Exception:  # noqa: BLE001 - see above
        raise PasskeyRefused from None
