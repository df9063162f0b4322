"""Messages with a button that undoes what was done."""

from django.contrib import messages
from django.http import HttpRequest

# Before the URL, in the tags of a message: see message.html.
MARK = "undo:"


def offer_undo(request: HttpRequest, text: str, url: str) -> None:
    """Show a text on the next page, with a button Undo that posts to a URL of this site.

    Messages are signed, so nobody else chooses the URL.
    """
    messages.success(request, text, extra_tags=MARK + url)
