"""How a process proves to PostgreSQL which role it is, and what the server's own files take for it.

On the same machine the server asks the system whose process it is ('peer'): no file holds a password, and
none can be taken. A server elsewhere takes passwords, or certificates that an authority of yours issues.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from gatekeeper.installation import connection_budget, roles, secrets

SUPERUSER: Final = "postgres"
#: The map of pg_ident.conf: whose process may be which role.
MAP: Final = "gatekeeper"
#: The system's users, as the units name them, and the links that each has. Root gives commands by hand.
USERS: Final = {
    "gatekeeper": connection_budget.links(connection_budget.ALL),
    "gatekeeper-api": connection_budget.links(["api"]),
    "gatekeeper-watch": ("WATCH",),
    "gatekeeper-sealer": ("SEALER",),
    "root": tuple(roles.LINKS),
}


@dataclass(frozen=True)
class Logins:
    """The database's address without a role, and how roles sign in there: `by` peer, password or certificate,
    of which `certificates` is the folder."""

    database: str
    by: str
    certificates: Path = Path()

    def link(self, role: str) -> str:
        """Return the address for a role; by password, with a fresh one."""
        parts = urlsplit(self.database)
        login, query = quote(role, safe=""), parts.query
        if self.by == "password":
            login += f":{quote(secrets.password(), safe='')}"
        if self.by == "certificate":
            own = {"sslcert": self.certificates / f"{role}.pem", "sslkey": self.certificates / f"{role}.key"}
            query = "&".join(filter(None, (query, urlencode(own, safe="/"))))
        return parts._replace(netloc=f"{login}@{parts.netloc}", query=query).geturl()

    def superuser(self) -> str:
        """Return the superuser's address, for bootstrap."""
        parts = urlsplit(self.database)
        return parts._replace(netloc=f"{SUPERUSER}@{parts.netloc}", path="/postgres").geturl()

    def lets_in(self) -> str:
        """Return the lines that have to stand before all others in the server's pg_hba.conf.

        The last closes every other way: whoever has taken a role over can give it a password.
        """
        name = f'"{unquote(urlsplit(self.database).path.removeprefix("/"))}"'
        how = {"peer": f"peer map={MAP}", "password": "scram-sha-256", "certificate": "cert"}[self.by]
        ours = ",".join(roles.LOGIN)
        if is_local(self.database):
            root = f"local all {SUPERUSER} peer map={MAP}"
            lines = [root, f"local {name} all {how}", f"host {name} all all reject"]
        else:
            lines = [f"hostssl {name} {ours} all {how}", f"host {name} {ours} all reject"]
        return "".join(f"{line}\n" for line in lines)

    def maps(self) -> str:
        """Return the lines of the server's pg_ident.conf: whose process may be whom."""
        pairs = [(user, SUPERUSER) for user in ("root", SUPERUSER)]
        if self.by == "peer":
            pairs += [(user, roles.LINKS[link]) for user, links in USERS.items() for link in links]
        return "".join(f"{MAP} {user} {role}\n" for user, role in pairs)


def is_local(database: str) -> bool:
    """Whether an address leads to this machine: by a Unix socket."""
    parts = urlsplit(database)
    return not parts.hostname and "host=/" in unquote(parts.query)
