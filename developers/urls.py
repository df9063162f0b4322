"""The Developers panel, at `/developers/`."""

from django.urls import include, path

from developers import views

app_name = "developers"

urlpatterns = [
    path("", views.developers, name="developers"),
    path("third-party-apps-api/", include("developers.outbound.urls")),
    path("api-access-token/", views.api_access_token, name="api-access-token"),
    path("api-access-token/show/", views.show_token, name="show-token"),
    path("api-access-token/copy/", views.copy_token, name="copy-token"),
    path("api-access-token/try/", views.try_token, name="try-token"),
    path("api-access-token/revoke/", views.revoke_token, name="revoke-token"),
]
