"""Every setting, typed, from the environment or a `.env` file beside manage.py; `.env.example` explains each."""

import datetime as dt
import logging
import os
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from kombu.entity import Queue

from portal.environment import Environment, forget_if_empty
from portal.kit.postgres import TimedConnection
from portal.logs import configure

BASE_DIR = Path(__file__).resolve().parent.parent

TESTING = False

env = Environment()
env.read_env(os.environ.get("DOTENV_PATH") or BASE_DIR / ".env", overwrite=False)
forget_if_empty("PROMETHEUS_MULTIPROC_DIR")

# --- who we are ---------------------------------------------------------------------------------------------
DEFAULT_SECRET_KEY = "for-trying-out-only-checks-refuse-it-when-DEBUG-is-off"  # noqa: S105  (refused by checks.py)
SECRET_KEY: str = env.str("SECRET_KEY", default=DEFAULT_SECRET_KEY)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
DEBUG: bool = env.bool("DEBUG", default=True)
PUBLIC_URL: str = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(PUBLIC_URL).hostname or "localhost", "localhost", "127.0.0.1"]
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])

# --- the platform -------------------------------------------------------------------------------------------
WIKEYUN_BASE_URL: str = env.str("WIKEYUN_BASE_URL", default="https://router.wikeyun.cn/rest/")
WIKEYUN_APP_KEY: str = env.str("WIKEYUN_APP_KEY", default="")
WIKEYUN_APP_SECRET: str = env.str("WIKEYUN_APP_SECRET", default="")
WIKEYUN_STORE_ID: str = env.str("WIKEYUN_STORE_ID", default="")
WIKEYUN_CLIENT_IP: str = env.str("WIKEYUN_CLIENT_IP", default="127.0.0.1")
WIKEYUN_TIMEOUT: float = env.float("WIKEYUN_TIMEOUT", default=30.0)
"""Seconds that one exchange with the platform may take in all."""
WIKEYUN_LEAVE_OUT: list[str] = env.list("WIKEYUN_LEAVE_OUT", default=[])
"""System parameters, `client` or `format`, that are neither sent nor signed."""

FACE_VALUES: list[int] = env.list("FACE_VALUES", cast=int, default=[50, 100, 200])
OIL_FACE_VALUES: list[int] = env.list("OIL_FACE_VALUES", cast=int, default=[500])
OIL_SPEEDS: list[int] = env.list("OIL_SPEEDS", cast=int, default=[0])
"""0 slow, 1 fast. The platform's document says to send 0 for now."""

WIKEYUN_MAX_RPS: float = env.float("WIKEYUN_MAX_RPS", default=0)
"""Pushes and queries a second that all workers together may send; 0: as many as they can."""

NUMBER_INFO: bool = env.bool("NUMBER_INFO", default=False)
"""Whether the platform is asked for carriers and region of numbers before they are topped up. [pub]"""
NUMBER_VERIFY: bool = env.bool("NUMBER_VERIFY", default=False)
"""Whether the platform is asked if numbers may be topped up by the value that is wanted. [pub]"""
NUMBER_ANSWER_DAYS: int = env.int("NUMBER_ANSWER_DAYS", default=7)
"""Days for which these answers are used; then they are deleted."""
NUMBER_ASKS_PER_SECOND: float = env.float("NUMBER_ASKS_PER_SECOND", default=5)
"""How many numbers of lists the platform is asked about a second, within WIKEYUN_MAX_RPS."""

# --- what holds spending back; 0 switches a limit off ---------------------------------------------------------
APPROVAL_ABOVE: int = env.int("APPROVAL_ABOVE", default=0)
"""Yuan of one order, or of one batch, above which a second person has to approve it."""
DAILY_LIMIT: int = env.int("DAILY_LIMIT", default=0)
"""Yuan that may be queued on one day in Shanghai."""
DAILY_LIMIT_PER_PERSON: int = env.int("DAILY_LIMIT_PER_PERSON", default=0)
BALANCE_FLOOR: int = env.int("BALANCE_FLOOR", default=0)
"""Yuan of balance at the platform below which batches stop by themselves."""
BALANCE_MAX_AGE: float = env.float("BALANCE_MAX_AGE", default=180)
"""Seconds after which a balance counts as unknown."""
BATCH_CANARY: int = env.int("BATCH_CANARY", default=3)
"""How many orders of a batch go ahead and have to be accepted before the others follow."""
BRAKE_REJECTIONS: int = env.int("BRAKE_REJECTIONS", default=5)
"""So many refusals in a row stop a batch."""
BRAKE_UNKNOWNS: int = env.int("BRAKE_UNKNOWNS", default=10)
"""So many of a batch's latest 20 orders not known to have arrived stop it."""

