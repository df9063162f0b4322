"""The setting `ACCOUNT_RATE_LIMITS`: limits that `accounts.throttling.rate_limits` counts for all processes.

Each has an amount, a duration, and what it counts: an address, or a key that the code passes. allauth's limits for a
whole account are replaced, since anybody could use them up for the owner. Limits of a page are per minute.
"""

RATE_LIMITS: dict[str, str | None] = {
    "login_failed": None,  # accounts.throttling.attempts counts instead
    "reauthenticate": "20/m/ip",
    "change_password": "20/m/ip",
    "reset_password": "20/m/ip",
    # Wrong passwords: from one browser or address at one account, and from one address at all accounts.
    "password_attempt": "5/5m/key",
    "password_attempts_by_address": "10/m/ip",
    # After this many failures from unknown browsers, each address gets fewer attempts.
    "password_attempts_of_unknown_browsers": "30/h/key",
    "password_attempt_under_attack": "1/15m/key",
    # Uses of the waiting place for a hash that is reserved for known people, per person.
    "kept_place": "10/m/key",
    # Wrong codes: from one browser or address at one account; from all unknown or all known browsers at one password.
    "code": "5/5m/key",
    "codes": "20/d/key",
    "confirm_again": "20/m/ip",
    # Mails that anybody can request. Over the limit, the links of earlier mails still work.
    # Mails that confirm a sign-up. New sign-ups: per network and address, and per address. More links for a sign-up,
    # requested from its browser or with its password. Links requested otherwise: per network and address, and per
    # address.
    "sign_up": "6/d/key",
    "sign_ups": "15/d/key",
    "own_link_mail": "1/3m/key,3/d/key",
    "link_mail": "1/3m/key,3/d/key",
    "link_mails": "15/d/key",
    # Mails that confirm a change of email: per account and address, and per address. allauth counts addresses only.
    "confirm_email": None,
    "change_mail": "1/3m/key,5/d/key",
    "change_mails": "20/d/key",
    "reset_mail": "3/h/key",
    "account_exists_mail": "3/d/key",
    # Sign-ups: SIGN_UP_LIMIT limits those of all unknown browsers together; in known browsers each person has some. The
    # window is over an hour, so the count is in the database, where nothing evicts it.
    "sign_ups_of_known": "10/2h/key",
    # New addresses for one account: each counted once, and their number.
    "change_address": "1/d/key",
    "change_addresses": "5/d/key",
    "report_exposed": "10/m/ip",
    # GitHub's, which come from few addresses.
    "report_of_github": "60/m/ip",
}
