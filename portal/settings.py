"""Every setting, typed, from the environment or a `.env` file beside manage.py; `.env.example` explains each."""

import logging
import os
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _
from kombu.entity import Queue

from portal.environment import Environment
from portal.kit.postgres import TimedConnection
from portal.logs import configure

BASE_DIR = Path(__file__).resolve().parent.parent

TESTING = False

env = Environment()
env.read_env(os.environ.get("DOTENV_PATH", BASE_DIR / ".env"), overwrite=False)

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

FACE_VALUES: list[int] = env.list("FACE_VALUES", cast=int, default=[50, 100, 200])
OIL_FACE_VALUES: list[int] = env.list("OIL_FACE_VALUES", cast=int, default=[500])
OIL_SPEEDS: list[int] = env.list("OIL_SPEEDS", cast=int, default=[0])
"""0 slow, 1 fast. The platform's document says to send 0 for now."""

WIKEYUN_MAX_RPS: float = env.float("WIKEYUN_MAX_RPS", default=0)
"""Pushes and queries a second that all workers together may send; 0: as many as they can."""

# --- what holds spending back; 0 switches a limit off ---------------------------------------------------------
APPROVAL_ABOVE: int = env.int("APPROVAL_ABOVE", default=0)
"""Yuan of one order, or of one batch, above which a second person has to approve it."""
DAILY_LIMIT: int = env.int("DAILY_LIMIT", default=0)
"""Yuan that may be queued on one day in Shanghai."""
DAILY_LIMIT_PER_PERSON: int = env.int("DAILY_LIMIT_PER_PERSON", default=0)
BALANCE_FLOOR: int = env.int("BALANCE_FLOOR", default=0)
BALANCE_MAX_AGE: float = env.float("BALANCE_MAX_AGE", default=180)
"""Yuan of balance at the platform below which batches stop by themselves."""
BATCH_CANARY: int = env.int("BATCH_CANARY", default=3)
"""How many orders of a batch go ahead and have to be accepted before the others follow."""
BRAKE_REJECTIONS: int = env.int("BRAKE_REJECTIONS", default=5)
"""So many refusals in a row stop a batch."""
BRAKE_UNKNOWNS: int = env.int("BRAKE_UNKNOWNS", default=10)
"""So many of a batch's latest 20 orders not known to have arrived stop it."""

FIELD_ENCRYPTION_KEYS: list[str] = env.list("FIELD_ENCRYPTION_KEYS", default=[])
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")

# --- Django -------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "recharge.apps.RechargeConfig",
    "oilcards.apps.OilcardsConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
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
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.web.middleware.refresh_when_signed_out",
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
    for name in ("orders", "batches", "checks", "sweeps")
]
CELERY_TASK_DEFAULT_QUEUE = "orders"
CELERY_TASK_ROUTES = {
    "recharge.tasks.submit_order": {"queue": "orders"},
    "recharge.tasks.submit_batches": {"queue": "batches"},
    "recharge.tasks.check_order": {"queue": "checks"},
    "recharge.tasks.check_due_orders": {"queue": "checks"},
    "recharge.tasks.refresh_balance": {"queue": "checks"},
    "recharge.tasks.check_books": {"queue": "checks"},
    "recharge.tasks.sweep": {"queue": "sweeps"},
}
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "recharge.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": 60},
    },
    "check-books": {
        "task": "recharge.tasks.check_books",
        "schedule": 600.0,
        "options": {"expires": 600},
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
SESSION_COOKIE_AGE = 12 * 60 * 60  # one working day
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
