"""Encryption of what second factors are made of: a copy of the database holds no way to log in."""

from cryptography.fernet import InvalidToken, MultiFernet

from accounts import keyring
from accounts.keyring import Purpose, Unreadable


def seal(text: str) -> str:
    return _fernets().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """Open sealed text. Raises `Unreadable`, which holds none of it."""
    try:
        return _fernets().decrypt(sealed).decode()
    except InvalidToken:
        raise Unreadable("no key in TOKEN_KEYS opens it") from None


def reseal(sealed: str) -> str:
    """Seal under the first key of the ring what any of them has sealed. Raises `Unreadable`."""
    return seal(unseal(sealed))


def _fernets() -> MultiFernet:
    return MultiFernet([keyring.fernet(key, Purpose.SECOND_FACTOR_SEAL) for key in keyring.ring()])
