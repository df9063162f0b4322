"""Bounds on guessing passwords and codes, with which no stranger locks an owner out.

An attempt at an account is counted by who makes it: a browser in which its owner has signed in,
since they chose their password, by the name in its cookie; everybody else by address and account.
So what others do wrong elsewhere never refuses the owner's right password.

Guessing from many addresses is slowed instead. After so many failures of strangers at one account
within an hour, each address has one try in a quarter of an hour in place of five in five minutes:
enough for one who knows the password. The owner's own browsers are not part of that. The rest is
borne by Argon2, by the rule for passwords, and by a second step.

Codes of six digits want a bound over all strangers, or enough addresses would guess one. A stranger
to them is every browser in which nobody has come past the second step. Only who knows the password
gets to try, so it is counted for the password: its owner, refused in a browser that is new, chooses
another by mail, and is let in at once while the other is out. The browsers past the second step
have such a bound of their own, which no stranger can use up.
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

# What a provider gives a site: under attack its networks count as one.
SITE_PREFIX = 48
TOO_MANY_CODES = _(
    "Too many wrong codes from browsers in which no right one was given before. Choose a new password, by the link "
    "for a forgotten one, and it is open again at once. Or use a browser in which one was, or a passkey, or wait "
    "%(wait)s."
)


def count_password_attempt(request: HttpRequest, email: str) -> Attempt:
    """Count a try of a password, to be given back where it was right. Raises `ValidationError` for one too many."""
    attempt, account = Attempt(request), mailbox(email)
    undo_when_busy(request, attempt)
    browser = _browser(request, account)
    if browser or request.user.is_authenticated:
        passwords.keep_place(request, account)
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
    """Count a try of a code, to be given back where it was right. Raises `ValidationError` for one too many."""
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
    """Count an answer of a passkey, which nobody guesses, but each of which costs a signature to check."""
    attempt = Attempt(request)
    attempt.take("code", f"passkey:{ratelimit.get_ip(request)}:{person.pk}")
    return attempt


def clear(request: HttpRequest, person: User) -> None:
    """Forget what was guessed here at the password that somebody has just chosen anew."""
    address = ratelimit.get_ip(request)
    for action, source in (("password_attempt", address), ("password_attempt_under_attack", _site(address))):
        ratelimit.clear(request, app=APP, action=action, key=f"{source}:{mailbox(person.email)}")


def site_of(request: HttpRequest) -> str:
    """Name the network that a request comes from: the address, or the /48 of an IPv6 one."""
    return _site(ratelimit.get_ip(request))


def _browser(request: HttpRequest, account: str) -> str:
    """Return the name of a browser in which the account's owner has signed in, and else nothing."""
    owner = User.objects.by_email(account) if known_browsers.COOKIE in request.COOKIES else None
    return known_browsers.browser_id(request, owner) if owner else ""


def _site(address: str) -> str:
    return str(ip_network((address, SITE_PREFIX), strict=False)) if _is_ipv6(address) else address


def _is_ipv6(address: str) -> bool:
    return isinstance(ip_address(address), IPv6Address)
