"""Settings, read from the environment and from `.env` beside `manage.py`.

docs/settings.md lists every variable. A missing or weak secret raises `ImproperlyConfigured`
with a sentence that says how to make one.
"""

import os
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import to_locale

from accounts.throttling import defaults
from botpenguin.configuration import authorities, database, poolers, service_urls, support
from botpenguin.configuration.env_file import BASE_DIR
from botpenguin.configuration.values import Values
from botpenguin.observability import log_config

env = Values()
STATE_DIR = database.state_dir(env.raw("STATE_DIR"))


def address(name: str, default: str, stand_in: str = "which") -> str:
    value = env.raw(name, default)
    if "://" not in value:
        raise ImproperlyConfigured(
            f"{name} is no address such as {default}, {stand_in} stands in where it is left out."
        )
    return value


DEBUG = env.switch("DEBUG", default=False)
SECRET_KEY = env.secret("SECRET_KEY", 50)
# Read by accounts.keyring, which refuses a key of less than 256 bits.
TOKEN_KEYS = [key.strip() for key in env.secret("TOKEN_KEYS", 43).split(",") if key.strip()]

HOST, PORT = env.text("HOST", default="127.0.0.1"), env.whole("PORT", default=8000)
WORKERS = env.whole("WORKERS", default=2)
# A page waits for the database or for Argon2, and both let other threads run meanwhile.
THREADS = env.whole("THREADS", default=4)
MAIL_WORKER = env.switch("MAIL_WORKER", default=True)
DRAIN_SECONDS = env.whole("DRAIN_SECONDS", default=0)
# For Prometheus only. 0 is off. Must not be reachable from public networks.
METRICS_HOST, METRICS_PORT = env.text("METRICS_HOST", default="127.0.0.1"), env.whole("METRICS_PORT", default=0)
PUBLIC_URL = service_urls.public(env.text("PUBLIC_URL", default=f"http://localhost:{PORT}"))
HTTPS = env.switch("HTTPS", default=False)
ALLOWED_HOSTS = env.items(
    "ALLOWED_HOSTS", default=[str(urlsplit(PUBLIC_URL).hostname), "localhost", "127.0.0.1", "[::1]"]
)
TRUSTED_PROXIES = env.items("TRUSTED_PROXIES", default=[])
SIGN_UP, SIGN_UP_LIMIT = env.switch("SIGN_UP", default=True), env.whole("SIGN_UP_LIMIT", default=100)
REAUTHENTICATION_TIMEOUT = timedelta(seconds=env.whole("REAUTHENTICATION_TIMEOUT", default=3600))
# A year and a month, so that events of a year ago can still be read.
EVENTS_KEPT_DAYS = env.whole("EVENTS_KEPT_DAYS", default=400)
# Events of one kind from one network. Further ones are only counted.
EVENTS_AN_HOUR = env.whole("EVENTS_AN_HOUR", default=60)
API_RATE_LIMIT, LOG_CHECKS_EVERY = env.whole("API_RATE_LIMIT", default=600), env.whole("LOG_CHECKS_EVERY", default=100)
API_REFUSED_LIMIT = env.whole("API_REFUSED_LIMIT", default=120 if API_RATE_LIMIT else 0)
OUTBOUND_ALLOWED_NETWORKS = env.items("OUTBOUND_ALLOWED_NETWORKS", default=[])
CA_FILE, GITHUB_KEYS_URL = authorities.checked(env.text("CA_FILE")), env.text("GITHUB_KEYS_URL")
OUTBOUND_RATE_LIMIT = env.whole("OUTBOUND_RATE_LIMIT", default=30)
OUTBOUND_SECONDS = env.number("OUTBOUND_SECONDS", default=10.0)
# Quotas of an account. docs/quotas.md lists their disk space.
QUOTA_BOTS, QUOTA_SEGMENTS = env.whole("QUOTA_BOTS", default=1_000), env.whole("QUOTA_SEGMENTS", default=200)
QUOTA_CONTACTS, QUOTA_DRAFTS = env.whole("QUOTA_CONTACTS", default=100_000), env.whole("QUOTA_DRAFTS", default=20)
QUOTA_CONTACT_BYTES = env.whole("QUOTA_CONTACT_BYTES", default=200_000_000)
QUOTA_ATTRIBUTES, QUOTA_PASSKEYS = env.whole("QUOTA_ATTRIBUTES", default=500), env.whole("QUOTA_PASSKEYS", default=25)
QUOTA_APIS, QUOTA_API_BYTES = env.whole("QUOTA_APIS", default=500), env.whole("QUOTA_API_BYTES", default=10_000_000)
QUOTA_LOGS, QUOTA_LOG_BYTES = env.whole("QUOTA_LOGS", default=1_000), env.whole("QUOTA_LOG_BYTES", default=20_000_000)
QUOTA_DRAFT_BYTES = env.whole("QUOTA_DRAFT_BYTES", default=5_000_000)
QUOTA_WEBHOOKS, QUOTA_DELIVERIES = env.whole("QUOTA_WEBHOOKS", default=10), env.whole("QUOTA_DELIVERIES", default=20000)