SLOW_PURPOSE_REQUIRED: bool = env.bool("SLOW_PURPOSE_REQUIRED", default=False)
"""Whether a slow order needs a purpose."""
SLOW_REFERENCE_REQUIRED: bool = env.bool("SLOW_REFERENCE_REQUIRED", default=False)
"""Whether a slow order needs the customer's reference."""
SLOW_LIMIT_PER_NUMBER: int = env.int("SLOW_LIMIT_PER_NUMBER", default=0)
"""Yuan that one number may get by slow orders within 24 hours."""
SLOW_GUARD_CARDS: bool = env.bool("SLOW_GUARD_CARDS", default=False)
"""Whether all three hold for oil cards, too, whose orders are always slow."""

# --- what needs a person --------------------------------------------------------------------------------------
DESK_UNKNOWN_CALM_FOR = dt.timedelta(minutes=env.int("DESK_UNKNOWN_CALM_MINUTES", default=30))
"""How long an unknown order doesn't count as urgent."""
DESK_REFUND_CALM_FOR = dt.timedelta(hours=env.int("DESK_REFUND_CALM_HOURS", default=24))
"""How long a refund that is owed doesn't count as urgent."""
DECLARE_AFTER_HOURS: int = env.int("DECLARE_AFTER_HOURS", default=24)
"""Hours after the hand-over from which on two persons may declare that an order never arrived."""
ONE_WITNESS_AFTER = dt.timedelta(hours=env.int("ONE_WITNESS_AFTER_HOURS", default=24))
"""After what time a success or refund that only a callback told of is marked; 0: never."""

# --- who is told -------------------------------------------------------------------------------------------
ALERT_URLS: list[str] = env.list("ALERT_URLS", default=[])
"""Channels in apprise's notation: wecombot://, dingtalk://, feishu://, lark://, mailtos://, jsons://."""
ALERT_PLATFORM_DOWN_SECONDS: float = env.float("ALERT_PLATFORM_DOWN_SECONDS", default=120)
"""Seconds without an answer of the platform after which an alert is raised, and orders wait until it answers."""
ALERT_BACKUP_HOURS: float = env.float("ALERT_BACKUP_HOURS", default=48)
ALERT_CALLBACKS_SILENT: int = env.int("ALERT_CALLBACKS_SILENT", default=5)
ALERT_CALLBACKS_OF: int = env.int("ALERT_CALLBACKS_OF", default=10)
"""Alert when this many of so many latest finished orders had no callback; 0: never."""
ALERT_BALANCE_YUAN: float = env.float("ALERT_BALANCE_YUAN", default=BALANCE_FLOOR)
"""Yuan of balance at the platform below which an alert is raised; 0: never."""
ALERT_RUNWAY_HOURS: float = env.float("ALERT_RUNWAY_HOURS", default=4)
"""Hours for which the balance lasts at the rate of today."""
ALERT_APPROVAL_MINUTES: float = env.float("ALERT_APPROVAL_MINUTES", default=30)
ALERT_REFUND_DAYS: float = env.float("ALERT_REFUND_DAYS", default=7)
ALERT_CASES: float = env.float("ALERT_CASES", default=1)
"""Urgent cases on the desk from which on an alert is raised."""
ALERT_WRONG_PASSWORDS: float = env.float("ALERT_WRONG_PASSWORDS", default=5)
"""Wrong passwords of one person within 15 minutes from which on an alert is raised; 0: never."""
ALERT_FIXED: frozenset[str] = frozenset(name for name in dir() if name.startswith("ALERT_") and env.names(name))
"""The thresholds that the environment names: nobody changes these in the browser."""
ALERT_SECONDS: float = env.float("ALERT_SECONDS", default=5)
"""Seconds between two looks at what the portal rings for."""
HEARTBEAT_URL: str = env.str("HEARTBEAT_URL", default="")
"""Called every minute while the portal's parts work: the service behind it alerts when the calls stop."""

FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")

