"""Every setting, each read once from the environment (or `.env`, or a file named by `NAME_FILE`).

Defaults suit a laptop: SQLite, no Redis, no key, the local judge. A value that makes no sense stops the
start and is named. The list for operators is `.env.example`.
"""

import contextlib
import ipaddress
import os
import re
import secrets
import sys
import tempfile
import zoneinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
import structlog
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _

from portal.environment import (
    BASE_DIR,
    folder,
    one_line,
    one_of,
    refuse,
    seconds,
    text,
    texts,
    web_address,
    whole_number,
    yes_or_no,
)
from portal.masking import mask_secrets
from portal.schedule import (  # noqa: F401 (settings by their names)
    BEAT,
    EMBEDDED_TICK_SECONDS,
    HARVEST_SLOT_LASTS,
    HARVESTS,
)
from portal.tidings import TIDINGS  # noqa: F401 (a setting by its name)

# One thread for the numerics of a process, before numpy is loaded: beside other busy processes the threads of a
# small matrix wait for each other, and a lesson of 0.3 s costs 6 s of CPU. Who has idle cores may say more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# --- where things are ------------------------------------------------------------------------------

VAR_DIR = folder("VAR_DIR", "var")
HOST = text("HOST", "127.0.0.1")
PORT = whole_number("PORT", 8000, least=1, most=65535)
PORTAL_URL = web_address("PORTAL_URL", f"http://{HOST}:{PORT}").rstrip("/")
TRUSTED_PROXY_COUNT = whole_number("TRUSTED_PROXY_COUNT", 0, most=10)
TESTING = "pytest" in sys.modules

DATABASE_URL = text("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'broadsheet.sqlite3'}"
if urlsplit(DATABASE_URL).scheme not in {"sqlite", "postgres", "postgresql"}:
    raise refuse(
        "DATABASE_URL", "must read like postgres://user:password@host:5432/name, or be empty for SQLite"
    )
REDIS_URL = text("REDIS_URL")
if REDIS_URL and urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix"}:
    raise refuse("REDIS_URL", "must read like redis://host:6379/0")
MAIL_URL = text("MAIL_URL", "console:")
HAS_MAILER = not MAIL_URL.startswith("console:")
IS_FULL = not DATABASE_URL.startswith("sqlite")

# --- secrets ---------------------------------------------------------------------------------------


def kept_secret(name: str, file_name: str) -> str:
    """The secret of that name; embedded, one that is made once and kept in VAR_DIR with mode 0600.

    In the full size nothing is invented: two processes would invent two.
    """
    given = text(name)
    if given:
        return given
    if IS_FULL:
        raise refuse(name, "must be set (any long random text)")
    path = VAR_DIR / file_name
    if not path.exists():
        # Linked into place whole: of two first starts at once, both read the one that won.
        with tempfile.NamedTemporaryFile("w", dir=VAR_DIR) as made:
            made.write(secrets.token_urlsafe(48))
            made.flush()
            with contextlib.suppress(FileExistsError):
                os.link(made.name, path)
    return path.read_text().strip()


SECRET_KEY = kept_secret("SECRET_KEY", "secret_key")
# Fernet keys or any long texts, newest first, for the model providers' keys at rest.
FIELD_KEYS = texts("FIELD_KEYS") or [SECRET_KEY]

# --- the web ---------------------------------------------------------------------------------------

_portal = urlsplit(PORTAL_URL)
IS_HTTPS = _portal.scheme == "https"
ALLOWED_HOSTS = sorted({_portal.hostname or "localhost", "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [f"{_portal.scheme}://{_portal.netloc}"]
DEBUG = False

INSTALLED_APPS = [
    "portal",
    "scoring",
    "profiles",
    "papers",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "django_htmx",
    "django_structlog",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "profiles.origins.OriginMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "profiles.locale.ReaderLocaleMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "profiles.onward.OnwardMiddleware",
    "profiles.second_factor_middleware.SecondFactorMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "profiles.accounts.house_rules",
                "scoring.context.meter",
            ],
        },
    },
]

SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_NAME = "__Host-session" if IS_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
LANGUAGE_COOKIE_NAME = "__Host-language" if IS_HTTPS else "language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "django.contrib.sessions.backends.db"
X_FRAME_OPTIONS = "DENY"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- rows, cache, queue ----------------------------------------------------------------------------

try:
    DATABASES = {"default": dict(dj_database_url.parse(DATABASE_URL, conn_health_checks=True))}
except (ValueError, KeyError) as error:
    raise refuse("DATABASE_URL", "must read like postgres://user:password@host:5432/name") from error

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Django's defaults lose transactions to "database is locked": stack.md has the measurement.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, for threads that share a database in memory lock each other out without a timeout.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 20, "timeout": 10}}

CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "cache",
            # Above its number of rows Django drops some, counted limits among them: 300 is one flood away.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    }

# Rows are the queue and Celery is only the doorbell; embedded there is none.
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_DEFAULT_QUEUE = "doorbell"
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE = BEAT

