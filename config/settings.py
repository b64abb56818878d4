"""Settings of the site. What differs between machines comes from the environment or `.env`; see `.env.example`."""

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from config import environment as env
from config import tasks
from config.admin_settings import UNFOLD as UNFOLD
from config.api_settings import REST_FRAMEWORK as REST_FRAMEWORK
from config.api_settings import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS

BASE_DIR = env.BASE_DIR
VAR_DIR = BASE_DIR / "var"
_web = env.web()  # config.server's own; a wrong one is said with the others

# --- Who may talk to the site -----------------------------------------------------------------------------------------

DEBUG = env.boolean("DEBUG", default=False)


def _secret_key() -> str:
    key = env.text("SECRET_KEY")
    path = env.path("SECRET_KEY_FILE", VAR_DIR / "secret_key")
    if not key and path.is_file():
        key = path.read_text().strip()
    if not key and not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set: give at least 50 random characters, or a file with them in SECRET_KEY_FILE "
            "(`make setup` writes var/secret_key)."
        )
    return key or "only-for-development-" * 3


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.listing("CSRF_TRUSTED_ORIGINS")
for _origin in CSRF_TRUSTED_ORIGINS:
    if not _origin.startswith(("https://", "http://")):
        raise ImproperlyConfigured(f"CSRF_TRUSTED_ORIGINS must hold https://… origins, not {_origin!r}.")

# HTTPS=true is the one switch of a public site; `manage.py check --deploy` is clean with it.
HTTPS = env.boolean("HTTPS", default=False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # machines ask over plain HTTP
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", default=31_536_000, minimum=0) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.boolean("HSTS_INCLUDE_SUBDOMAINS", default=True)
SECURE_HSTS_PRELOAD = env.boolean("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = [
    "security.W021",  # a browsers' preload list is for the owner of the whole domain to choose
    "auth.W004",  # e-mails are unique by `email_key`, which is what log-in looks up
    "models.W036",  # allauth's conditional constraints, which MariaDB lacks; its forms and ours look first
]
BEHIND_PROXY = env.boolean("BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "config.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"

# --- Parts ------------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "hijack",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "config",
    "accounts",
    "webhooks",
    "catalog",
    "classifier",
    "demo",
]

MIDDLEWARE = [
    "config.measuring.MeasuringMiddleware",
    "config.access_log.AccessLogMiddleware",
    "config.middleware.CacheControlMiddleware",
    "config.middleware.ProgramsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActiveMerchantMiddleware",
    "accounts.api_rates.RateLimitMiddleware",
    "accounts.impersonation.ImpersonationMiddleware",
    "accounts.page_of.PageOfMiddleware",
    "accounts.devices.DeviceMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "catalog.middleware.OtherMerchantMiddleware",
    "config.bodies.BodyMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

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
                "django.template.context_processors.i18n",
                "accounts.context_processors.active_merchant",
            ],
        },
    },
]

