"""3rd Party Apps API, at `/developers/third-party-apps-api/`."""

from django.urls import path

from accounts.web import converters  # noqa: F401 - registers object_id
from developers.outbound.views import apis, attributes, drafts, editor, logs, rows, subscriptions, testing

app_name = "outbound"

urlpatterns = [
    path("", apis.apis, name="apis"),
    path("new/", editor.editor, name="new-api"),
    path("new/rows/", rows.change_rows, name="change-new-rows"),
    path("new/test/", testing.try_out, name="test-new"),
    path("cancel/", testing.cancel, name="cancel-test"),
    path("new/draft/", drafts.keep, name="keep-draft-new"),
    path("new/discard/", drafts.discard_changes, name="discard-changes-new"),
    path("drafts/request-token/", drafts.request_token, name="request-token"),
    path("drafts/<object_id:draft_id>/discard/", drafts.discard_draft, name="discard-draft"),
    path("drafts/<object_id:draft_id>/restore/", drafts.restore_draft, name="restore-draft"),
    path("import/", editor.import_curl, name="import-curl"),
    path("attributes/", attributes.attributes, name="attributes"),
    path("attributes/<int:attribute_id>/", attributes.change_type, name="change-type"),
    path("attributes/<int:attribute_id>/remove/", attributes.remove_attribute, name="remove-attribute"),
    path("attributes/restore/<slug:name>/<slug:type>/", attributes.restore_attribute, name="restore-attribute"),
    path("logs/", logs.logs, name="logs"),
    path("logs/<int:log_id>/", logs.log, name="log"),
    path("webhooks/", subscriptions.subscriptions, name="subscriptions"),
    path("webhooks/<object_id:subscription_id>/keep/", subscriptions.keep, name="keep-subscription"),
    path("webhooks/<object_id:subscription_id>/stop/", subscriptions.stop, name="stop-subscription"),
    path("<object_id:api_id>/", editor.editor, name="api"),
    path("<object_id:api_id>/rows/", rows.change_rows, name="change-rows"),
    path("<object_id:api_id>/test/", testing.try_out, name="test"),
    path("<object_id:api_id>/draft/", drafts.keep, name="keep-draft"),
    path("<object_id:api_id>/discard/", drafts.discard_changes, name="discard-changes"),
    path("<object_id:api_id>/duplicate/", apis.duplicate, name="duplicate-api"),
    path("<object_id:api_id>/delete/", apis.delete, name="delete-api"),
    path("<object_id:api_id>/restore/", apis.restore, name="restore-api"),
]
