"""The admin: looks up and revokes tokens. It cannot add, change or delete anything, and shows no secret.

It is a separate site without the models of libraries: queued mails, for example, contain links that reset a
password.
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_replace
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.email_addresses import spelled
from accounts.models import User
from accounts.text import normalize
from accounts.web.clients import Client
from developers import issuance
from developers.models import ApiToken, RevokedToken

# The largest value of a BigAutoField.
LARGEST_ID = 2**63 - 1
# Tokens that one request revokes: as many as a page lists. They take a second or two.
MOST_REVOKED = 100
NOT_REVOKED = _(
    "%(left)d of the chosen tokens are not revoked yet: at most %(most)d are at once, those issued longest ago first. "
    "Revoke again for the others, or run manage.py revoke_tokens."
)
NO_TRUSTED_TYPES = {"require-trusted-types-for": None, "trusted-types": None}


class Site(admin.AdminSite):
    site_header = site_title = "BotPenguin"
    index_title = _("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        return isinstance(request.user, User) and request.user.is_active and request.user.is_superuser

    def admin_view(  # type: ignore[override]
        self, view: Callable[..., Any], cacheable: bool = False
    ) -> Callable[..., Any]:
        """Exempt these pages from Trusted Types: Django's jQuery makes elements from strings on start-up."""
        spared: Callable[..., Any] = csp_replace(NO_TRUSTED_TYPES)(super().admin_view(view, cacheable))
        return spared

    def get_urls(self) -> list[Any]:
        """Omit the URL that looks up objects of any model."""
        return [pattern for pattern in super().get_urls() if getattr(pattern, "name", "") != "view_on_site"]

    # The account's pages also handle sessions, second factors and the token, which the admin's do not.

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_change_password")

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("account_logout")


def _stored(word: str) -> str:
    """Return a part of an email as it is stored; anything else as it is."""
    try:
        return spelled(word)
    except ValidationError:
        return word


site = Site(name="admin")
# Uses the project's log-in page, with its rate limits and second step.
site.login = secure_admin_login(site.login)  # type: ignore[method-assign]


@admin.register(ApiToken, site=site)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    fields = ("user", "hint", "generation", "issued_at", "last_used_at", "last_used_ip", "last_used_client")
    list_display = ("user", "hint", "generation", "issued_at", "last_used_at")
    list_select_related: ClassVar = ["user"]
    search_fields = ("user__email",)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Look for emails as they are stored, however they are typed."""
        words = [_stored(word) for word in normalize(search_term).split()]
        return super().get_search_results(request, queryset, " ".join(words))

    search_help_text = _("By the owner's email.")
    ordering = ("-issued_at",)
    actions = ("revoke",)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return a token by its owner's id. Raises 404 for any other text: databases reject very long numbers."""
        token = super().get_object(request, object_id, from_field) if _is_id(object_id) else None
        if token is None:
            raise Http404
        return token

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not all(map(_is_id, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise Http404
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:  # type: ignore[override]
        """Allow no filters in URLs: `?ciphertext__startswith=` would reveal hidden columns."""
        return False

    @admin.action(description=_("Revoke the selected tokens"))
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        """Revoke the chosen owners' current tokens, except those that are replaced meanwhile.

        Starts with the tokens issued longest ago, so that sending the same choice again continues with the rest.
        """
        left = chosen.count() - MOST_REVOKED
        oldest = list(chosen.order_by("issued_at", "pk").values_list("pk", flat=True)[:MOST_REVOKED])
        revoked = issuance.revoke_all(
            ApiToken.objects.filter(pk__in=oldest),
            Client.of(request),
            RevokedToken.Reason.OPERATOR,
            waits_for_others=False,
        )
        report = ngettext(
            "%d token is revoked. Its owner is notified.", "%d tokens are revoked. Their owners are notified.", revoked
        )
        self.message_user(request, report % revoked, messages.SUCCESS)
        if left > 0:
            self.message_user(request, NOT_REVOKED % {"left": left, "most": MOST_REVOKED}, messages.WARNING)


def _is_id(text: str) -> bool:
    return bool(re.fullmatch("[0-9]{1,19}", text)) and int(text) <= LARGEST_ID
