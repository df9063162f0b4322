"""Write the addresses of before in their normal spelling: version 0.1.0 kept domains beyond ASCII as they were typed.

An account whose normal address another account has stays as it is, and so does one whose mail went to another mailbox;
`manage.py list_email_collisions` names them. An interrupted run goes on.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.core.exceptions import ValidationError
from django.db import migrations
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.email_addresses import of_before, shown
from accounts.orm.bulk import bulk_writes

BEYOND_ASCII = "[^ -~]"


def write_all(apps: Any, schema_editor: Any) -> None:
    using = schema_editor.connection.alias
    users, addresses, sign_ups, deletions, mails = (
        apps.get_model(*name).objects.using(using)
        for name in (
            *(("accounts", "User"), ("account", "EmailAddress"), ("accounts", "SignUp"), ("accounts", "Deletion")),
            ("post_office", "Email"),
        )
    )
    for user, new in _others(users):
        with bulk_writes(using):
            _write_account(user, new, users, addresses)
    for address, new in _others(addresses.filter(verified=False)):
        with bulk_writes(using):
            own = addresses.filter(user_id=address.user_id)
            # An unconfirmed address of an account of before is the account's own.
            is_own = users.filter(pk=address.user_id, email=address.email).exists()
            if not is_own and not own.filter(email=new).exists():
                own.filter(pk=address.pk).update(email=new)
    for waiting, new in _others(sign_ups):
        with bulk_writes(using):
            if not sign_ups.filter(email=new, browser=waiting.browser).exists():
                sign_ups.filter(pk=waiting.pk).update(email=new)
    for deletion, new in _others(deletions):
        deletions.filter(pk=deletion.pk).update(email=new)
    for mail in mails.filter(to__regex=BEYOND_ASCII).only("to"):
        with suppress(ValidationError):
            mails.filter(pk=mail.pk).update(to=", ".join(map(of_before, mail.to)))


def write_back(apps: Any, schema_editor: Any) -> None:
    """Write domains in their own script, as people typed them: version 0.1.0 finds an account by what was stored."""
    using = schema_editor.connection.alias
    for name in (("accounts", "User"), ("account", "EmailAddress"), ("accounts", "Deletion")):
        rows = apps.get_model(*name).objects.using(using)
        for row in rows.filter(email__contains="xn--").order_by("pk"):
            typed = shown(row.email)
            with suppress(ValidationError):
                if typed != row.email == of_before(typed) and not rows.filter(email=typed).exists():
                    rows.filter(pk=row.pk).update(email=typed)


def _others(rows: Any) -> Iterator[tuple[Any, str]]:
    """Yield rows whose address has another normal spelling, and that spelling."""
    for row in rows.filter(Q(email__regex=BEYOND_ASCII) | ~Q(email=Lower("email"))).order_by("pk"):
        with suppress(ValidationError):
            yield row, of_before(row.email)


def _write_account(user: Any, new: str, users: Any, addresses: Any) -> None:
    is_taken = users.filter(email__iexact=new).exclude(pk=user.pk).exists()
    if is_taken or addresses.filter(email=new, verified=True).exclude(user_id=user.pk).exists():
        return
    own = addresses.filter(user_id=user.pk)
    own.filter(email=new, verified=False).delete()
    users.filter(pk=user.pk, email=user.email).update(email=new)
    own.filter(email=user.email).update(email=new)


class Migration(migrations.Migration):
    # Each account is a transaction.
    atomic = False

    dependencies = [
        ("accounts", "0013_events_of_tokens"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("post_office", "0013_email_recipient_delivery_status_alter_log_status"),
    ]

    operations = [
        migrations.RunPython(write_all, write_back, elidable=True),
    ]
