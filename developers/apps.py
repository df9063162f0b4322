from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DevelopersConfig(AppConfig):
    name = "developers"
    # Translators: the title of the Developers panel, as the heading of a group of tables in the admin.
    verbose_name = _("Developers")

    def ready(self) -> None:
        # They import models.
        from accounts import security_log  # noqa: PLC0415
        from developers import issuance, program_uses  # noqa: PLC0415
        from developers.outbound.subscriptions import subscribing  # noqa: PLC0415

        security_log.token_rows.append(program_uses.in_the_log)
        issuance.pauses.append(subscribing.after_revoke)