ROOT_URLCONF = "botpenguin.urls"
WSGI_APPLICATION = "botpenguin.wsgi.application"
# The largest body of a form or an API call. The API's documents name 1 MiB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# No page accepts files. Large files are dropped; by default Django would write them to the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

INSTALLED_APPS = [
    "accounts",
    "developers",
    "developers.outbound",
    "botpenguin.platform",
    "botpenguin.operations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "post_office",
    "template_partials",
    # Without the discovery of other apps' models: developers.admin is a site of its own.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

# For pages. The API is an application of its own, which does what it needs of the first six itself.
MIDDLEWARE = [
    "botpenguin.observability.request_log.log_requests",
    "accounts.web.languages.activate_language_of_browser",
    "botpenguin.http.drain.close_connections",
    "botpenguin.http.request_bodies.finish_bodies",
    "accounts.web.clients.trust_proxies",
    "django.middleware.security.SecurityMiddleware",
    "accounts.orm.bulk.wait_briefly",
    "botpenguin.http.static_files.StaticFilesMiddleware",
    "accounts.web.responses.work_afterwards",
    "botpenguin.http.encodings.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "botpenguin.http.headers.page_headers",
    "django_htmx.middleware.HtmxMiddleware",
    "botpenguin.http.errors.designed_errors",
    "botpenguin.http.request_bodies.RefuseLongForms",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.TrackSessions",
    "accounts.middleware.report_rate_limits",
    "accounts.middleware.LoginRequired",
    "accounts.middleware.activate_language",
    "accounts.middleware.activate_time_zone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [("template_partials.loader.Loader", ["botpenguin.http.template_loader.Loader"])],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["accounts.templatetags.emails", "accounts.templatetags.formats"],
        },
    }
]

# Database

# For a system check only. Says that no node can read an old primary after a failover.
DATABASE_FENCED = env.switch("DATABASE_FENCED", default=False)
address("DATABASE_URL", f"sqlite:///{quote(str(STATE_DIR / database.DEFAULT_NAME))}")
DATABASES = {"default": database.configuration(os.environ)}
if DATABASES["default"]["ENGINE"] == database.ENGINE:
    DATABASES["default"] |= database.SQLITE
else:
    # Here, because the import takes a tenth of a second.
    from botpenguin.database.postgresql.base import pool_options

    DATABASES["default"] |= {
        "ENGINE": "botpenguin.database.postgresql",
        "CONN_MAX_AGE": 0,
        # After a restart of PostgreSQL at most one page a process fails, not one a connection. `read_row` does without.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": pool_options(threads=THREADS),
            "connect_timeout": 3,
            # A server that vanishes silently is given up after some 10 seconds.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            # A bearer check on a standby could miss a revoke.
            "target_session_attrs": "primary",
            "options": poolers.OPTIONS,
            **DATABASES["default"].get("OPTIONS", {}),
        },
    }
