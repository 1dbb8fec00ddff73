"""Django's settings, from the environment alone (gatekeeper.installation.environment: table and refusals)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import csp.constants as csp
from django.utils.translation import gettext_lazy as _

from gatekeeper.installation import databases
from gatekeeper.installation.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent

environment = Environment(os.environ)
MODE = environment.mode
IN_PRODUCTION = environment.in_production
DEBUG = environment.debug()
SECRET_KEY = environment.secret_key()
DATA_DIR = BASE_DIR / environment.text("DATA_DIR")

# Who we are

SITE_URL = environment.site_url()
ALLOWED_HOSTS = environment.hosts()
TRUSTED_PROXIES = environment.trusted_proxies()
FORWARDED_HEADER = environment.forwarded_header()
PROCESSES = environment.processes()
SERVES = environment.serves()
HELPDESK_TICKET_URL = environment.helpdesk_url()
TICKET_STATES = environment.ticket_states()
KEY_RING = environment.key_ring()
TICKETS_SECRET = environment.webhook_secret("TICKETS_SECRET")
ACCOUNTS_SECRET = environment.webhook_secret("ACCOUNTS_SECRET")
COMPANY = environment.text("COMPANY")
SEAL = environment.seal()
TRUST_ROOTS = environment.trust_roots()
LOG_ORIGIN = environment.log_origin()
LOG_KEY = environment.log_key()
LOG_VERIFIER = environment.log_verifier()
LOG_ANCHORS = environment.log_anchors()
SIEM_TARGET = environment.siem_target()
SIEM_TOKEN = environment.text("SIEM_TOKEN")
SIEM_ROOTS = environment.siem_roots()

# Every limit by its key; apply_settings writes those that SQL decides by to the database, a check compares.
LIMITS = environment.limits()

# What is flagged in the log: the rules, and their thresholds that differ from the rules' own

DETECTION_RULES = ["audit.detections.known.RULES", "gatekeeper.reviews.rules.RULES"]
DETECTION_THRESHOLDS = environment.detection_thresholds()
TEAM_HOURS = environment.team_hours()

# What we are made of

INSTALLED_APPS = [
    "gatekeeper",
    "staff",
    "audit",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "guardian",
    "django_otp",
    "django_otp_webauthn",
    "auditlog",
    "django_htmx",
    "heroicons",
    "csp",
]

MIDDLEWARE = [
    "gatekeeper.serving.middleware.TrustedProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "gatekeeper.serving.middleware.OnlyWhatIsServedMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gatekeeper.serving.middleware.NoStoreMiddleware",
    "gatekeeper.serving.middleware.PolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "gatekeeper.serving.middleware.OnlyWhenAskedMiddleware",
    "gatekeeper.serving.middleware.ReadableMiddleware",
    "staff.session.middleware.SessionCookieMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    # The member with their factor and language, the log's facts, and only then whoever may answer or
    # record.
    "staff.session.middleware.MemberMiddleware",
    "staff.session.middleware.LanguageMiddleware",
    "gatekeeper.serving.middleware.NotAllowedMiddleware",
    "audit.middleware.AuditMiddleware",
    "staff.session.middleware.SessionGuardMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "gatekeeper.urls"
WSGI_APPLICATION = "gatekeeper.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gatekeeper.pages.layout.context",
            ],
        },
    },
]

DATABASES = databases.settings(environment)
DATABASE_ROUTERS = ["gatekeeper.installation.routers.Router"]

# Nothing is ever cached: an answer counts at the moment it is given, and only then.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# Members, passwords, second factors, sessions

AUTH_USER_MODEL = "staff.Member"
AUTHENTICATION_BACKENDS = [
    "staff.sign_in.backends.PasswordBackend",
    "gatekeeper.gate.backends.GateBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"

SESSION_ENGINE = "staff.session.sessions"
SESSION_COOKIE_NAME = "__Host-sessionid"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = LIMITS["session_hours"] * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_NAME = "__Host-csrftoken"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "staff.session.resending.csrf_failed"
CSRF_COOKIE_AGE = None  # with the browser's session
MESSAGE_STORAGE = "staff.session.notices.Storage"

# Passkeys: a second factor, never a way in by itself

OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False
OTP_WEBAUTHN_RP_ID = urlsplit(SITE_URL).hostname
OTP_WEBAUTHN_RP_NAME = "Gatekeeper"
OTP_WEBAUTHN_ALLOWED_ORIGINS = [SITE_URL]
OTP_WEBAUTHN_HELPER_CLASS = "staff.sign_in.passkeys.Ceremony"
OTP_WEBAUTHN_EXCEPTION_LOGGER_NAME = ""  # a refused ceremony is an entry, not a line with a stack

# guardian says who holds a row; it decides nothing, and is nobody's backend

GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_MONKEY_PATCH_GROUP = False
ANONYMOUS_USER_NAME = None

# auditlog, with our entry; its own table must not come into being

AUDITLOG_LOGENTRY_MODEL = "audit.Entry"
AUDITLOG_MASK_CALLABLE = "audit.masking.drop"
AUDITLOG_STORE_JSON_CHANGES = True
MIGRATION_MODULES = {"auditlog": None}

# Transport and browser

SECURE_SSL_REDIRECT = IN_PRODUCTION
# TrustedProxyMiddleware drops the header unless a trusted proxy sent it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
# 'no-referrer' would also blank the Origin that the CSRF check reads.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        "script-src": [csp.SELF],
        "style-src": [csp.SELF],
        "img-src": [csp.SELF],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "form-action": [csp.SELF],
        "frame-ancestors": [csp.NONE],
        "base-uri": [csp.NONE],
        "object-src": [csp.NONE],
    },
}

SILENCED_SYSTEM_CHECKS = [
    "guardian.W001",  # guardian's backend would open the gate by its row alone
    "security.W021",  # preloading binds the whole domain: its owner decides, not this application
]

# Languages, dates, files

USE_TZ = True
TIME_ZONE = environment.time_zone()
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("pl", _("Polish"))]
FORMAT_MODULE_PATH = ["gatekeeper.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static" if MODE == "demo" else BASE_DIR / "staticfiles"
# Tests need no collected files; everybody else serves hashed names with a manifest.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if MODE == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE == "test"

# Mail: none unless a server is named

_mail = environment.mail_server()
EMAIL_BACKEND = "staff.frame.smtp.EmailBackend" if _mail else "django.core.mail.backends.dummy.EmailBackend"
EMAIL_HOST = _mail.host if _mail else ""
EMAIL_PORT = _mail.port if _mail else 25
EMAIL_HOST_USER = _mail.user if _mail else ""
EMAIL_HOST_PASSWORD = _mail.password if _mail else ""
EMAIL_USE_SSL = _mail is not None and _mail.tls == "implicit"
# The connection is given up where the server offers none: nothing is sent in clear.
EMAIL_USE_TLS = _mail is not None and _mail.tls == "starttls"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = SERVER_EMAIL = environment.mail_from()

# The process' own log: to standard error, without values

DEFAULT_EXCEPTION_REPORTER = "gatekeeper.serving.redaction.RedactingReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "gatekeeper.serving.redaction.RedactingReporterFilter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"silent": {"()": "gatekeeper.serving.redaction.RedactingFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "silent"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # Django's own defaults would mail errors, with what they hold, and print twice.
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
