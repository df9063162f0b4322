"""Limits on attempts at passwords and codes. Nobody can use them to lock an owner out.

An attempt at an account is counted by its source. A known browser, in which the owner has logged in since they chose
their password, is counted by the id in its cookie; every other client by address and account. So failures elsewhere
never refuse the owner's right password.

Attempts from many addresses are slowed down. After this many failures from unknown browsers at one account within an
hour, each address gets one attempt in 15 minutes instead of five in 5 minutes: enough for a person who knows the
password. Known browsers are exempt. Argon2, the rule for passwords and the second step do the rest.

Codes have six digits, so they need a limit over all unknown browsers: enough addresses would find one. For codes, a
browser is known once its owner has passed the second step there. Only a client that knows the password gets this far,
so attempts are counted for the password: an owner who is refused in a new browser chooses another password by mail,
and gets in at once while the attacker is out. Known browsers share a limit of their own, which others cannot use up.
"""

from ipaddress import IPv6Address, ip_address, ip_network

from allauth.core.internal import ratelimit
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import passwords
from accounts.email_addresses import mailbox
from accounts.models import User
from accounts.throttling import known_browsers
from accounts.throttling.rate_limits import APP, Attempt, undo_when_busy

# The prefix that a provider assigns to a site. Under attack all its networks count as one.
SITE_PREFIX = 48
# Translators: %(wait)s is "5 minutes".
TOO_MANY_CODES = _(
    "Too many wrong codes from unknown browsers. Reset your password, and you can log in again at once. Or use a "
    "passkey, or a browser in which you have entered a code before, or wait %(wait)s."
)


def count_password_attempt(request: HttpRequest, email: str) -> Attempt:
    """Count an attempt at a password; give it back if the password is right. Raises `ValidationError` over a limit."""
    attempt, account = Attempt(request), mailbox(email)
    undo_when_busy(request, attempt)
    browser = _browser(request, account)
    if browser or request.user.is_authenticated:
        passwords.use_reserved_place(request, account)
    if browser:
        attempt.take("password_attempt", f"{browser}:{account}")
        return attempt
    address = ratelimit.get_ip(request)
    attempt.take("password_attempt", f"{address}:{account}")
    attempt.take("password_attempts_by_address")
    if not attempt.may_take("password_attempts_of_unknown_browsers", account):
        attempt.take("password_attempt_under_attack", f"{_site(address)}:{account}")
    return attempt


def count_code_attempt(request: HttpRequest, person: User) -> Attempt:
    """Count an attempt at a code; give it back if the code is right. Raises `ValidationError` over a limit."""
    attempt, password = Attempt(request), person.password_fingerprint()
    browser = known_browsers.browser_id_past_second_step(request, person)
    if browser:
        attempt.take("code", f"{browser}:{person.pk}")
        attempt.take("codes", f"known:{password}:{person.pk}")
    else:
        attempt.take("code", f"{ratelimit.get_ip(request)}:{person.pk}")
        attempt.take("codes", f"{password}:{person.pk}", text=TOO_MANY_CODES)
    return attempt


def count_passkey_attempt(request: HttpRequest, person: User) -> Attempt:
    """Count the answer of a passkey: nobody can guess one, but checking each costs a signature."""
    attempt = Attempt(request)
    attempt.take("code", f"passkey:{ratelimit.get_ip(request)}:{person.pk}")
    return attempt


def clear(request: HttpRequest, person: User) -> None:
    """Clear the failed attempts from this address, after a person has chosen a new password."""
    address = ratelimit.get_ip(request)
    for action, source in (("password_attempt", address), ("password_attempt_under_attack", _site(address))):
        ratelimit.clear(request, app=APP, action=action, key=f"{source}:{mailbox(person.email)}")


def site_of(request: HttpRequest) -> str:
    """Return the network of a request: its IPv4 address, or the /48 of its IPv6 address."""
    return _site(ratelimit.get_ip(request))


def _browser(request: HttpRequest, account: str) -> str:
    """Return the id of a browser in which the account's owner has logged in, or ""."""
    owner = User.objects.by_email(account) if known_browsers.COOKIE in request.COOKIES else None
    return known_browsers.browser_id(request, owner) if owner else ""


def _site(address: str) -> str:
    return str(ip_network((address, SITE_PREFIX), strict=False)) if _is_ipv6(address) else address


def _is_ipv6(address: str) -> bool:
    return isinstance(ip_address(address), IPv6Address)