# PostgreSQL itself, if DATABASE_URL names a pooler. botpenguin.database.direct connects to it.
DIRECT_DATABASE: dict[str, Any] | None = None
if "DATABASE_DIRECT_URL" in env:
    direct_url = address("DATABASE_DIRECT_URL", "postgres://user:password@host/name", "and DATABASE_URL")
    DATABASES["default"], DIRECT_DATABASE = poolers.configurations(DATABASES["default"], direct_url)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The cache that all processes share, as numbers and JSON. Django's own backends use pickle, which can run code.

CACHES: dict[str, dict[str, Any]] = {"default": {"BACKEND": "accounts.throttling.cache.DatabaseCache"}}
if "CACHE_URL" in env:
    CACHES["default"] = service_urls.cache(address("CACHE_URL", "redis://host:6379/0", "and a table of the database"))
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
    # Stops asking a Redis that hangs, so that not all threads wait for it.
    CACHES["default"]["BACKEND"] = "accounts.throttling.redis.Cache"
    # In seconds, in case Redis vanishes silently.
    CACHES["default"]["OPTIONS"] = {
        **dict.fromkeys(("socket_connect_timeout", "socket_timeout"), 1),
        **CACHES["default"].get("OPTIONS", {}),
        "serializer": "accounts.throttling.cache.JSONSerializer",
    }
CACHES["default"]["KEY_FUNCTION"] = "accounts.throttling.cache.make_key"

# Mail: queued in the database by post_office, sent by `manage.py mail_worker`.

EMAIL_BACKEND = "post_office.EmailBackend"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", default="BotPenguin <no-reply@localhost>")
SERVER_EMAIL, EMAIL_SUBJECT_PREFIX = DEFAULT_FROM_EMAIL, ""
SUPPORT_EMAIL, SUPPORT_ANSWER_HOURS = support.email(env.text("SUPPORT_EMAIL")), env.whole("SUPPORT_ANSWER_HOURS", 0)
# In seconds. A mail server that hangs must not delay other mail for long.
EMAIL_TIMEOUT = 30
MAIL_IS_SET_UP = bool(env.text("EMAIL_URL"))
if MAIL_IS_SET_UP:
    mail = service_urls.email(env.text("EMAIL_URL"))
    mail_backend = mail.pop("EMAIL_BACKEND")
    vars().update(mail)
else:
    mail_backend = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = STATE_DIR / "mail"
POST_OFFICE = {
    "BACKENDS": {"default": mail_backend},
    "DEFAULT_PRIORITY": "medium",
    # The worker sets the growing waits between retries.
    "MAX_RETRIES": 23,
    "MESSAGE_ID_ENABLED": True,
    "MESSAGE_ID_FQDN": urlsplit(PUBLIC_URL).hostname,
}

# Accounts

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "accounts.passwords.Argon2",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"accounts.validators.{name}", "OPTIONS": options}
    for name, options in [
        ("UserAttributeSimilarityValidator", {"user_attributes": ["email", "name"]}),
        ("MinimumLengthValidator", {"min_length": 10}),
        ("CommonPasswordValidator", {}),
        ("NumericPasswordValidator", {}),
    ]
]
AUTH_PASSWORD_VALIDATORS.append({"NAME": "accounts.passwords.LengthValidator"})
AUTH_PASSWORD_VALIDATORS.append({"NAME": "accounts.validators.WordsValidator", "OPTIONS": {"min_length": 10}})
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "accounts.forms.account.LoginForm",
    "signup": "accounts.forms.account.SignupForm",
    "reset_password": "accounts.forms.account.ResetPasswordForm",
    "reset_password_from_key": "developers.views.password.ResetPasswordAndTokenForm",
    "add_email": "accounts.forms.account.ChangeEmailForm",
    "change_password": "developers.views.password.ChangePasswordAndTokenForm",
    "reauthenticate": "accounts.forms.account.ReauthenticateForm",
}
# accounts.sign_ups verifies new accounts. Without a mail server the link is in var/mail/.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
# An unconfirmed address is free: it belongs to whoever follows the link.
ACCOUNT_PREVENT_ENUMERATION = "strict"
# One address an account: a new one replaces the old once it is confirmed.
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_CONFIRMATION_AUTHENTICATED_REDIRECT_URL = "my-account"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
# Based on Django's: allauth's ends the owner's link if an email change is requested in a stolen session.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "accounts.backends.PasswordResetTokens"  # noqa: S105 - a class
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# No "remember me" box: accounts.sessions sets the lifetime of sessions.
ACCOUNT_SESSION_REMEMBER, ACCOUNT_SESSION_COOKIE_AGE = True, None
ACCOUNT_RATE_LIMITS = defaults.RATE_LIMITS | {"sign_ups_of_unknown": f"{SIGN_UP_LIMIT}/2h/key"}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(PUBLIC_URL).scheme
ACCOUNT_REAUTHENTICATION_TIMEOUT = int(REAUTHENTICATION_TIMEOUT.total_seconds())

