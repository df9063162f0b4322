"""New e-mails that people have asked to log in with and have not confirmed by the link that was mailed there."""

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.db.models import F, QuerySet


def waiting() -> QuerySet[EmailAddress]:
    """The addresses that wait. The one that somebody has signed up with is their log-in, confirmed or not."""
    return EmailAddress.objects.filter(verified=False).exclude(email=F("user__email"))


def cancel(person: AbstractBaseUser) -> None:
    """Have the link that was mailed to a new address lead nowhere."""
    waiting().filter(user=person.pk).delete()
