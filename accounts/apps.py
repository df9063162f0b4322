from allauth.core.internal import ratelimit
from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from allauth.account.models import EmailAddress  # noqa: PLC0415 - apps are ready only now
        from allauth.mfa.models import Authenticator  # noqa: PLC0415

        # Importing receivers connects the signals of allauth to the security log.
        from accounts import receivers  # noqa: F401, PLC0415
        from accounts.orm.changes import SavesChanges  # noqa: PLC0415
        from accounts.throttling import rate_limits  # noqa: PLC0415

        # allauth saves whole rows, and would restore a deleted passkey or a replaced address.
        for model in (EmailAddress, Authenticator):
            model.__bases__ = (SavesChanges, *model.__bases__)
        # allauth calls both by these names wherever it limits anything.
        ratelimit.consume = rate_limits.consume  # type: ignore[assignment]  # allauth only tests it for truth
        ratelimit.clear = rate_limits.clear
