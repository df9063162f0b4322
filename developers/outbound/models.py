"""The tables of 3rd Party Apps APIs: calls, custom attributes, and the logs of calls. `call_drafts` has one more.

`running` is the only code that writes `ApiLog`.
"""

import json
import re
from collections.abc import Iterable
from typing import ClassVar, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Length, Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.keyring import Unreadable
from accounts.models import User
from accounts.orm.changes import Gone
from accounts.orm.object_ids import ID_LENGTH, OwnedQuerySet, object_id
from accounts.orm.owners import changing
from accounts.orm.searched import SearchedField, joined
from accounts.text import searchable
from accounts.web.clients import USER_AGENT_LENGTH
from developers.outbound import quotas, sealing
from developers.outbound import recipe as recipes
from developers.outbound.call_drafts import CallDraft  # noqa: F401 - one more table of this app
from developers.outbound.recipe import Recipe
from developers.outbound.sentences import SentenceField, SentencesField, stored
from developers.outbound.subscriptions.models import Subscription  # noqa: F401 - and three more

NAME_LENGTH = 100
ATTRIBUTE_LENGTH = 60
# Bytes that are logged of the body of a request, and of a response.
KEPT_OF_A_BODY = 64 * 1024
# Bytes of a log besides its texts: its other columns, and its entries in five indexes.
BYTES_OF_A_LOG = 700


class CustomAttributes(OwnedQuerySet):
    def called(self, names: Iterable[str]) -> Self:
        """Filter by these names, ignoring case."""
        possible = {name.lower() for name in names if re.fullmatch(recipes.ATTRIBUTE_NAME, name, re.ASCII)}
        return self.alias(lower=Lower("name")).filter(lower__in=possible)

    def named(self, owner: User | int, name: str, kind: str = "text") -> "CustomAttribute":
        """Return the owner's attribute of this name, ignoring case; make it if there is none.

        `kind` is the type of a new attribute. Raises `ValidationError` if the name is invalid.
        """
        owner_id = owner if isinstance(owner, int) else owner.pk
        CustomAttribute(owner_id=owner_id, name=name, type=kind).clean_fields()
        found: CustomAttribute = self.get_or_create(
            owner_id=owner_id, name__iexact=name, defaults={"name": name, "type": kind}
        )[0]
        return found


