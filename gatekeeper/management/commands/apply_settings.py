"""Writes the limits that SQL decides with from the settings to their table."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.context import command_source
from audit.database import call
from audit.models import Limit
from gatekeeper.installation.checks import limits_wanted

MIGRATOR = "migrator"


class Command(BaseCommand):
    help = "Writes the limits in the settings to the database, as the migrator, and records what changed."

    def handle(self, *_args: Any, **options: Any) -> None:
        if MIGRATOR not in settings.DATABASES:
            raise CommandError("apply_settings needs GATEKEEPER_DATABASE_URL_MIGRATOR.")
        wanted = limits_wanted()
        with transaction.atomic(using=MIGRATOR):
            limits = Limit.objects.using(MIGRATOR)
            changed = _changed(dict(limits.values_list("name", "value")), wanted)
            limits.exclude(name__in=wanted).delete()
            for name, value in wanted.items():
                limits.update_or_create(name=name, defaults={"value": value})
            if changed:
                facts = {"source": command_source("apply_settings"), "details": {"limits": changed}}
                call("audit.write_entry", event="change", outcome="allowed", facts=facts, using=MIGRATOR)
        if options["verbosity"]:
            self.stdout.write(f"{len(wanted)} limits written.")


def _changed(stand: dict[str, str], wanted: dict[str, str]) -> dict[str, list[str | None]]:
    """Each limit that is to be another: as it stands, and as it is to be."""
    names = sorted(stand.keys() | wanted.keys())
    return {
        name: [stand.get(name), wanted.get(name)] for name in names if stand.get(name) != wanted.get(name)
    }