# --- Django -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "recharge.apps.RechargeConfig",
    "oilcards.apps.OilcardsConfig",
    "portal.accounts.apps.AccountsConfig",  # above Django's accounts, two commands of which it stands for
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth.account",  # the others need it; none of its pages has an address
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",  # nor any of its; see portal/accounts/outside
    "allauth.socialaccount.providers.dingtalk",
    "allauth.socialaccount.providers.feishu",
    "allauth.socialaccount.providers.openid_connect",
    "django_tables2",
    "django_filters",
    "django_htmx",
    "csp",
    "django_structlog",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "portal.web.middleware.language_from_cookie",
    "django.middleware.common.CommonMiddleware",
    "portal.web.bodies.LimitBodies",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "portal.accounts.sessions.keep_out_of_caches",
    "portal.accounts.sessions.end_sessions",
    "portal.accounts.sessions.SignInRequired",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.web.middleware.refresh_when_signed_out",
    "allauth.account.middleware.AccountMiddleware",
    "portal.accounts.gate.hold_back",
    "portal.web.middleware.OrderNumberInLogs",
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
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.portal",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "portal.templatetags.portal",
                "recharge.templatetags.orders",
                "oilcards.templatetags.cards",
            ],
        },
    }
]
DJANGO_TABLES2_TEMPLATE = "django_tables2/bootstrap5-responsive.html"
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# --- second factors; see portal/accounts --------------------------------------------------------------------
MFA_REQUIRED: str = env.str("MFA_REQUIRED", default="approvers")
"""Who must have a second factor: approvers (and administrators), all, or, while trying out, none."""
MFA_FRESH_MINUTES: float = env.float("MFA_FRESH_MINUTES", default=15)
"""Minutes for which a second factor that was shown is good for approvals and the like."""
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)
"""How many web servers stand in front and write X-Forwarded-For; 0: the header is not believed."""
MFA_ADAPTER = "portal.accounts.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_REAUTHENTICATION_REQUIRED = False  # asked for by portal/accounts/factors.py
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1  # clocks of telephones are half a minute off
ACCOUNT_ADAPTER = "portal.accounts.adapters.AccountAdapter"
ACCOUNT_RATE_LIMITS = False  # allauth counts in each process by itself; portal/accounts/tries.py in the database
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# --- sign-in by an account elsewhere; off where the settings of a provider are empty; see portal/accounts/outside -----
DINGTALK_APP_KEY: str = env.str("DINGTALK_APP_KEY", default="")
DINGTALK_APP_SECRET: str = env.str("DINGTALK_APP_SECRET", default="")
FEISHU_APP_ID: str = env.str("FEISHU_APP_ID", default="")
FEISHU_APP_SECRET: str = env.str("FEISHU_APP_SECRET", default="")
OIDC_ISSUER: str = env.str("OIDC_ISSUER", default="")
"""The address of an OpenID Connect server, below which its /.well-known/openid-configuration stands."""
OIDC_CLIENT_ID: str = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET: str = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME: str = env.str("OIDC_NAME", default="OpenID Connect")
"""What that server is called on the screens."""
SOCIALACCOUNT_ADAPTER = "portal.accounts.outside.exchange.OutsideAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_AUTO_SIGNUP = False

# --- database -----------------------------------------------------------------------------------------------
DATABASE_POOL_SIZE: int = env.int("DATABASE_POOL_SIZE", default=20)
GENERATION_FILE: Path = BASE_DIR / env.str("GENERATION_FILE", default="portal.generation")
"""Beside PostgreSQL under `manage.py serve`: what tells a restored database from the one that was running."""
DATABASE_TIMEOUT: float = env.float("DATABASE_TIMEOUT", default=60)
"""Seconds for which an answer of PostgreSQL is waited for; 0, as with the commands of manage.py: for ever."""
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "transaction_mode": "IMMEDIATE",  # a writer that starts as a reader can be refused half-way
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 30, "connection_class": TimedConnection},
        "connect_timeout": 5,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }

SILENCED_SYSTEM_CHECKS = ["models.W040"]  # SQLite leaves the covering columns of an index out; nothing is lost

