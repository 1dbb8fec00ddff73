"""`make demo`: database, roles, migrations, sample data and server, all of its own and all kept.

    python -m gatekeeper.demo                      run it
    python -m gatekeeper.demo code K-0193          a member's current one-time code
    python -m gatekeeper.demo ticket ZD-1 solved   the helpdesk says so, in a real signed request
    python -m gatekeeper.demo reset                delete all of it

The launcher holds the setup connection and the migrator's; the web processes that it starts get
neither.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence

import django
import psycopg
from django.core.management import call_command

from audit.seal.checkpoints import Signer
from gatekeeper.demo.codes import unused_code
from gatekeeper.demo.helpdesk import send_ticket, what_became
from gatekeeper.demo.home import LOG_ORIGIN, PROJECT, Home
from gatekeeper.demo.parent import die_with_parent
from gatekeeper.demo.ports import free_port, wait_until_it_answers, wanted_port
from gatekeeper.demo.postgres import Server
from gatekeeper.demo.saying import columns, damage, fail, say
from gatekeeper.installation import connection_budget, roles
from gatekeeper.installation.environment import Environment

DATABASE = "gatekeeper"


class Demo:
    """One demo's folder, its secrets and its database."""

    def __init__(self) -> None:
        self.home = Home(os.environ.get("GATEKEEPER_DATA_DIR", ""))
        self.server = Server(self.home.postgres)

    # Environment

    def environment(self, port: int, *links: str) -> dict[str, str]:
        """Return the settings of the demo, with these links beside those of every process."""
        made = self.home.secrets()
        seals = "SEALER" in links
        settings = {
            "MODE": "demo",
            "DATA_DIR": str(self.home.folder),
            "SITE_URL": f"http://localhost:{port}",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "TICKET_FEED_MAX_AGE_MINUTES": "0",  # the sample helpdesk sends no heartbeat
            "HELPDESK_TICKET_URL": os.environ.get("GATEKEEPER_HELPDESK_TICKET_URL", ""),
        }
        settings |= {name: value for name, value in made.items() if name.isupper() and name != "LOG_KEY"}
        settings["LOG_ORIGIN"] = LOG_ORIGIN
        settings["LOG_VERIFIER"] = str(Signer(LOG_ORIGIN, made["LOG_KEY"]).key)
        if seals:
            settings |= {"LOG_KEY": made["LOG_KEY"], "LOG_ANCHORS": f"directory:{self.home.checkpoints}"}
        for name in (*roles.SERVING, *links):
            role = roles.LINKS[name]
            settings[f"DATABASE_URL_{name}"] = self.server.url(role, made[role], DATABASE)
        return {f"GATEKEEPER_{name}": value for name, value in settings.items()}

    def load_django(self, port: int, *links: str) -> None:
        """Start Django in this process, with the demo's settings and nobody else's; links as above."""
        for name in [name for name in os.environ if name.startswith("GATEKEEPER_")]:
            del os.environ[name]
        os.environ.update(self.environment(port, *links))
        os.environ["DJANGO_SETTINGS_MODULE"] = "gatekeeper.settings"
        django.setup()

    # Run

    def run(self) -> None:
        """Start everything, say how to use it, and serve until we are told to stop."""
        wanted = wanted_port(os.environ.get("PORT", ""))
        self.home.take()
        if not self.server.cluster.exists():
            self.home.loaded.unlink(missing_ok=True)  # of a database that is gone
        self.server.start()
        try:
            port = free_port(wanted)
            rows = self._prepare(port)
            self._serve(port, rows)
        finally:
            self.home.forget_port()
            self.server.stop()

    def _prepare(self, port: int) -> list[Sequence[str]]:
        """Bring the database up to date, load the samples once, and return who can sign in."""
        made = self.home.secrets()
        with self._setup() as setup:
            limits = connection_budget.limits(Environment(self.environment(port)).processes())
            roles.create_roles(setup, {role: made[role] for role in roles.LOGIN}, limits)
        roles.create_database(self.server.setup_url(), DATABASE)
        self.load_django(port, "MIGRATOR", "PEOPLE", "WATCH")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("apply_settings", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        # Only now: models can be imported once Django has its settings.
        demo_data = importlib.import_module("gatekeeper.demo.people")
        if not self.home.loaded.exists():
            say("Loading the sample people, accounts and tickets …")
            demo_data.load()
            self.home.loaded.touch()
        return list(demo_data.sign_in_table())

    def _setup(self) -> psycopg.Connection:
        """Return the superuser's connection; ends the process where their password is no longer taken."""
        try:
            return psycopg.connect(self.server.setup_url(), autocommit=True)
        except psycopg.OperationalError as error:
            fail(damage(self.server.home, f"its database does not let us in ({str(error).strip()})"))

    def _serve(self, port: int, rows: Iterable[Sequence[str]]) -> None:
        web, sealer = self._start_web(port), self._start_sealer(port)
        variables = self.environment(port, "WATCH")
        rules = self._start("manage.py", "detect", "--every", "30", variables=variables)
        try:
            wait_until_it_answers(web, port)
            self.home.keep_port(port)
            say(self.welcome(port, rows))
            if web.wait() != 0:
                fail("The web server stopped by itself; its messages stand above.")
        finally:
            for process in (web, sealer, rules):
                process.terminate()
                process.wait()

    def _start_web(self, port: int) -> subprocess.Popen[bytes]:
        return self._start(
            *("-m", "gunicorn", "--config", "python:gatekeeper.installation.gunicorn"),
            *("--bind", f"127.0.0.1:{port}", "--log-level", "warning"),
            variables=self.environment(port),
        )

    def _start_sealer(self, port: int) -> subprocess.Popen[bytes]:
        """The log's sealer, which alone has the signing key; copies of checkpoints lie beside the data."""
        self.home.checkpoints.mkdir(exist_ok=True)
        variables = self.environment(port, "SEALER")
        return self._start("manage.py", "seal_log", "--every", "5", variables=variables)

    def _start(self, *command: str, variables: dict[str, str]) -> subprocess.Popen[bytes]:
        """A process of the demo, with these settings and nobody else's."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return subprocess.Popen(  # noqa: S603 - our own arguments, no shell
            [sys.executable, *command],
            cwd=PROJECT,
            env=kept | variables,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours: first the web server stops, then the database
            preexec_fn=die_with_parent(signal.SIGTERM),
        )

    def welcome(self, port: int, rows: Iterable[Sequence[str]]) -> str:
        """Return what the terminal shows once the demo runs; `rows`: who can sign in, and how."""
        return "\n".join(
            [
                "",
                f"  Gatekeeper's demo: http://localhost:{port}",
                "",
                *columns(rows),
                "",
                "  In another terminal:",
                "    make code MEMBER=K-0193                     a current one-time code",
                "    make ticket NUMBER=ZD-10401 STATE=solved    what the helpdesk would send",
                "",
                f"  Data: {self.home.folder}"
                + (f" and {self.server.home}" if self.server.home.parent != self.home.folder else ""),
                "  They are kept. To start over: make demo-reset",
                "  To stop: Ctrl-C",
            ]
        )

    # Beside a running demo

    def join(self) -> int:
        """Start Django beside the demo that runs, and return its port."""
        port = self.home.port() if self.server.is_running else None
        if port is None:
            fail("The demo does not run. Start it in another terminal: make demo")
        self.load_django(port)
        return port

    def code(self, number: str) -> None:
        """Print a member's one-time code that will still be taken; waits where it was used."""
        self.join()
        say(unused_code(number))

    def ticket(self, number: str, state: str) -> None:
        """Tell the application a ticket's new state, as the helpdesk does."""
        port = self.join()
        answer = send_ticket(port, self.home.secrets()["TICKETS_SECRET"], number, state)
        say(what_became(number, state, answer))

    def reset(self) -> None:
        """Delete what a demo made, and nothing else; refuses while it runs, and where none was."""
        if self.server.is_running:
            fail("The demo runs. Stop it first (Ctrl-C in its terminal).")
        if not self.home.is_a_demos:
            fail(f"There is no demo in {self.home.folder}: nothing was deleted.")
        self.server.remove()
        self.home.remove()
        if self.home.folder.exists():
            say(f"What no demo made was left in {self.home.folder}.")
        say("The demo's data are gone. make demo starts afresh.")


def main(arguments: Sequence[str]) -> None:
    """Carry out one of the four commands in the module's docstring."""
    # Both stop us through every `finally`; a shell's background job would ignore the second.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    demo = Demo()
    match list(arguments):
        case []:
            demo.run()
        case ["code", number]:
            demo.code(number.upper())
        case ["ticket", number, state]:
            demo.ticket(number.upper(), state)
        case ["reset"]:
            demo.reset()
        case _:
            fail(str(__doc__))
