"""All URLs. The API's middleware resolves those under `/api/` itself."""

from django.urls import include, path
from django.views.generic import RedirectView

from botpenguin.http import health
from botpenguin.platform.views import contact_choice
from developers import admin
from developers.views import password

handler400 = "botpenguin.http.errors.bad_request"
handler403 = "botpenguin.http.errors.permission_denied"
handler404 = "botpenguin.http.errors.page_not_found"
# allauth calls it for pages with rate limits.
handler429 = "botpenguin.http.errors.too_many_requests"
handler500 = "botpenguin.http.errors.server_error"

urlpatterns = [
    # First, because trying all other patterns takes longer than an API call.
    path("api/", include("botpenguin.platform.api.urls")),
    path("", RedirectView.as_view(pattern_name="platform:bots"), name="home"),
    path("account/", include("accounts.urls")),
    # Of the account pages, those that offer to revoke the token too.
    path("account/password/change/", password.change_password, name="account_change_password"),
    path(
        "account/password/reset/key/<base36:uidb36>-<str:key>/",
        password.reset_password,
        name="account_reset_password_from_key",
    ),
    # The editor of outbound calls links it by this name, and knows nothing else of contacts.
    path("developers/third-party-apps-api/contacts/", contact_choice.contacts_to_test, name="contacts-to-test"),
    path("developers/", include("developers.urls")),
    path("", include("botpenguin.platform.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("readyz/writes", health.readyz_writes, name="readyz-writes"),
]
