"""`migrate`, by default as the migrator: no other role may create anything."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="migrator")

    def handle(self, *args: Any, **options: Any) -> None:
        if "migrator" not in settings.DATABASES:
            raise CommandError("Migrations need GATEKEEPER_DATABASE_URL_MIGRATOR.")
        super().handle(*args, **options)
