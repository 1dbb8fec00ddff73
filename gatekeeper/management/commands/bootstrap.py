"""A real installation, from an empty PostgreSQL to the first four people; can be run again."""

from __future__ import annotations

from typing import Any

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.arguments import text
from audit.seal.checkpoints import Keys
from gatekeeper.installation import connection_budget, roles
from gatekeeper.settings import environment
from staff.frame.names import is_readable
from staff.frame.reasons import words_of
from staff.models import Member, Role
from staff.sign_in import invitations

FOUNDERS = 2  # of each: what takes a second person must be possible from the first day

BACK_UP = """
Back up, apart from each other:
  1. the database ({database}): it holds ciphertext only;
  2. the key ring (GATEKEEPER_KEY_RING): whoever holds it and the database reads everything, and
     without it nothing can ever be read again. Never in one place with the database's backups;
  3. the log's key (GATEKEEPER_LOG_KEY): whoever holds it can sign another log;
  4. the other secrets (GATEKEEPER_SECRET_KEY, _TICKETS_SECRET, _ACCOUNTS_SECRET, the links).
The web processes get neither GATEKEEPER_DATABASE_URL_SETUP, _MIGRATOR, _PEOPLE, _WATCH, _SEALER nor
GATEKEEPER_LOG_KEY: with these they refuse to start. The last two are for manage.py seal_log --every 5,
which always runs, _WATCH for manage.py detect --every 60, which does too.
"""
PUBLISH = """
The log's public key is no secret. Publish it, and give it to every other process as GATEKEEPER_LOG_VERIFIER:
  {key}
"""


class Command(BaseCommand):
    help = (
        "Makes roles, database, tables and the first people; can be run again. It reads every link: those in"
        " web.env, migrator.env, people.env, watch.env, sealer.env and setup.env."
    )
    requires_system_checks = ()  # there may be no database to check yet

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--roles-only",
            action="store_true",
            help="make the roles and their right to connect, and nothing else: before an upgrade's migrate",
        )
        for role in ("people", "administrator"):
            parser.add_argument(
                f"--{role}",
                nargs=3,
                type=text,
                action="append",
                default=[],
                metavar=("NUMBER", "NAME", "EMAIL"),
                help=f"a first {Role(role).label}; given twice",
            )

    def handle(self, *_args: Any, **options: Any) -> None:
        links = self._links()
        self._cluster(links)
        if options["roles_only"]:
            return
        call_command("migrate", verbosity=0, interactive=False)
        call_command("apply_settings", verbosity=0)
        self.stdout.write("Tables, functions and limits are up to date.")
        for role in ("people", "administrator"):
            self._found(role, options[role])
        self.stdout.write(BACK_UP.format(database=links["WEB"]["dbname"]))
        if settings.LOG_KEY:
            self.stdout.write(PUBLISH.format(key=Keys.read(settings.LOG_VERIFIER).newest))

    def _links(self) -> dict[str, dict[str, str]]:
        """Return the parts of all links. Raises CommandError where they do not fit together."""
        links = {}
        for name in ("SETUP", *roles.LINKS):
            parts = environment.database(f"DATABASE_URL_{name}")
            if parts is None:
                raise CommandError(f"bootstrap needs GATEKEEPER_DATABASE_URL_{name}.")
            links[name] = parts
        for name, role in roles.LINKS.items():
            if links[name]["user"] != role:
                raise CommandError(f"GATEKEEPER_DATABASE_URL_{name} is not for the role {role}.")
        if len({links[name]["dbname"] for name in roles.LINKS}) != 1:
            raise CommandError("The links name different databases.")
        return links

    def _cluster(self, links: dict[str, dict[str, str]]) -> None:
        """Make roles and database, with the passwords that the links carry, and none where they carry none:
        a role may have given itself one, and so may whoever spoke as it."""
        passwords = {
            role: links[name].get("password")
            for name, role in roles.LINKS.items()
            if "passfile" not in links[name]
        }
        setup_url = environment.text("DATABASE_URL_SETUP")
        try:
            with psycopg.connect(setup_url, autocommit=True) as setup:
                roles.create_roles(setup, passwords, connection_budget.limits(settings.PROCESSES))
            made = roles.create_database(setup_url, links["WEB"]["dbname"])
        except psycopg.Error as error:
            raise CommandError(f"The setup connection failed: {error}") from None
        self.stdout.write(f"Roles are up to date; the database {'was made' if made else 'is there'}.")

    def _found(self, role: str, people: list[list[str]]) -> None:
        """Found the first members with a role, by one-time links; named again, they get a new link.

        Two of each and no more: a bootstrap that is run later makes nobody else an officer.
        """
        known = set(Member.objects.filter(roles__contains=[role]).values_list("number", flat=True))
        fresh = {number for number, _name, _email in people} - known
        if len(known) + len(fresh) < FOUNDERS or (fresh and len(known) + len(fresh) > FOUNDERS):
            raise CommandError(
                f"{Role(role).label}: {len(known)} there, {len(fresh)} named; {FOUNDERS} are founded,"
                f" each by --{role} NUMBER NAME EMAIL. More are added by a people officer."
            )
        for number, name, email in people:
            if not is_readable(name):
                raise CommandError(
                    f"{number}: a name has letters, and no signs that are unseen or turn the text."
                )
            try:
                path = invitations.found(number, name, email, role)
            except invitations.InvitationError as error:
                why = words_of(str(error))
                raise CommandError(f"{Role(role).label} {number} was not founded. {why}") from None
            link = f"one-time link: {settings.SITE_URL}{path}" if path else "has signed in already"
            self.stdout.write(f"{Role(role).label} {number}: {link}")
