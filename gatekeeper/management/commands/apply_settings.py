"""Writes the limits that SQL decides with from the settings to their table."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from gatekeeper.checks import limits_wanted
from gatekeeper.models import Limit


class Command(BaseCommand):
    help = "Writes the limits in the settings to the database, as the migrator."

    def handle(self, *_args: Any, **options: Any) -> None:
        if "migrator" not in settings.DATABASES:
            raise CommandError("apply_settings needs GATEKEEPER_DATABASE_URL_MIGRATOR.")
        wanted = limits_wanted()
        with transaction.atomic(using="migrator"):
            limits = Limit.objects.using("migrator")
            limits.exclude(name__in=wanted).delete()
            for name, value in wanted.items():
                limits.update_or_create(name=name, defaults={"value": value})
        if options["verbosity"]:
            self.stdout.write(f"{len(wanted)} limits written.")
