"""A security key in software: it makes passkeys and answers challenges as a browser's device does."""

import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

ORIGIN = "https://app.example.com"
PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


@dataclass
class SecurityKey:
    """`origin` is the page that the browser claims to show; `flags` say whether the user was present and verified."""

    origin: str = ORIGIN
    flags: AuthenticatorData.FLAG = PRESENT_AND_VERIFIED
    id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    user_handle: str = ""
    # The signature counter, which a key that counts moves up before each answer.
    count: int = 0
    # More client data, or other values of it; `...` leaves a member out.
    says: dict[str, Any] = field(default_factory=dict)
    # The public key that it sends instead of that of `key`.
    public_key: dict[Any, Any] = field(default_factory=dict)
    extensions: dict[str, Any] | None = None

    def create(self, options: dict[str, Any]) -> str:
        """Answer the challenge of a page that adds a passkey."""
        self.user_handle = options["user"]["id"]
        algorithm: Any = ES256
        public_key: Any = self.public_key or algorithm.from_cryptography_key(self.key.public_key())
        attested = AttestedCredentialData.create(bytes(16), self.id, public_key)
        data = self._data(options["rp"]["id"], self.flags | AuthenticatorData.FLAG.AT, attested)
        return self._credential(
            clientDataJSON=websafe_encode(self._client_data("webauthn.create", options)),
            attestationObject=websafe_encode(AttestationObject.create("none", data, {})),
        )

    def get(self, options: dict[str, Any]) -> str:
        """Answer the challenge of a page that asks for a passkey."""
        data = self._data(options["rpId"], self.flags)
        client_data = self._client_data("webauthn.get", options)
        signature = self.sign(data + sha256(client_data).digest())
        return self._credential(
            clientDataJSON=websafe_encode(client_data),
            authenticatorData=websafe_encode(data),
            signature=websafe_encode(signature),
            userHandle=self.user_handle,
        )

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message, ec.ECDSA(SHA256()))

    def _data(self, rp_id: str, flags: AuthenticatorData.FLAG, attested: bytes = b"") -> AuthenticatorData:
        if self.extensions is not None:
            flags |= AuthenticatorData.FLAG.ED
        data: AuthenticatorData = AuthenticatorData.create(
            sha256(rp_id.encode()).digest(), flags, self.count, attested, self.extensions
        )
        return data

    def _client_data(self, kind: str, options: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps({name: value for name, value in (said | self.says).items() if value is not ...}).encode()

    def _credential(self, **response: str) -> str:
        name = websafe_encode(self.id)
        return json.dumps(
            {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": response}
        )