# --- background work ----------------------------------------------------------------------------------------
CELERY_BROKER_URL: str = env.str("CELERY_BROKER_URL", default="memory://")
EMBEDDED: bool = CELERY_BROKER_URL.startswith("memory://")
SERVE_THREADS: int = env.int("SERVE_THREADS", default=8)
"""How many single orders `manage.py serve` hands to the platform at the same time."""
BATCH_LANES: int = env.int("BATCH_LANES", default=SERVE_THREADS if EMBEDDED else 32)
"""How many orders of batches all workers together hand over at the same time."""
CHECK_LANES: int = env.int("CHECK_LANES", default=max(2, SERVE_THREADS // 2) if EMBEDDED else 16)
"""How many queries all workers together have under way."""
SWEEP_SECONDS: float = env.float("SWEEP_SECONDS", default=2.0)

CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 3
CELERY_BROKER_HEARTBEAT = 20
_seldom = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.5}
if EMBEDDED:
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {"polling_interval": 0.02}
elif CELERY_BROKER_URL.startswith("amqp"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"read_timeout": 10, "write_timeout": 10, **_seldom}
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "socket_connect_timeout": 3,
        "socket_timeout": 10,  # longer than the second for which a worker lets Redis wait for a message
        "socket_keepalive": True,
        "health_check_interval": 25,
        **_seldom,
    }
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False  # a lost task is sent again by the sweep; a task that runs twice does nothing
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# Each kind of work has a queue of its own, so that none waits behind another. A worker without -Q serves them all.
CELERY_TASK_QUEUES = [
    Queue(name)  # type: ignore[no-untyped-call]  # kombu has no types
    for name in ("orders", "batches", "checks", "sweeps", "alerts")
]
CELERY_TASK_DEFAULT_QUEUE = "orders"
CELERY_TASK_ROUTES = {
    "recharge.tasks.submit_order": {"queue": "orders"},
    "recharge.tasks.submit_batches": {"queue": "batches"},
    "recharge.tasks.check_order": {"queue": "checks"},
    "recharge.tasks.check_due_orders": {"queue": "checks"},
    "recharge.tasks.refresh_balance": {"queue": "checks"},
    "recharge.tasks.check_books": {"queue": "checks"},
    "recharge.tasks.check_platform": {"queue": "checks"},
    "recharge.tasks.sweep": {"queue": "sweeps"},
    "recharge.tasks.assemble_batches": {"queue": "sweeps"},
    "recharge.tasks.apply_readings": {"queue": "sweeps"},
    "recharge.tasks.judge_lists": {"queue": "sweeps"},
    "recharge.tasks.check_numbers": {"queue": "sweeps"},
    "recharge.tasks.probe_platform": {"queue": "sweeps"},
    "recharge.tasks.ring_alerts": {"queue": "alerts"},
    "recharge.tasks.look_at_web": {"queue": "alerts"},
    "recharge.tasks.call_heartbeat": {"queue": "alerts"},
}
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "recharge.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": 60},
    },
    "ring-alerts": {
        "task": "recharge.tasks.ring_alerts",
        "schedule": ALERT_SECONDS,
        "options": {"expires": 60},
    },
    "look-at-web": {
        "task": "recharge.tasks.look_at_web",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "call-heartbeat": {
        "task": "recharge.tasks.call_heartbeat",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "check-books": {
        "task": "recharge.tasks.check_books",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "check-platform": {
        "task": "recharge.tasks.check_platform",  # does nothing but once a day, and when it was asked for
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "refresh-balance": {
        "task": "recharge.tasks.refresh_balance",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}

# Only the overview caches something, for a minute; each process for itself, so that no page depends on Redis.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- language, time, assets ---------------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG

# --- security -----------------------------------------------------------------------------------------------
_https = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _https
SESSION_IDLE_MINUTES: float = env.float("SESSION_IDLE_MINUTES", default=30)
SESSION_HOURS: float = env.float("SESSION_HOURS", default=12)
SESSION_COOKIE_AGE = int(
    (SESSION_HOURS + 24) * 60 * 60
)  # so that the code that ends a session can still read whose it was
SECURE_SSL_REDIRECT = _https and not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if _https and not DEBUG else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https and not DEBUG
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024  # a hundred thousand pasted lines; forms are held smaller, see bodies.py
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
    }
}
CSRF_FAILURE_VIEW = "portal.views.csrf_failure"

# --- logs: JSON lines in production, readable ones while trying out; see portal/logs.py -------------------------
LOGGING = configure(json_lines=not DEBUG)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG  # the sweep alone would fill the log; failures are shown
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # the line at the end of a request says all of it again
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = "pk"
