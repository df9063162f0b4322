"""Seals an outbound call to its owner and id."""

from cryptography.fernet import InvalidToken

from accounts import keyring
from accounts.keyring import Purpose, Unreadable


def seal(owner_id: int, api_id: str, text: str) -> tuple[str, str]:
    """Seal a text under the first key of the ring; return ciphertext and key id."""
    key = keyring.ring()[0]
    payload = f"{owner_id}.{api_id}.{text}".encode()
    return keyring.fernet(key, Purpose.OUTBOUND_SEAL).encrypt(payload).decode(), key.id


def unseal(owner_id: int, api_id: str, ciphertext: str, key_id: str) -> str:
    """Open a text that was sealed to this owner and id.

    Raises `Unreadable` with the reason, which contains no part of the text.
    """
    fernet = keyring.fernet(keyring.find(key_id), Purpose.OUTBOUND_SEAL)
    try:
        sealed_owner, sealed_id, text = fernet.decrypt(ciphertext).decode().split(".", 2)
    except (InvalidToken, ValueError):
        raise Unreadable("its ciphertext is damaged") from None
    if (sealed_owner, sealed_id) != (str(owner_id), api_id):
        raise Unreadable("its ciphertext belongs to another row")
    return text