# Two-step log-in and passkeys

MFA_ADAPTER = "accounts.mfa.factors.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_FORMS = {
    "authenticate": "accounts.forms.mfa.AuthenticateCodeForm",
    "authenticate_webauthn": "accounts.forms.mfa.AuthenticatePasskeyForm",
    "login_webauthn": "accounts.forms.mfa.LoginPasskeyForm",
    "reauthenticate": "accounts.forms.mfa.ReauthenticateCodeForm",
    "reauthenticate_webauthn": "accounts.forms.mfa.ReauthenticatePasskeyForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
# A passkey is the whole log-in, so the device must verify its user.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Each challenge is a session in the database, and any visitor may request one.
MFA_RATE_LIMITS = {"passkey_challenge": "30/m/ip"}
# accounts.reauthentication does it; allauth's own rule would keep whole POST bodies in the session.
MFA_REAUTHENTICATION_REQUIRED = False
# Users with an app may change their email too. Log-in needs a verified email, and a new one counts once verified.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODE_COUNT = 10
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "BotPenguin"
# One period of 30 seconds to either side, for clocks that differ and for slow typing (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1

# Browsers

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "botpenguin.http.messages.MessageStorage"
if HTTPS:
    # Browsers accept cookies with this prefix only from this host and over https.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
CSRF_FAILURE_VIEW = "botpenguin.http.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = HTTPS
# The API does not redirect: a client that used plain http must learn that its token leaked.
SECURE_REDIRECT_EXEMPT = [r"^api/", r"^healthz$", r"^readyz(/writes)?$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
# Over plain http browsers ignore the header, and warn about it on every page.
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin" if HTTPS else None
if TRUSTED_PROXIES:
    # accounts.web.clients drops this header unless a trusted proxy sent it.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "connect-src": [SELF],
        "img-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        # Only the policy of static/js/trusted-html.js may turn text into elements, and none into code.
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["default"],
    }
}

# Languages and times

LANGUAGE_CODE = "en"
# Each by its own name, so that everybody finds theirs.
ALL_LANGUAGES = [
    ("en", "English"),
    ("es", "Español"),
    ("pt-br", "Português (Brasil)"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("ar", "العربية"),
    ("hi", "हिन्दी"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
# Without a catalogue, sentences of Django would stand in another language than ours.
LANGUAGES = [each for each in ALL_LANGUAGES if each[0] == "en" or (LOCALE_PATHS[0] / to_locale(each[0])).is_dir()]
LANGUAGE_COOKIE_NAME = "__Host-language" if HTTPS else "language"
LANGUAGE_COOKIE_AGE = int(timedelta(days=365).total_seconds())
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE = HTTPS, True, "Lax"
TIME_ZONE = "UTC"
USE_TZ = True

# Static files

STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Other sites do not use them.
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "botpenguin.http.static_files.StaticFilesStorage"},
}

# Error mails, and debug pages with DEBUG, without secrets

DEFAULT_EXCEPTION_REPORTER = "botpenguin.observability.error_reports.ErrorReport"
DEFAULT_EXCEPTION_REPORTER_FILTER = "botpenguin.observability.error_reports.ReportFilter"

# Logging

LOGGING = log_config.configuration(env.text("LOG_FORMAT", default="text"))

env.refuse_misspelled()