# --- people ----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "profiles.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SIGNUP = one_of("SIGNUP", "invite" if IS_FULL else "open", {"open", "invite", "closed"})
# Who may make teams beside their personal one.
TEAM_CREATION = one_of("TEAM_CREATION", "everybody", {"everybody", "staff"})
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
if TESTING:
    # Hundreds of test users sign up; a slow hash would be most of the suite.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_ADAPTER = "profiles.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_FORMS = {"signup": "profiles.account_forms.SignupForm"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Broadsheet: "
ACCOUNT_SESSION_REMEMBER = True
# Without a mailer nobody could be verified or sent a code; the sign-up page says so.
ACCOUNT_LOGIN_BY_CODE_ENABLED = HAS_MAILER
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if HAS_MAILER else "none"
# A code that is typed into the page it was asked from; a link would be opened by the scanners of mail too.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = HAS_MAILER
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = HAS_MAILER
# Allauth offers the change to newcomers only, and so tells them from those whose address is known.
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = False
ACCOUNT_EMAIL_NOTIFICATIONS = HAS_MAILER
# Who found an open browser neither moves the account to another address nor connects another one to it.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
MFA_ADAPTER = "profiles.second_factor.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "profiles.account_forms.PasskeyForm",
    "edit_webauthn": "profiles.account_forms.PasskeyNameForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
# Over http browsers offer passkeys on localhost only; they see to that themselves.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS
# Who is led to set up a second factor before anything else.
MFA_REQUIRED_FOR = one_of("MFA_REQUIRED_FOR", "staff" if IS_FULL else "none", {"none", "staff", "admins"})
MFA_TOTP_ISSUER = "Broadsheet"
MFA_ALLOW_UNVERIFIED_EMAIL = not HAS_MAILER
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

# --- signing in elsewhere --------------------------------------------------------------------------


def login_app(name: str) -> list[dict[str, Any]]:
    """The client that this instance is at that provider: one, or none where neither half is given."""
    client_id, secret = one_line(f"LOGIN_{name}_ID"), text(f"LOGIN_{name}_SECRET")
    if secret and not client_id:
        raise refuse(f"LOGIN_{name}_ID", f"must be set when LOGIN_{name}_SECRET is")
    if client_id and not secret:
        raise refuse(f"LOGIN_{name}_SECRET", f"must be set when LOGIN_{name}_ID is")
    return [{"client_id": client_id, "secret": secret}] if client_id else []


def login_by_oidc() -> list[dict[str, Any]]:
    """Any OpenID Connect server, such as an institute's own. Its word travels by TLS, or on this machine."""
    apps, name = login_app("OIDC"), one_line("LOGIN_OIDC_NAME")
    issuer = web_address("LOGIN_OIDC_URL", "").rstrip("/")
    if apps and not issuer:
        raise refuse("LOGIN_OIDC_URL", "must be set when LOGIN_OIDC_ID is, such as https://login.example.org")
    if issuer and not apps:
        raise refuse("LOGIN_OIDC_ID", "must be set when LOGIN_OIDC_URL is")
    parts = urlsplit(issuer)
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost"}:
        raise refuse("LOGIN_OIDC_URL", "must be an https:// address")
    for app in apps:
        app |= {"provider_id": "oidc", "name": name or "OpenID Connect"}
        app |= {"settings": {"server_url": issuer}}
    return apps


# A provider without credentials is an HTTP 500: none is installed that is not set up.
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {
    kind: {"APPS": apps, "OAUTH_PKCE_ENABLED": True}
    for kind, apps in {
        "openid_connect": login_by_oidc(),
        "github": login_app("GITHUB"),
        "google": login_app("GOOGLE"),
        "orcid": login_app("ORCID"),
    }.items()
    if apps
}
INSTALLED_APPS += [f"allauth.socialaccount.providers.{kind}" for kind in SOCIALACCOUNT_PROVIDERS]
SOCIALACCOUNT_ADAPTER = "profiles.connections.ConnectionAdapter"
SOCIALACCOUNT_FORMS = {"signup": "profiles.account_forms.ConnectionSignupForm"}
# An address that both sides have verified belongs to one person (profiles/connections.py).
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

# --- mail ------------------------------------------------------------------------------------------


def mailers(address: str) -> dict[str, dict[str, object]]:
    """Django's MAILERS from one address: `console:` or `smtp://user:password@host:587/?tls=starttls`."""
    parts = urlsplit(address)
    if parts.scheme == "console":
        return {"default": {"BACKEND": "django.core.mail.backends.console.EmailBackend"}}
    try:
        port = parts.port or 25
    except ValueError as error:
        raise refuse("MAIL_URL", "has a port that is no number") from error
    if parts.scheme != "smtp" or not parts.hostname:
        raise refuse("MAIL_URL", "must read like smtp://user:password@host:587/?tls=starttls, or console:")
    tls = parse_qs(parts.query).get("tls", ["none"])[0]
    if tls not in {"none", "starttls", "tls"}:
        raise refuse("MAIL_URL", "tls must be none, starttls or tls")
    return {
        "default": {
            # Django's own, which also remembers whether a text was handed over.
            "BACKEND": "profiles.mailing.WatchedBackend",
            "OPTIONS": {
                "host": parts.hostname,
                "port": port,
                "username": unquote(parts.username or ""),
                "password": unquote(parts.password or ""),
                "use_tls": tls == "starttls",
                "use_ssl": tls == "tls",
                "timeout": 20,
            },
        }
    }


