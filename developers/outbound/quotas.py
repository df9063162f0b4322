"""How many 3rd Party Apps APIs, drafts, logs and attributes an account may have, and of what size."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.quotas import MAKE_ROOM, Quota

APIS = Quota(
    "QUOTA_APIS", ngettext_lazy("You have %(used)s of %(most)s API.", "You have %(used)s of %(most)s APIs.", "number")
)
# Of the sealed calls.
API_BYTES = Quota("QUOTA_API_BYTES", _("Your APIs take %(used)s of %(most)s."), MAKE_ROOM, is_in_bytes=True)
OLDEST_GO = _("New ones replace the oldest.")
LOGS = Quota(
    "QUOTA_LOGS",
    ngettext_lazy("You have %(used)s of %(most)s log.", "You have %(used)s of %(most)s logs.", "number"),
    OLDEST_GO,
)
LOG_BYTES = Quota("QUOTA_LOG_BYTES", _("Your logs take %(used)s of %(most)s."), OLDEST_GO, is_in_bytes=True)
DRAFTS = Quota(
    "QUOTA_DRAFTS",
    ngettext_lazy("You have %(used)s of %(most)s draft.", "You have %(used)s of %(most)s drafts.", "number"),
    OLDEST_GO,
)
# Of the sealed texts.
DRAFT_BYTES = Quota("QUOTA_DRAFT_BYTES", _("Your drafts take %(used)s of %(most)s."), OLDEST_GO, is_in_bytes=True)
ATTRIBUTES = Quota(
    "QUOTA_ATTRIBUTES",
    ngettext_lazy("You have %(used)s of %(most)s attribute.", "You have %(used)s of %(most)s attributes.", "number"),
)
SUBSCRIPTIONS = Quota(
    "QUOTA_WEBHOOKS",
    ngettext_lazy("You have %(used)s of %(most)s webhook.", "You have %(used)s of %(most)s webhooks.", "number"),
    _("Stop some to make room."),
)
# Those of all subscriptions that wait.
DELIVERIES = Quota(
    "QUOTA_DELIVERIES",
    ngettext_lazy(
        "%(used)s of %(most)s delivery is waiting.", "%(used)s of %(most)s deliveries are waiting.", "number"
    ),
)