# --- State ------------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'otjang.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Only the counts of the API's calls and of log-ins use them. Several web processes share the first one by CACHE_URL.
CACHES = {
    "default": env.cache("CACHE_URL"),
    # A full cache forgets, and so would free accounts. Nothing else fills this one, and it holds more (35 MB). Where
    # processes share the first one, that counts attempts as well (accounts.attempts).
    "login-attempts": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "login-attempts",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# Uploads are never served from here: a view checks who asks.
MEDIA_ROOT = env.path("MEDIA_ROOT", VAR_DIR / "media")
STATIC_URL = "static/"
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
# After `STATIC_COLLECTED=true manage.py collectstatic`: hashed names, compressed, cached for ever.
STATIC_COLLECTED = env.boolean("STATIC_COLLECTED", default=False)
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = env.path("STATIC_ROOT", BASE_DIR / "staticfiles") if STATIC_COLLECTED else None
STORAGES = {
    "default": env.media_storage("MEDIA_STORAGE"),
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_COLLECTED
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# A caller who may see an image is sent on to the bucket, with a URL that is good for a while: the web process, which
# streams files otherwise, then waits for no storage.
MEDIA_SIGNED_URLS = env.boolean("MEDIA_SIGNED_URLS", default=False)
if MEDIA_SIGNED_URLS and "OPTIONS" not in STORAGES["default"]:
    raise ImproperlyConfigured("MEDIA_SIGNED_URLS needs MEDIA_STORAGE=s3://…; files of this machine have no URLs.")

# --- People -----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.permissions.PermissionsAtOnce", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
OTJANG_LOGIN_ATTEMPTS = env.integer("OTJANG_LOGIN_ATTEMPTS", default=10)
OTJANG_SIGN_UP = env.boolean("OTJANG_SIGN_UP", default=False)
OTJANG_INVITATION_DAYS = env.integer("OTJANG_INVITATION_DAYS", default=7)
OTJANG_CLOSING_DAYS = env.integer("OTJANG_CLOSING_DAYS", default=30)
LOGIN_URL = "accounts:login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:login"

# Staff who work as a member: accounts.impersonation. The pages have a banner of their own.
HIJACK_PERMISSION_CHECK = "accounts.impersonation.may_impersonate"
HIJACK_INSERT_BEFORE = None
# The parts of allauth that the portal shows are listed in accounts/entrance.py.
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody shall have us write to strangers
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # of who signs up; others come by a link in a mail, or count as confirmed
ACCOUNT_FORMS = {
    "add_email": "accounts.entrance_forms.NewAddressForm",
    "reauthenticate": "accounts.entrance_forms.PasswordAgainForm",
    "reset_password": "accounts.entrance_forms.ResetForm",
    "signup": "accounts.entrance_forms.SignUpForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
MFA_ADAPTER = "accounts.adapter.SecondStepAdapter"
MFA_FORMS = {
    "authenticate": "accounts.entrance_forms.CodeForm",
    "reauthenticate": "accounts.entrance_forms.CodeAgainForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Otjang"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS  # browsers allow it at localhost only

# --- Mail -------------------------------------------------------------------------------------------------------------

# smtp://user:password@host:587/?tls=true; without one, mails are written to the web process's output.
EMAIL_BACKEND, _smtp = env.mail("EMAIL_URL")
EMAIL_HOST, EMAIL_PORT = _smtp.host, _smtp.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _smtp.user, _smtp.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _smtp.tls, _smtp.ssl
EMAIL_TIMEOUT = 10  # seconds; somebody waits for the page
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Otjang <otjang@localhost>")

# --- Language and time ------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.time_zone("TIME_ZONE", "Asia/Seoul")
USE_TZ = True

# --- Uploads and the classification of them ---------------------------------------------------------------------------

WEIGHTS_DIR = env.path("WEIGHTS", BASE_DIR / "weights")
PRECISION = env.choice("PRECISION", "auto", "int8", "bf16", "f32")
OTJANG_MAX_UPLOAD_BYTES = env.integer("OTJANG_MAX_UPLOAD_BYTES", default=25 * 1024 * 1024)
OTJANG_MAX_IMAGES_PER_PRODUCT = env.integer("OTJANG_MAX_IMAGES_PER_PRODUCT", default=50)
OTJANG_MAX_IMAGE_PIXELS = env.integer("OTJANG_MAX_IMAGE_PIXELS", default=100_000_000)
# Pillow opens these whole, at 4 and 16 bytes per pixel: what the web process can hold is the limit. JPEG comes reduced.
OTJANG_MAX_PNG_PIXELS = env.integer("OTJANG_MAX_PNG_PIXELS", default=40_000_000)
OTJANG_MAX_WEBP_PIXELS = env.integer("OTJANG_MAX_WEBP_PIXELS", default=13_000_000)
OTJANG_WORKER_NICENESS = env.integer("OTJANG_WORKER_NICENESS", default=5, minimum=0, maximum=19)
OTJANG_LEASE_SECONDS = env.integer("OTJANG_LEASE_SECONDS", default=15, minimum=3)
OTJANG_MAX_JOB_SECONDS = env.integer("OTJANG_MAX_JOB_SECONDS", default=120)
OTJANG_MAX_ATTEMPTS = env.integer("OTJANG_MAX_ATTEMPTS", default=3)
OTJANG_CLASSIFY_BATCH = env.integer("OTJANG_CLASSIFY_BATCH", default=8)
OTJANG_BULK_FROM = env.integer("OTJANG_BULK_FROM", default=50)
OTJANG_READY_QUEUE_SECONDS = env.integer("OTJANG_READY_QUEUE_SECONDS", default=900, minimum=0)
OTJANG_TOP_CATEGORY_THRESHOLD = env.fraction("OTJANG_TOP_CATEGORY_THRESHOLD", default=0.85)
# Of one request to classify images without storing them, and of what waits of one merchant.
OTJANG_CLASSIFY_MAX_IMAGES = env.integer("OTJANG_CLASSIFY_MAX_IMAGES", default=32)
OTJANG_CLASSIFY_MAX_BYTES = env.integer("OTJANG_CLASSIFY_MAX_BYTES", default=100 * 1024 * 1024)
OTJANG_CLASSIFY_MAX_OPEN = env.integer("OTJANG_CLASSIFY_MAX_OPEN", default=20)
# With its images and its result it is forgotten after this, and in the storage not more than half a minute later.
OTJANG_CLASSIFY_KEEP_SECONDS = env.integer("OTJANG_CLASSIFY_KEEP_SECONDS", default=570, minimum=10, maximum=570)
OTJANG_SAMPLE_SHARE = env.fraction("OTJANG_SAMPLE_SHARE", default=0.05)

OTJANG_MAX_MODEL_BYTES = env.integer("OTJANG_MAX_MODEL_BYTES", default=500 * 1024 * 1024)
# Of one import of products: what is sent in all, its table, and what its ZIP file may come to.
OTJANG_IMPORT_MAX_BYTES = env.integer("OTJANG_IMPORT_MAX_BYTES", default=4 * 1024**3)
OTJANG_IMPORT_MAX_TABLE_BYTES = env.integer("OTJANG_IMPORT_MAX_TABLE_BYTES", default=200 * 1024 * 1024)
OTJANG_IMPORT_MAX_LINES = env.integer("OTJANG_IMPORT_MAX_LINES", default=1_000_000)
OTJANG_IMPORT_MAX_ENTRIES = env.integer("OTJANG_IMPORT_MAX_ENTRIES", default=50_000)
OTJANG_IMPORT_MAX_UNZIPPED_BYTES = env.integer("OTJANG_IMPORT_MAX_UNZIPPED_BYTES", default=8 * 1024**3)
OTJANG_PREDICTION_RETENTION_DAYS = env.integer("OTJANG_PREDICTION_RETENTION_DAYS", default=90)

# Hosts, addresses and networks that webhooks and images by URL may reach though they are not public.
OTJANG_OUTGOING_ALLOWED = env.listing("OTJANG_OUTGOING_ALLOWED")
OTJANG_FETCH_THREADS = env.integer("OTJANG_FETCH_THREADS", default=2)
OTJANG_FETCH_SECONDS = env.integer("OTJANG_FETCH_SECONDS", default=30)
OTJANG_WEBHOOK_THREADS = env.integer("OTJANG_WEBHOOK_THREADS", default=4)
OTJANG_WEBHOOK_SECONDS = env.integer("OTJANG_WEBHOOK_SECONDS", default=10)
OTJANG_WEBHOOK_FAILING_HOURS = env.integer("OTJANG_WEBHOOK_FAILING_HOURS", default=72)
OTJANG_WEBHOOK_RETENTION_DAYS = env.integer("OTJANG_WEBHOOK_RETENTION_DAYS", default=30)

# Of a form or JSON; uploads are judged by `config.limits`.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20
# One image too many must reach our own refusal, which names the limit, not Django's bare 400.
DATA_UPLOAD_MAX_NUMBER_FILES = 5 * OTJANG_MAX_IMAGES_PER_PRODUCT
# The admin's page for confirming sends each chosen row as a field: core.admin.base.MAX_CHOSEN of them, and a few.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_500
# Larger files go to a temporary file at once: fifty images at a time must not fill the web process's memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
# On a disk of this machine. What a killed process leaves there is deleted after a day.
FILE_UPLOAD_TEMP_DIR = env.path("UPLOAD_TEMP_DIR", VAR_DIR / "uploads_tmp")

# `manage.py worker` is the worker of both backends. Another one would leave images waiting, or load the networks in the
# web process.
_backend = env.choice("TASKS_BACKEND", tasks.DATABASE, tasks.CELERY)
TASKS = {"default": tasks.backend(_backend, env.text("CELERY_BROKER_URL"))}
OTJANG_TASK_SECONDS = tasks.seconds(_backend)
OTJANG_WORKER_QUEUES = tasks.worker_queues(env.listing("OTJANG_WORKER_QUEUES", "interactive,bulk"))

# Callers of the API who wait for a worker's answer, each in a thread of the web process; others are told to come again.
OTJANG_WAITING_CALLERS = env.integer("OTJANG_WAITING_CALLERS", default=max(1, _web.threads // 2), minimum=0)

# --- API --------------------------------------------------------------------------------------------------------------

API_RATE = env.rate("API_RATE", "1200/min")
API_MERCHANT_RATE = env.rate("API_MERCHANT_RATE", f"{5 * int(API_RATE.split('/')[0])}/{API_RATE.split('/')[1]}")
API_ANONYMOUS_RATE = env.rate("API_ANONYMOUS_RATE", "60/min")
# What may come in for one merchant on one day through the API; 0 is without a limit. The admin has one by merchant.
OTJANG_DAILY_IMAGES = env.integer("OTJANG_DAILY_IMAGES", default=100_000, minimum=0)
OTJANG_DAILY_BYTES = env.integer("OTJANG_DAILY_BYTES", default=200 * 1024**3, minimum=0)

# --- Logging ----------------------------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
    raise ImproperlyConfigured(f"LOG_LEVEL must be DEBUG, INFO, WARNING, ERROR or CRITICAL, not {LOG_LEVEL!r}.")
LOG_FORMAT = env.choice("LOG_FORMAT", "line", "json")
# A line for each request.
ACCESS_LOG = env.boolean("ACCESS_LOG", default=LOG_FORMAT == "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "core.logs.Lines"}, "json": {"()": "core.logs.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        name: {"handlers": ["stderr"], "level": LOG_LEVEL, "propagate": False}
        for name in ("django", "accounts", "catalog", "classifier", "config", "core", "otjang", "webhooks")
    },
}

# --- Watching: nothing of it is on, or installed, unless asked for ----------------------------------------------------

# Figures for Prometheus at /metrics: for who shows the token, or, without one, for programs of this machine.
METRICS = env.boolean("METRICS", default=False)
METRICS_TOKEN = env.text("METRICS_TOKEN")
# Where all processes of a machine count together; the client reads the variable itself.
METRICS_DIR = env.text("PROMETHEUS_MULTIPROC_DIR")
# A worker has no pages: it shows its figures at a port of its own, if at all.
METRICS_WORKER_ADDRESS = env.text("METRICS_WORKER_ADDRESS") or "127.0.0.1"
METRICS_WORKER_PORT = env.integer("METRICS_WORKER_PORT", default=0, minimum=0, maximum=65535)
if METRICS:
    env.require("METRICS", "prometheus_client")

# OpenTelemetry, whose other variables (OTEL_…) its SDK reads itself.
OTEL_EXPORTER_OTLP_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT")
if OTEL_EXPORTER_OTLP_ENDPOINT:
    env.require("OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry.exporter.otlp.proto.http")

SENTRY_DSN = env.text("SENTRY_DSN")
SENTRY_ENVIRONMENT = env.text("SENTRY_ENVIRONMENT") or "production"
if SENTRY_DSN:
    env.require("SENTRY_DSN", "sentry_sdk")
