"""The pages Bots and Inbox, at `/bots/` and `/inbox/`."""

from django.urls import path

from accounts.web import converters  # noqa: F401 - registers object_id
from botpenguin.platform.views import bots, inbox

app_name = "platform"

urlpatterns = [
    path("bots/", bots.bots, name="bots"),
    path("bots/new/", bots.new_bot, name="new-bot"),
    path("bots/<object_id:bot_id>/", bots.bot, name="bot"),
    path("bots/<object_id:bot_id>/delete/", bots.delete_bot, name="delete-bot"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<object_id:contact_id>/", inbox.contact, name="contact"),
    path("inbox/segments/add/", inbox.add_segment, name="add-segment"),
    path("inbox/segments/<object_id:segment_id>/remove/", inbox.remove_segment, name="remove-segment"),
]
