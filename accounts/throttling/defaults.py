"""The setting `ACCOUNT_RATE_LIMITS`: limits that `accounts.throttling.rate_limits` counts for all processes.

Amount, duration, and for whom: an address, or the key that our code names. Where a limit of allauth's
counts a whole account, a stranger could use it up: those are replaced. What limits a page is by the minute.
"""

RATE_LIMITS: dict[str, str | None] = {
    "login_failed": None,  # accounts.throttling.attempts counts instead
    "reauthenticate": "20/m/ip",
    "change_password": "20/m/ip",
    "reset_password": "20/m/ip",
    # Wrong passwords: of one browser or address at one account, and of one address at all of them.
    "password_attempt": "5/5m/key",
    "password_attempts_by_address": "10/m/ip",
    # After this many failures from unknown browsers, each address gets fewer attempts.
    "password_attempts_of_unknown_browsers": "30/h/key",
    "password_attempt_under_attack": "1/15m/key",
    # Waits for a hash in the place that is kept for known browsers and people: of each person.
    "kept_place": "10/m/key",
    # Wrong codes: of one browser or address at one account; of all unknown browsers with one password, or all known.
    "code": "5/5m/key",
    "codes": "20/d/key",
    "confirm_again": "20/m/ip",
    # Mails that anybody can ask for. The links in those before still work.
    # To confirm a sign-up: new ones by network and address, and by address; the links of each, which only its browser
    # or its password asks for; and those that anybody else asks for, again by network and address, and by address.
    "sign_up": "6/d/key",
    "sign_ups": "15/d/key",
    "own_link_mail": "1/3m/key,3/d/key",
    "link_mail": "1/3m/key,3/d/key",
    "link_mails": "15/d/key",
    # To confirm a change of email: by account and address, and by address. allauth's own counts addresses alone.
    "confirm_email": None,
    "change_mail": "1/3m/key,5/d/key",
    "change_mails": "20/d/key",
    "reset_mail": "3/h/key",
    "account_exists_mail": "3/d/key",
    # Sign-ups: of all unknown browsers together the setting SIGN_UP_LIMIT says how many, and of known ones each person
    # has some. Of more than an hour, so that they stand where nothing evicts them.
    "sign_ups_of_known": "10/2h/key",
    # New addresses that one account asks to log in with: each once, and how many.
    "change_address": "1/d/key",
    "change_addresses": "5/d/key",
    "report_exposed": "10/m/ip",
}
