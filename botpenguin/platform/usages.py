"""The number of an account's contacts and their bytes, in one row an account that changes with the contacts.

SQLite counts 100,000 contacts in 30 ms and sums their bytes in 700 ms, in which nobody else could write.
"""

from django.db.models import Count, F, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.models import User
from accounts.quotas import QuotaUsage
from botpenguin.platform import quotas, sizes
from botpenguin.platform.models import Contact, ContactQuerySet, ContactTag, ContactUsage


def check(owner: int, *, contacts: int, size: int) -> None:
    """Raise `QuotaExceeded` early, before work that `grow` would refuse."""
    _check(_held(owner), contacts, size)


def grow(owner: int, *, contacts: int, size: int) -> None:
    """Add contacts and bytes, or subtract them, inside of `changing`. Raises `QuotaExceeded`."""
    if not _add(owner, contacts, size):
        if not ContactUsage.objects.filter(pk=owner).exists():
            ContactUsage.objects.create(pk=owner, **count(owner))
        _check(_held(owner), contacts, size)
        _add(owner, contacts, size)


def usages_and_count(owner: User, contacts: ContactQuerySet) -> tuple[list[QuotaUsage], int]:
    """Return how much of the quotas is used, and the number of some contacts of the account, by one query."""
    count = contacts.order_by().values("owner").annotate(count=Count("pk")).values("count")
    columns = ("contact_usage__contacts", "contact_usage__size", Coalesce(Subquery(count), 0))
    held, size, counted = User.objects.filter(pk=owner.pk).values_list(*columns).get()
    return [quotas.CONTACTS.usage(held or 0), quotas.CONTACT_BYTES.usage(size or 0)], counted


def count(owner: int) -> dict[str, int]:
    """Count the rows themselves."""
    contacts = Contact.objects.owned_by(owner).aggregate(contacts=Count("pk"), size=Sum(sizes.ROW, default=0))
    tags = ContactTag.objects.filter(contact__owner=owner).aggregate(size=Sum(sizes.TAG_ROW, default=0))
    return {"contacts": contacts["contacts"], "size": contacts["size"] + tags["size"]}


def recount(owner: int) -> bool:
    """Correct the row of an account. Return False if it was right or has changed meanwhile."""
    held = ContactUsage.objects.filter(pk=owner).values("contacts", "size").first()
    counted = count(owner)
    if held is None or held == counted:
        return False
    return bool(ContactUsage.objects.filter(pk=owner, **held).update(**counted))


def _held(owner: int) -> ContactUsage:
    return ContactUsage.objects.filter(pk=owner).first() or ContactUsage(pk=owner, contacts=0, size=0)


def _check(held: ContactUsage, contacts: int, size: int) -> None:
    quotas.CONTACTS.check(held.contacts, contacts)
    quotas.CONTACT_BYTES.check(held.size, size)


def _add(owner: int, contacts: int, size: int) -> bool:
    """Add to the row; return False if the quota is exceeded or there is no row yet."""
    changes, row = {}, ContactUsage.objects.filter(pk=owner)
    for name, more, quota in (("contacts", contacts, quotas.CONTACTS), ("size", size, quotas.CONTACT_BYTES)):
        if more:
            changes[name] = F(name) + more
        if more > 0:
            row = row.filter(**{f"{name}__lte": quota.most - more})
    return not changes or bool(row.update(**changes))
