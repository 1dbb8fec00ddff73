"""The environment's table: refusals at start, files for secrets, and the installation README's copy of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import Error
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import transaction

from audit.database import call
from audit.models import Entry, Limit
from gatekeeper.installation.checks import limits_applied
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.setting import PREFIX
from gatekeeper.installation.settings_table import SETTINGS, table
from tests import readme
from tests.world.variables import GOOD, ROOT, SOCKET


def start(changes: dict[str, str | None]) -> subprocess.CompletedProcess[str]:
    """Start the settings in a process of their own, in production, with the changes."""
    variables = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_is_clean() -> None:
    ended = start({})
    assert ended.returncode == 0, ended.stderr


def test_secrets_may_lie_in_files(tmp_path: Path) -> None:
    changes: dict[str, str | None] = {}
    for name in [setting.variable for setting in SETTINGS if setting.secret]:
        if name in GOOD:
            (tmp_path / name).write_text(GOOD[name] + "\n")
            changes |= {name: None, f"{name}_FILE": str(tmp_path / name)}
    ended = start(changes)
    assert ended.returncode == 0, ended.stderr


REFUSED: list[tuple[str, str | None, str]] = [
    # variable, value, what the message says
    *((name, None, "is missing") for name in GOOD),
    *((name, "", "is missing") for name in GOOD),
    ("GATEKEEPER_SECRET_KEY", "changeme" * 8, "placeholder"),
    ("GATEKEEPER_SECRET_KEY", "django-insecure-" + 5 * "Qw3rTy7uI9", "placeholder"),
    ("GATEKEEPER_SECRET_KEY", "short", "too short"),
    ("GATEKEEPER_SECRET_KEY", "ab" * 40, "too plain"),
    ("GATEKEEPER_KEY_RING", "k1:<base64 of 32 bytes>", "placeholder"),
    ("GATEKEEPER_KEY_RING", "k1:c2hvcnQ=", "32 bytes"),
    ("GATEKEEPER_TICKETS_SECRET", "whsec_c2hvcnQ=", "whsec_"),
    ("GATEKEEPER_ACCOUNTS_SECRET", 5 * "Qw3rTy7uI9", "whsec_"),
    ("GATEKEEPER_DEBUG", "yes", "DEBUG"),
    ("GATEKEEPER_MODE", "development", "MODE"),
    ("GATEKEEPER_SITE_URL", "http://gatekeeper.test", "https"),
    ("GATEKEEPER_SITE_URL", "https://gatekeeper.example.com", "placeholder"),
    ("GATEKEEPER_ALLOWED_HOSTS", "*", "any host"),
    ("GATEKEEPER_TIME_ZONE", "Mars/Olympus", "time zone"),
    ("GATEKEEPER_SESSION_HOURS", "twelve", "whole number within its bounds"),
    ("GATEKEEPER_HELPDESK_TICKET_URL", "https://helpdesk.test/tickets", "{number}"),
    ("GATEKEEPER_HELPDESK_TICKET_URL", "javascript:alert({number})", "https"),
    # Links that somebody else can read, or answer.
    ("GATEKEEPER_DATABASE_URL_WEB", "postgresql://w:hidden@db.test/g", "verify-full"),
    ("GATEKEEPER_DATABASE_URL_WEB", "postgresql://w:hidden@db.test/g?sslmode=require", "verify-full"),
    ("GATEKEEPER_DATABASE_URL_VAULT", "postgresql://w:hidden@127.0.0.1/g", "verify-full"),
    ("GATEKEEPER_DATABASE_URL_VAULT", "postgresql://w:hidden@/g", "verify-full"),
    ("GATEKEEPER_DATABASE_URL_VAULT", f"postgresql://w:hidden@/g?{SOCKET},db.test", "verify-full"),
    (
        "GATEKEEPER_DATABASE_URL_VAULT",
        f"postgresql://w:hidden@/g?{SOCKET}&hostaddr=10.0.0.1",
        "verify-full",
    ),
    ("GATEKEEPER_DATABASE_URL_MIGRATOR", "postgresql://w:hidden@db.test/g", "verify-full"),
    ("GATEKEEPER_DATABASE_URL_WEB", f"postgresql://@/?{SOCKET}", "lacks the role"),
    ("GATEKEEPER_DATABASE_URL_WEB", "mysql://hidden", "no PostgreSQL address"),
]


@pytest.mark.parametrize(("name", "value", "said"), REFUSED)
def test_refuses_and_names_the_setting(name: str, value: str | None, said: str) -> None:
    """Each refusal names variable and next step, and repeats no value."""
    variables = GOOD | ({} if value is None else {name: value})
    if value is None:
        del variables[name]
    with pytest.raises(ImproperlyConfigured) as refusal:
        read_all(variables)
    assert name in str(refusal.value)
    assert said in str(refusal.value)
    assert "gatekeeper/installation/README.md, 'Settings'" in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def read_all(variables: dict[str, str]) -> None:
    """Read all that gatekeeper.settings reads."""
    environment = Environment(variables)
    environment.secret_key()
    environment.key_ring()
    environment.debug()
    environment.site_url()
    environment.hosts()
    environment.time_zone()
    environment.helpdesk_url()
    environment.limits()
    for setting in SETTINGS:
        match setting.kind:
            case "database":
                environment.database(setting.name)
            case "webhook":
                environment.webhook_secret(setting.name)
            case _:
                environment.text(setting.name)


def test_production_does_not_start_on_a_refusal() -> None:
    ended = start({"GATEKEEPER_KEY_RING": None})
    assert ended.returncode != 0
    assert "GATEKEEPER_KEY_RING" in ended.stderr


def test_a_verified_server_is_accepted() -> None:
    url = "postgresql://w:p@db.test/g?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    parts = Environment({**GOOD, "GATEKEEPER_DATABASE_URL_WEB": url}).database("DATABASE_URL_WEB")
    assert parts is not None
    assert parts["sslrootcert"] == "/etc/ca.pem"


def test_readme_prints_the_table() -> None:
    assert readme.stands("settings") == table()


def test_every_variable_read_stands_in_the_table() -> None:
    known = {setting.variable for setting in SETTINGS}
    known |= {PREFIX + setting.formerly for setting in SETTINGS if setting.formerly}
    for path in (ROOT / "gatekeeper").rglob("*.py"):
        named = set(re.findall(r"\bGATEKEEPER_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
        assert {name.removesuffix("_FILE") for name in named} <= known | {"GATEKEEPER_DATABASE_URL"}, path


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_limits_differ_from_the_settings() -> None:
    """SQL decides by the table: the check sees a changed, a missing and a foreign row."""
    assert limits_applied(databases=["default"]) == []
    limits = Limit.objects.using("migrator")
    with transaction.atomic(using="migrator"):
        limits.filter(name="session_hours").update(value="13")
        limits.filter(name="time_zone").delete()
        limits.create(name="foreign", value="1")
        facts = {"source": "tests", "details": {"limits": {}}}
        call("audit.write_entry", event="change", outcome="allowed", facts=facts, using="migrator")
    (found,) = limits_applied(databases=["default"])
    assert isinstance(found, Error)
    assert found.id == "gatekeeper.E002"
    assert "foreign, session_hours, time_zone" in found.msg
    call_command("apply_settings", verbosity=0)
    assert limits_applied(databases=["default"]) == []
    _, entry = Entry.objects.order_by("id")  # what access rests on does not change unrecorded
    assert (entry.event, entry.source.partition(" ")[0]) == ("change", "apply_settings")
    assert entry.details == {
        "limits": {
            "foreign": ["1", None],
            "session_hours": ["13", str(settings.LIMITS["session_hours"])],
            "time_zone": [None, "Europe/Vilnius"],
        }
    }
    call_command("apply_settings", verbosity=0)
    assert Entry.objects.count() == 2


def test_nothing_is_cached_and_cookies_are_bound_to_the_host() -> None:
    assert settings.CACHES["default"]["BACKEND"].endswith("DummyCache")
    for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME):
        assert name.startswith("__Host-")


def test_a_setting_answers_to_its_former_name_for_one_release() -> None:
    before = Environment({**GOOD, "GATEKEEPER_ODD_THRESHOLDS": "refusals.count=8"})
    assert before.detection_thresholds() == {"refusals": {"count": 8}}
    both = {"GATEKEEPER_ODD_THRESHOLDS": "refusals.count=8", "GATEKEEPER_DETECTION_THRESHOLDS": ""}
    assert Environment({**GOOD, **both}).detection_thresholds() == {}
    silent = Environment({**GOOD, "GATEKEEPER_TICKET_FEED_MAX_AGE": "7"})
    assert silent.limits()["ticket_feed_max_age_minutes"] == 7
