"""How many bots and segments an account may have."""

from django.utils.translation import gettext_lazy as _

from accounts.quotas import Quota

BOTS = Quota("QUOTA_BOTS", _("You have %(used)s of %(most)s bots."))
SEGMENTS = Quota("QUOTA_SEGMENTS", _("You have %(used)s of %(most)s segments."))
