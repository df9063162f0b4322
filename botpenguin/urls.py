"""Every address. What is under `/api/` is answered by the API's middleware and listed here for `reverse`."""

from django.urls import include, path
from django.views.generic import RedirectView

from botpenguin import health

handler400 = "botpenguin.errors.bad_request"
handler403 = "botpenguin.errors.permission_denied"
handler404 = "botpenguin.errors.page_not_found"
handler500 = "botpenguin.errors.server_error"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="platform:bots"), name="home"),
    path("account/", include("accounts.urls")),
    path("developers/", include("developers.urls")),
    path("", include("botpenguin.platform.urls")),
    path("api/", include("botpenguin.platform.api.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
