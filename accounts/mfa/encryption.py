"""Encrypts the secrets of second factors, so that a copy of the database gives no way to log in."""

from cryptography.fernet import InvalidToken, MultiFernet

from accounts import keyring
from accounts.keyring import Purpose, Unreadable


def encrypt(text: str) -> str:
    return _fernets().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Decrypt a text. Raises `Unreadable`, whose message holds none of it."""
    try:
        return _fernets().decrypt(encrypted).decode()
    except InvalidToken:
        raise Unreadable("no key in TOKEN_KEYS opens it") from None


def reencrypt(encrypted: str) -> str:
    """Encrypt a text again with the first key of the ring. Raises `Unreadable`."""
    return encrypt(decrypt(encrypted))


def _fernets() -> MultiFernet:
    return MultiFernet([keyring.fernet(key, Purpose.SECOND_FACTOR_SEAL) for key in keyring.ring()])
