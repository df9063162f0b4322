"""Second factors: what allauth asks the project about authenticators, recovery codes and passkeys."""

from typing import Any

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.cache import cache
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from accounts.keyring import Unreadable
from accounts.mfa import encryption
from accounts.mfa.webauthn import public_host
from accounts.models import User
from accounts.orm.bulk import bulk_writes
from accounts.orm.reading import by_key
from accounts.quotas import PASSKEYS
from accounts.security_log import Kind, record
from accounts.sessions import end_all
from accounts.web.clients import Client

# The key in the data of a factor under which allauth stores its encrypted secret.
ENCRYPTED_IN = {Authenticator.Type.TOTP.value: "secret", Authenticator.Type.RECOVERY_CODES.value: "seed"}
# The margin of a QR code, in modules (ISO/IEC 18004).
QUIET_ZONE = 4


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("That code is not right, or it has been used. Try the next one."),
        "incorrect_passkey": gettext_lazy("That passkey did not work. Try again."),
        "secret_renewed": gettext_lazy("The key on this page had expired. Scan the new one, and type its code."),
        "unreadable": gettext_lazy("This server cannot read your codes any more. Use a passkey, or ask its operator."),
    }

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return encryption.decrypt(encrypted_text)
        except Unreadable:
            raise self.validation_error("unreadable") from None

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)s") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Bind passkeys to the host of `PUBLIC_URL`: the request's Host must not choose."""
        return {"id": public_host(), "name": "BotPenguin"}


def use_code(user: User, code: str) -> bool:
    """Mark a code as used. Return False where it was used before.

    allauth remembers a code for one period, but with a tolerance it is valid for longer.
    """
    periods = 2 * settings.MFA_TOTP_TOLERANCE + 1
    # An HMAC: the cache may be a table of the database, which must not hold codes.
    digest = salted_hmac("accounts.factors.spent", f"{user.pk}:{normalize_user_code(code)}", algorithm="sha256")
    key = f"accounts.factors.spent:{digest.hexdigest()}"
    return cache.add(key, 1, timeout=30 * periods)


def qr_squares(text: str) -> dict[str, Any]:
    """Draw a QR code as the path of an inline SVG, one square a dark module: `size` and `path`."""
    code: Any = QRCode(border=QUIET_ZONE, error_correction=ERROR_CORRECT_M)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return {"size": len(rows), "path": path}


def factors_of(user: User) -> dict[str, Any]:
    """Return an account's factors: `totp` and `recovery_codes` or None, `passkeys`, their `usage`, and codes `left`."""
    own = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    single = {factor.type: factor for factor in own}
    codes = single.get(Authenticator.Type.RECOVERY_CODES)
    passkeys = [factor for factor in own if factor.type == Authenticator.Type.WEBAUTHN]
    return {
        "totp": single.get(Authenticator.Type.TOTP),
        "passkeys": passkeys,
        "usage": PASSKEYS.usage(len(passkeys)),
        "recovery_codes": codes,
        "left": codes and settings.MFA_RECOVERY_CODE_COUNT - codes.data["used_mask"].bit_count(),
    }


def remove_all(owner: User, client: Client) -> None:
    """Remove all second factors of a person, log them out everywhere, and notify them."""
    with transaction.atomic():
        # First: a session that is adding a factor then has added it, or is refused.
        end_all(owner)
        Authenticator.objects.filter(user=owner).delete()
        record(Kind.FACTORS_REMOVED, owner, client)


def count_unreadable(using: str) -> int:
    """Count the secrets in a database that no key of the ring decrypts. It tries tens of thousands a second."""
    encrypted = Authenticator.objects.using(using).filter(type__in=ENCRYPTED_IN)
    return sum(not _is_readable(kind, data) for kind, data in by_key(encrypted, "type", "data"))


def _is_readable(kind: str, data: dict[str, Any]) -> bool:
    try:
        encryption.decrypt(data[ENCRYPTED_IN[kind]])
    except Unreadable:
        return False
    return True


def reencrypt_all() -> tuple[int, int]:
    """Encrypt every stored secret with the first key of the ring; return how many were, and how many cannot be."""
    encrypted = Authenticator.objects.filter(type__in=ENCRYPTED_IN).order_by("pk")
    outcomes = []
    for pk in list(encrypted.values_list("pk", flat=True)):
        with bulk_writes():
            # Locked: a recovery code may be used now, and the used codes are stored beside the seed.
            outcomes += [_reencrypt(factor) for factor in encrypted.select_for_update().filter(pk=pk)]
    return outcomes.count(True), outcomes.count(False)


def _reencrypt(factor: Authenticator) -> bool:
    name = ENCRYPTED_IN[factor.type]
    try:
        reencrypted = factor.data | {name: encryption.reencrypt(factor.data[name])}
    except Unreadable:
        return False
    return bool(Authenticator.objects.filter(pk=factor.pk).update(data=reencrypted))
