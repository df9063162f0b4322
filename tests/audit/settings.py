"""The project's settings without rate limits, which would hide pages from scanners."""

from botpenguin.settings import *  # noqa: F403

ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # type: ignore[assignment]  # allauth's way to say: none
API_RATE_LIMIT = API_REFUSED_LIMIT = 0
