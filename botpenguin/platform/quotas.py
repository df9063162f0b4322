"""How many bots, segments and contacts an account may have."""

from django.utils.translation import gettext_lazy as _

from accounts.quotas import Quota

BOTS = Quota("QUOTA_BOTS", _("You have %(used)s of %(most)s bots."))
SEGMENTS = Quota("QUOTA_SEGMENTS", _("You have %(used)s of %(most)s segments."))
CONTACTS = Quota(
    "QUOTA_CONTACTS",
    _("You have %(used)s of %(most)s contacts."),
    _("Ask the operator of this server for more room."),
)
# Includes the overhead of the database for each contact and tag.
CONTACT_BYTES = Quota(
    "QUOTA_CONTACT_BYTES",
    _("Your contacts take %(used)s of %(most)s."),
    _("Remove tags, notes or attributes to make room."),
    is_in_bytes=True,
)
