"""Known paths of BotPenguin's API that this server does not have, so that their clients learn why.

The paths are those of its published clients and documentation. Each stands for itself and for all paths below it.
Letters may have any case: BotPenguin's server ignores it.
"""

from django.http import HttpResponse
from django.urls.converters import StringConverter
from django.utils.translation import gettext_lazy
from ninja.errors import Throttled

from botpenguin.platform.api import envelope, errors
from botpenguin.platform.api.authentication import ApiAccessToken, BearerRequest
from botpenguin.platform.api.error_keys import ErrorKey
from developers.bearer.verification import TokenRefused, TooManyUnknownTokens

NO_MESSAGES = gettext_lazy("This server sends no messages.")
NO_TEMPLATES = gettext_lazy("This server sends no messages. It has no templates either.")
NO_CHATS = gettext_lazy("This server sends no messages. Contacts are at /inbox/users.")
NO_PARTNERS = gettext_lazy("This server has no partners and no customers of partners.")
ABSENT = {
    "whatsapp-automation/plugin": NO_TEMPLATES,
    "whatsapp-automation/wa": NO_MESSAGES,
    "telegram-automation/messages": NO_MESSAGES,
    "integrations/custom-app/send-message-to-plugin": NO_MESSAGES,
    "inbox/direct": NO_CHATS,
    "ext": NO_PARTNERS,
    "customer": NO_PARTNERS,
}
check = ApiAccessToken()


class AbsentPath(StringConverter):
    """Converts a path to the path of `ABSENT` that it is at or below, and matches no other path."""

    regex = r"[\s\S]+"

    def to_python(self, path: str) -> str:
        whole = f"{path.lower()}/"
        for known in ABSENT:
            if whole.startswith(f"{known}/"):
                return known
        raise ValueError(path)


def answer(request: BearerRequest, absent: str) -> HttpResponse:
    """Return 404 for any method. Not 501, which clients would try again.

    The token is checked as for an operation: its owner sees who uses it, and the same limits hold.
    """
    try:
        request.auth = check(request)
    except TokenRefused as refusal:
        return errors.refused(request, refusal)
    except (Throttled, TooManyUnknownTokens) as refusal:
        return errors.throttled(request, refusal)
    return envelope.error(ErrorKey.NOT_OFFERED, str(ABSENT[absent]))
