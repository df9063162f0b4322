"""How many 3rd Party Apps APIs, drafts, logs and attributes an account may have, and of what size."""

from django.utils.translation import gettext_lazy as _

from accounts.quotas import MAKE_ROOM, Quota

APIS = Quota("QUOTA_APIS", _("You have %(used)s of %(most)s APIs."))
# Of the sealed calls.
API_BYTES = Quota("QUOTA_API_BYTES", _("Your APIs take %(used)s of %(most)s."), MAKE_ROOM, is_in_bytes=True)
OLDEST_GO = _("New ones replace the oldest.")
LOGS = Quota("QUOTA_LOGS", _("You have %(used)s of %(most)s logs."), OLDEST_GO)
LOG_BYTES = Quota("QUOTA_LOG_BYTES", _("Your logs take %(used)s of %(most)s."), OLDEST_GO, is_in_bytes=True)
DRAFTS = Quota("QUOTA_DRAFTS", _("You have %(used)s of %(most)s drafts."), OLDEST_GO)
# Of the sealed texts.
DRAFT_BYTES = Quota("QUOTA_DRAFT_BYTES", _("Your drafts take %(used)s of %(most)s."), OLDEST_GO, is_in_bytes=True)
ATTRIBUTES = Quota("QUOTA_ATTRIBUTES", _("You have %(used)s of %(most)s attributes."))
SUBSCRIPTIONS = Quota("QUOTA_WEBHOOKS", _("You have %(used)s of %(most)s webhooks."), _("Stop some to make room."))
# Those of all subscriptions that wait.
DELIVERIES = Quota("QUOTA_DELIVERIES", _("%(used)s of %(most)s deliveries are waiting."))