class CustomAttribute(models.Model):
    """An attribute of contacts: its name, which calls contain in double braces, and its type."""

    class Type(models.TextChoices):
        TEXT = "text", pgettext_lazy("type of an attribute", "Text")
        NUMBER = "number", pgettext_lazy("type of an attribute", "Number")
        YES_NO = "yes_no", pgettext_lazy("type of an attribute", "Yes or no")
        DATE = "date", pgettext_lazy("type of an attribute", "Date")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="custom_attributes")
    name = models.CharField(
        _("name"),
        max_length=ATTRIBUTE_LENGTH,
        validators=[
            RegexValidator(
                rf"^{recipes.ATTRIBUTE_NAME}\Z",
                _("Use letters, digits and underscores, and start with no digit."),
            )
        ],
    )
    type = models.CharField(_("type"), max_length=10, choices=Type, default=Type.TEXT)

    objects = CustomAttributes.as_manager()

    class Meta:
        ordering: ClassVar = [Lower("name")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                F("owner"),
                Lower("name"),
                name="outbound_customattribute_name_once_an_owner",
                violation_error_message=_("There is an attribute of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(name__regex=r"^[A-Za-z_][A-Za-z0-9_]*$"), name="outbound_customattribute_name_is_a_name"
            ),
            models.CheckConstraint(
                condition=Q(type__in=["text", "number", "yes_no", "date"]),
                name="outbound_customattribute_type_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class OutboundApis(OwnedQuerySet):
    def search(self, text: str) -> Self:
        """Filter by a text in the name or URL, in any case and spelling."""
        text = searchable(text.strip()[:NAME_LENGTH])
        return self.none() if "\0" in text else self.filter(searched__contains=text)

    def check_room(self, api: "OutboundApi", *, is_new: bool) -> None:
        """Raise `QuotaExceeded` if the owner has no room for an API that is about to be written."""
        size, itself = Length("sealed"), Q(pk=api.pk)
        held = self.owned_by(api.owner_id).aggregate(
            apis=Count("pk"), size=Sum(size, default=0), before=Sum(size, filter=itself, default=0)
        )
        quotas.APIS.check(held["apis"], int(is_new))
        quotas.API_BYTES.check(held["size"], len(api.sealed) - held["before"])

    def make(self, owner: User | int, name: str, recipe: Recipe) -> "OutboundApi":
        """Save a new API. Raises what `keep` raises."""
        api = OutboundApi(owner_id=owner if isinstance(owner, int) else owner.pk, name=name)
        api.keep(recipe)
        return api


AllApis = models.Manager.from_queryset(OutboundApis)


class ApiManager(AllApis["OutboundApi"]):
    def get_queryset(self) -> "models.QuerySet[OutboundApi]":
        """Exclude deleted APIs, whose rows remain for a while."""
        return super().get_queryset().filter(deleted_at=None)


class OutboundApi(models.Model):
    """A call that an owner's chat flows make.

    The whole call is sealed to its owner and id, since any part may be secret. Method and URL are copied to
    columns for lists and searches. Changing these columns without `keep` makes the call unreadable, so that
    its secrets cannot be sent to another server.
    """

    class Method(models.TextChoices):
        GET = "GET", "GET"
        POST = "POST", "POST"
        PUT = "PUT", "PUT"
        PATCH = "PATCH", "PATCH"
        DELETE = "DELETE", "DELETE"

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=object_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outbound_apis")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    method = models.CharField(_("method"), max_length=6, choices=Method)
    url = models.TextField(_("URL"))
    searched = SearchedField()
    sealed = models.TextField()
    key_id = models.CharField(max_length=8)
    follows_redirects = models.BooleanField(_("follows redirects"), default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)
    # Hidden everywhere from then on. `developers.outbound.api_deletion` brings the API back, or deletes the row.
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[ApiManager] = ApiManager()
    every: ClassVar = AllApis()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(F("owner"), F("created_at").desc(), F("id").desc(), name="outbound_api_newest"),
            models.Index(
                F("owner"), F("deleted_at"), condition=Q(deleted_at__isnull=False), name="outbound_api_deleted"
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                F("owner"),
                Lower("name"),
                condition=Q(deleted_at=None),
                name="outbound_outboundapi_name_once_an_owner",
                violation_error_message=_("There is an API of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(method__in=recipes.METHODS), name="outbound_outboundapi_method_is_known"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="outbound_outboundapi_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def sealed_as(self) -> str:
        return self.pk

    def searched_text(self) -> str:
        return joined((self.name, self.url))

    def recipe(self) -> Recipe:
        """Unseal the call. Raises `Unreadable` with the reason, which holds none of it."""
        text = sealing.unseal(self.owner_id, self.pk, self.sealed, self.key_id)
        try:
            recipe = recipes.load(text)
        except (ValueError, KeyError, TypeError):
            raise Unreadable("it was sealed by another version") from None
        if (recipe.method, recipe.url, recipe.follows_redirects) != (self.method, self.url, self.follows_redirects):
            raise Unreadable("its method or URL was changed beside it")
        return recipe

    def keep(self, recipe: Recipe) -> None:
        """Seal a call, and save it with the name.

        Raises `IntegrityError` if another API of the owner has the name, `Gone` if the API was deleted meanwhile,
        and `QuotaExceeded` if it grows and there is no room.
        """
        self.method, self.url, self.follows_redirects = recipe.method, recipe.url, recipe.follows_redirects
        self.sealed, self.key_id = sealing.seal(self.owner_id, self.pk, recipes.dump(recipe))
        with changing(self.owner_id):
            OutboundApi.objects.check_room(self, is_new=self._state.adding)
            if self._state.adding:
                self.save(force_insert=True)
                return
            self.updated_at, self.searched = timezone.now(), self.searched_text()
            columns = ("name", "searched", "method", "url", "follows_redirects", "sealed", "key_id", "updated_at")
            if not OutboundApi.objects.filter(pk=self.pk).update(**{name: getattr(self, name) for name in columns}):
                raise Gone("The API was deleted meanwhile.")


class ApiLog(models.Model):
    """A call that was made or tested, with its secrets masked. Kept for at most 10 days."""

    class Kind(models.TextChoices):
        TEST = "test", pgettext_lazy("noun", "Test")
        CALL = "call", pgettext_lazy("noun", "Call")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_logs")
    api = models.ForeignKey(OutboundApi, on_delete=models.SET_NULL, null=True, related_name="logs")
    api_name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=10, choices=Kind)
    sent_at = models.DateTimeField(default=timezone.now)
    ip = models.GenericIPAddressField(null=True)
    client = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    method = models.CharField(max_length=6)
    url = models.TextField()
    # Lists of [name, value], in the order of sending. Logs older than `hops` hold those of the API alone.
    request_headers = models.JSONField(default=list)
    request_body = models.TextField(blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    problem = SentenceField(blank=True)
    seconds = models.FloatField(default=0)
    response_headers = models.JSONField(default=list)
    response_body = models.TextField(blank=True)
    response_size = models.PositiveBigIntegerField(default=0)
    is_cut = models.BooleanField(default=False)
    # Lists of [method, url, status], one for each request that went out. None: the log is older than this column.
    hops = models.JSONField(null=True)
    # About what is unusual in the response.
    notes = SentencesField(default=list)
    # Bytes, as `measure` counts them. Logs older than this column have 0.
    size = models.PositiveIntegerField(default=0, db_default=0)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-sent_at", "-pk"]
        indexes: ClassVar = [
            # Adding sizes up reads the index alone, and filters by API and status read no other rows.
            models.Index(
                *(F("owner"), F("sent_at").desc(), F("id").desc(), F("size"), F("api"), F("status")),
                name="outbound_apilog_listed",
            ),
            models.Index(F("api"), F("sent_at").desc(), F("id").desc(), name="outbound_apilog_of_api"),
            models.Index(F("sent_at"), name="outbound_apilog_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.api_name}: {self.method} {self.status or self.problem}"

    def measure(self) -> int:
        """Return roughly how many bytes the log takes in the database."""
        lists = json.dumps([self.request_headers, self.response_headers, self.hops, [*map(stored, self.notes)]])
        texts = (self.url, lists, self.request_body, stored(self.problem), self.response_body)
        return BYTES_OF_A_LOG + sum(len(text.encode()) for text in texts)
