"""Settings of the web processes, and of their links to the database."""

from __future__ import annotations

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from gatekeeper.installation import connection_budget
from gatekeeper.installation.connection_budget import Process
from gatekeeper.installation.reader import Reader
from gatekeeper.installation.settings_table import BY_NAME


class ProcessSettings(Reader):
    """Settings of the web processes, and of their links to the database."""

    def processes(self) -> tuple[Process, ...]:
        """Return the web processes of the whole installation."""
        try:
            return connection_budget.read(self.text("PROCESSES"))
        except ValueError:
            what = "is not of the form pages+api:2x8, with workers and threads from 1 to 99"
            raise self.refusal("PROCESSES", what) from None

    def serves(self) -> tuple[str, ...]:
        """Return what this process serves, where it is a web process."""
        try:
            return connection_budget.read_serves(self.text("SERVES"))
        except ValueError:
            raise self.refusal("SERVES", "is neither pages+api, pages nor api") from None

    def process(self) -> Process:
        """Return which of the web processes this one is."""
        for process in self.processes():
            if process.serves == self.serves():
                return process
        raise self.refusal("SERVES", "names a process that GATEKEEPER_PROCESSES does not")

    def database(self, name: str) -> dict[str, str] | None:
        """Return the parts of a database's address, None where it is not set.

        Refuses a link that others can read or answer: only a Unix socket or a verified server.
        """
        if self._is_anothers(name):
            return None
        url = self.text(name)
        if not url:
            return None
        try:
            parts = {key: str(value) for key, value in conninfo_to_dict(url).items()}
        except (ProgrammingError, UnicodeDecodeError):
            raise self.refusal(name, "is no PostgreSQL address") from None
        if not parts.get("user") or not parts.get("dbname"):
            raise self.refusal(name, "lacks the role or the database")
        hosts = parts.get("host", "").split(",")
        by_socket = all(host.startswith("/") for host in hosts) and "hostaddr" not in parts
        if not by_socket and parts.get("sslmode") != "verify-full":
            raise self.refusal(name, "is neither a Unix socket (host=/folder) nor sslmode=verify-full")
        return parts

    def _is_anothers(self, name: str) -> bool:
        """Whether a web process' link is not here, and what this one serves does not need it."""
        link, variable = name.removeprefix("DATABASE_URL_"), BY_NAME[name].variable
        is_given = variable in self._variables or f"{variable}_FILE" in self._variables
        return (
            not is_given
            and link in connection_budget.links(connection_budget.NEEDS)
            and link not in connection_budget.links(self.serves())
        )
