"""How many bots, segments and contacts an account may have."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.quotas import Quota

BOTS = Quota(
    "QUOTA_BOTS", ngettext_lazy("You have %(used)s of %(most)s bot.", "You have %(used)s of %(most)s bots.", "number")
)
SEGMENTS = Quota(
    "QUOTA_SEGMENTS",
    ngettext_lazy("You have %(used)s of %(most)s segment.", "You have %(used)s of %(most)s segments.", "number"),
)
CONTACTS = Quota(
    "QUOTA_CONTACTS",
    ngettext_lazy("You have %(used)s of %(most)s contact.", "You have %(used)s of %(most)s contacts.", "number"),
    _("Ask the operator of this server for more room."),
)
# Includes the overhead of the database for each contact and tag.
CONTACT_BYTES = Quota(
    "QUOTA_CONTACT_BYTES",
    _("Your contacts take %(used)s of %(most)s."),
    _("Remove tags, notes or attributes to make room."),
    is_in_bytes=True,
)
