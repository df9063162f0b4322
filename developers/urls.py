"""The Developers panel, at `/developers/`."""

from django.urls import include, path

from developers.views import first_steps, guide, programs, replacement, token

app_name = "developers"

urlpatterns = [
    path("", token.developers, name="developers"),
    path("third-party-apps-api/", include("developers.outbound.urls")),
    path("api-access-token/", token.api_access_token, name="api-access-token"),
    path("api-access-token/show/", token.show_token, name="show-token"),
    path("api-access-token/copy/", token.copy_token, name="copy-token"),
    path("api-access-token/try/", token.try_token, name="try-token"),
    path("api-access-token/run/", token.run_operation, name="run-operation"),
    path("api-access-token/revoke/", token.revoke_token, name="revoke-token"),
    path("api-access-token/steps/", first_steps.steps, name="first-steps"),
    path("api-access-token/language/", first_steps.choose_language, name="choose-language"),
    path("api-access-token/guide/", guide.guide, name="guide"),
    path("api-access-token/programs/", programs.programs, name="programs"),
    path("api-access-token/programs/label/", programs.label_program, name="label-program"),
    path("api-access-token/moved/", replacement.moved, name="moved"),
    path("api-access-token/moved/dismiss/", replacement.dismiss, name="dismiss-moved"),
]