MAILERS = mailers(MAIL_URL)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = text("MAIL_FROM", f"broadsheet@{_portal.hostname}")
# Whom Django calls admins: told once when a model's provider is stopped.
ADMINS = texts("OPERATOR_MAIL")
for _address in ADMINS:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", _address):
        raise refuse("OPERATOR_MAIL", f"{_address!r} is no mail address")

# --- the model and its money -----------------------------------------------------------------------

LLM_BASE_URL = web_address("LLM_BASE_URL", "")
LLM_API_KEY = text("LLM_API_KEY")
LLM_MODEL = text("LLM_MODEL")
if LLM_BASE_URL and not LLM_MODEL:
    raise refuse("LLM_MODEL", "must be set when LLM_BASE_URL is")
if LLM_MODEL and not LLM_BASE_URL:
    raise refuse("LLM_BASE_URL", "must be set when LLM_MODEL is, such as https://api.example.com/v1")


def price(name: str) -> int | None:
    """Dollars per million tokens as whole micro-dollars; None where the setting is empty."""
    value = text(name)
    try:
        microusd = Decimal(value) * 10**6 if value else None
    except InvalidOperation as error:
        raise refuse(name, "must be dollars per million tokens, such as 0.15") from error
    if microusd is None:
        return None
    if not microusd.is_finite() or not 0 <= microusd <= 1000 * 10**6 or microusd % 1:
        raise refuse(name, "must be between 0 and 1000 dollars, with at most six decimals")
    return int(microusd)


# What the three settings' model costs; a kind that is not named here may be set on /operator/providers/.
LLM_PRICES_MICROUSD = {
    kind: microusd
    for kind in ("input", "cached", "output", "reasoning")
    if (microusd := price(f"LLM_PRICE_{kind.upper()}")) is not None
}
# How many calls may repeat others that brought nothing, of a hundred first ones (`scoring.providers.retries`).
RETRY_PERCENT = whole_number("RETRY_PERCENT", 10, most=100)
# How many of a hundred blocks carry a paper of ours whose score is known (`scoring.canaries`).
CANARY_PERCENT = whole_number("CANARY_PERCENT", 100, most=100)
# Networks (CIDR, comma separated) that a provider's address may lie in although they are private.
LLM_PRIVATE_ADDRESSES = texts("LLM_PRIVATE_ADDRESSES")
for _network in LLM_PRIVATE_ADDRESSES:
    try:
        ipaddress.ip_network(_network)
    except ValueError as error:
        raise refuse("LLM_PRIVATE_ADDRESSES", f"{_network!r} is no network like 10.0.0.0/8") from error
INSTANCE_DAILY_TOKENS = whole_number("INSTANCE_DAILY_TOKENS", 2_000_000)
DEFAULT_TEAM_DAILY_TOKENS = whole_number("DEFAULT_TEAM_DAILY_TOKENS", 1_000_000)
DEFAULT_MEMBER_DAILY_TOKENS = whole_number("DEFAULT_MEMBER_DAILY_TOKENS", 250_000)

# --- arXiv -----------------------------------------------------------------------------------------

ARXIV_OAI_URL = web_address("ARXIV_OAI_URL", "https://oaipmh.arxiv.org/oai")
ARXIV_RSS_URL = web_address("ARXIV_RSS_URL", "https://rss.arxiv.org/rss").rstrip("/")
ARXIV_API_URL = web_address("ARXIV_API_URL", "https://export.arxiv.org/api/query")
# Empty: no list page is read. Its totals are compared with the feed's, and what only it names is fetched.
ARXIV_LIST_URL = web_address("ARXIV_LIST_URL", "").rstrip("/")
ARXIV_PACE_SECONDS = seconds("ARXIV_PACE_SECONDS", 3.0)
ARXIV_CONTACT = one_line("ARXIV_CONTACT")
OFFLINE = yes_or_no("OFFLINE", False)

# --- words and clocks ------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
INSTANCE_TIME_ZONE = text("INSTANCE_TIME_ZONE", "UTC")
if INSTANCE_TIME_ZONE not in zoneinfo.available_timezones():
    raise refuse("INSTANCE_TIME_ZONE", f"must be a name like Europe/Berlin, not {INSTANCE_TIME_ZONE!r}")

# --- the API ---------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "profiles.api.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "EXCEPTION_HANDLER": "scoring.api.doors.answer_error",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Broadsheet",
    "DESCRIPTION": "A daily paper of arXiv for every researcher.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- what it says of itself ------------------------------------------------------------------------

# One line an event, as key=value, on standard error; request and task ids ride along.
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared_processors,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                mask_secrets,
                structlog.processors.LogfmtRenderer(
                    key_order=["timestamp", "level", "logger", "event"], bool_as_flag=False
                ),
            ],
            "foreign_pre_chain": _shared_processors,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Django's own would mail each error to ADMINS with what was posted: readers' private words among it.
    "loggers": {"django": {"handlers": []}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
