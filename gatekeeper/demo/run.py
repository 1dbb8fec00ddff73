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
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import django
import psycopg
from django.core.management import call_command
from standardwebhooks.webhooks import Webhook

from audit.seal.checkpoints import Signer
from gatekeeper.demo.codes import unused_code
from gatekeeper.demo.helpdesk import ticket_message, what_became
from gatekeeper.demo.ports import free_port, wait_until_it_answers, wanted_port
from gatekeeper.demo.postgres import Server, die_with_parent
from gatekeeper.demo.saying import columns, fail, say
from gatekeeper.installation import connection_budget, generate, roles
from gatekeeper.installation.environment import Environment

PROJECT = Path(__file__).resolve().parents[2]
DATABASE = "gatekeeper"
LOG_ORIGIN = "localhost/log"
USUAL = ".gatekeeper-demo"
#: What the demo puts into its folder, beside its secrets, which mark the folder as its own.
MADE = ("postgres", "checkpoints", "static", "loaded", "port", "secrets.new")


class Demo:
    """One demo's folder, its secrets and its database."""

    def __init__(self) -> None:
        self.home = home_of(os.environ.get("GATEKEEPER_DATA_DIR", ""))
        self.server = Server(self.home / "postgres")
        self._port_file = self.home / "port"
        self._secrets_file = self.home / "secrets.json"
        self._checkpoints = self.home.absolute() / "checkpoints"

    # Secrets and environment

    def secrets(self) -> dict[str, str]:
        """Return the demo's secrets, made once and kept in a file that only we read."""
        path = self._secrets_file
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        makers: dict[str, Callable[[], str]] = {
            "SECRET_KEY": generate.secret_key,
            "KEY_RING": generate.key_ring,
            "SEAL": generate.seal,
            "TICKETS_SECRET": generate.webhook_secret,
            "ACCOUNTS_SECRET": generate.webhook_secret,
            "LOG_KEY": generate.log_key,
        } | dict.fromkeys(roles.LOGIN, generate.password)
        if makers.keys() <= kept.keys():
            return kept
        self._make_home()
        # A version that asks for one secret more keeps those that there are.
        made = {name: kept.get(name) or make() for name, make in makers.items()}
        unfinished = path.with_suffix(".new")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(made))
        unfinished.replace(path)
        return made

    def environment(self, port: int, *links: str) -> dict[str, str]:
        """Return the settings of the demo, with these links beside those of every process."""
        made = self.secrets()
        seals = "SEALER" in links
        settings = {
            "MODE": "demo",
            "DATA_DIR": str(self.home),
            "SITE_URL": f"http://localhost:{port}",
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "TICKET_FEED_MAX_AGE": "0",  # the sample helpdesk sends no heartbeat
            "HELPDESK_TICKET_URL": os.environ.get("GATEKEEPER_HELPDESK_TICKET_URL", ""),
        }
        settings |= {name: value for name, value in made.items() if name.isupper() and name != "LOG_KEY"}
        settings["LOG_ORIGIN"] = LOG_ORIGIN
        settings["LOG_VERIFIER"] = str(Signer(LOG_ORIGIN, made["LOG_KEY"]).key)
        if seals:
            settings |= {"LOG_KEY": made["LOG_KEY"], "LOG_ANCHORS": f"directory:{self._checkpoints}"}
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
        self._must_be_ours()
        self.secrets()
        self.server.start()
        try:
            port = free_port(wanted)
            rows = self._prepare(port)
            self._serve(port, rows)
        finally:
            self._port_file.unlink(missing_ok=True)
            self.server.stop()

    def _prepare(self, port: int) -> list[Sequence[str]]:
        """Bring the database up to date, load the samples once, and return who can sign in."""
        made = self.secrets()
        with psycopg.connect(self.server.setup_url(), autocommit=True) as setup:
            limits = connection_budget.limits(Environment(self.environment(port)).processes())
            roles.create_roles(setup, {role: made[role] for role in roles.LOGIN}, limits)
        roles.create_database(self.server.setup_url(), DATABASE)
        self.load_django(port, "MIGRATOR", "PEOPLE", "WATCH")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("apply_settings", verbosity=0)
        call_command("collectstatic", verbosity=0, interactive=False)
        # Only now: models can be imported once Django has its settings.
        demo_data = importlib.import_module("gatekeeper.demo.people")
        loaded = self.home / "loaded"
        if not loaded.exists():
            say("Loading the sample people, accounts and tickets …")
            demo_data.load()
            loaded.touch()
        return list(demo_data.sign_in_table())

    def _serve(self, port: int, rows: Iterable[Sequence[str]]) -> None:
        web, sealer = self._start_web(port), self._start_sealer(port)
        variables = self.environment(port, "WATCH")
        rules = self._start("manage.py", "detect", "--every", "30", variables=variables)
        try:
            wait_until_it_answers(web, port)
            self._port_file.write_text(str(port))
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
        self._checkpoints.mkdir(exist_ok=True)
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
                f"  Data: {self.home}"
                + (f" and {self.server.home}" if self.server.home.parent != self.home else ""),
                "  They are kept. To start over: make demo-reset",
                "  To stop: Ctrl-C",
            ]
        )

    # Beside a running demo

    def join(self) -> int:
        """Start Django beside the demo that runs, and return its port."""
        if not self._port_file.exists() or not self.server.is_running:
            fail("The demo does not run. Start it in another terminal: make demo")
        port = int(self._port_file.read_text())
        self.load_django(port)
        return port

    def code(self, number: str) -> None:
        """Print a member's one-time code that will still be taken; waits where it was used."""
        self.join()
        say(unused_code(number))

    def ticket(self, number: str, state: str) -> None:
        """Tell the application a ticket's new state, as the helpdesk does."""
        port = self.join()
        body = json.dumps(ticket_message(number, state))
        moment = datetime.now(UTC)
        message_id = f"msg_{secrets.token_hex(12)}"
        webhook = Webhook(self.secrets()["TICKETS_SECRET"])
        connection = HTTPConnection("localhost", port, timeout=30)
        connection.request(
            "POST",
            "/api/tickets",
            body,
            {
                "Content-Type": "application/json",
                "webhook-id": message_id,
                "webhook-timestamp": str(int(moment.timestamp())),
                "webhook-signature": webhook.sign(message_id, moment, body),
            },
        )
        answer = connection.getresponse()
        said = answer.read().decode()
        if answer.status >= 300:
            fail(f"The application refused: {answer.status} {said}")
        say(what_became(number, state, said))

    def reset(self) -> None:
        """Delete what a demo made, and nothing else; refuses while it runs, and where none was."""
        if self.server.is_running:
            fail("The demo runs. Stop it first (Ctrl-C in its terminal).")
        if not self._secrets_file.exists():
            fail(f"There is no demo in {self.home}: nothing was deleted.")
        self.server.remove()
        for name in (*MADE, self._secrets_file.name):  # the mark goes last
            path = self.home / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        if any(self.home.iterdir()):
            say(f"What no demo made was left in {self.home}.")
        else:
            self.home.rmdir()
        say("The demo's data are gone. make demo starts afresh.")

    def _make_home(self) -> None:
        """The server's user passes through the folder to its own, and reads nothing in it."""
        try:
            self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        except OSError as error:
            fail(f"GATEKEEPER_DATA_DIR: {self.home} cannot be made ({error.strerror}). Name another folder.")

    def _must_be_ours(self) -> None:
        """Stop where the folder holds what no demo made: a reset would stand between it and the owner."""
        if self.home.is_dir() and any(self.home.iterdir()) and not self._secrets_file.exists():
            fail(f"GATEKEEPER_DATA_DIR: {self.home} holds other things. Name a folder of the demo's own.")


def home_of(named: str) -> Path:
    """The demo's folder: the one that is named, taken from the project's folder on, or the usual one.

    Stops with a sentence where it could not be the demo's alone.
    """
    if not (named or USUAL).isprintable():  # the database's programs take none
        fail("GATEKEEPER_DATA_DIR: no line breaks or other unseen signs. Name another folder.")
    home = (PROJECT / (named or USUAL)).resolve()
    if home.exists() and not home.is_dir():
        fail(f"GATEKEEPER_DATA_DIR: {home} is a file. Name a folder of the demo's own.")
    if home in (PROJECT, *PROJECT.parents, Path.home()):
        fail(f"GATEKEEPER_DATA_DIR: {home} is not the demo's alone. Name a folder of its own.")
    return home


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
