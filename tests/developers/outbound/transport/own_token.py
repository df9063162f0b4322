"""An API access token of BotPenguin, which no call may send."""

import base64

from developers import tokens

BODY = tokens.PREFIX + "x" * tokens.RANDOM_LENGTH
TOKEN = BODY + tokens.checksum(BODY)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode("latin-1")).decode()
