"""The demo's folder: what a demo keeps in it, whether it is the demo's alone, and whether it is whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured

from gatekeeper.demo.saying import damage, fail
from gatekeeper.installation import roles, secrets
from gatekeeper.installation.environment import Environment

PROJECT = Path(__file__).resolve().parents[2]
USUAL = ".gatekeeper-demo"
LOG_ORIGIN = "localhost/log"
SECRETS = "secrets.json"
#: While secrets are written; a demo that was killed then leaves it.
UNFINISHED = "secrets.new"
FILES = ("loaded", "port", UNFINISHED)
FOLDERS = ("postgres", "checkpoints", "static")
#: What the data cannot be read or proved without: it is never made again for data that are there.
LASTING = ("KEY_RING", "SEAL", "LOG_KEY")
MAKERS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": secrets.secret_key,
    "KEY_RING": secrets.key_ring,
    "SEAL": secrets.seal,
    "TICKETS_SECRET": secrets.webhook_secret,
    "ACCOUNTS_SECRET": secrets.webhook_secret,
    "LOG_KEY": secrets.log_key,
} | dict.fromkeys(roles.LOGIN, secrets.password)


class Home:
    """One demo's folder. What cannot be used ends the process with a sentence: what it is, and what to do."""

    def __init__(self, named: str) -> None:
        """`named`: the folder as the environment names it, '' for the usual one."""
        self.folder = home_of(named)
        self.postgres = self.folder / "postgres"
        self.checkpoints = self.folder / "checkpoints"
        self.loaded = self.folder / "loaded"
        self._port = self.folder / "port"
        self._secrets = self.folder / SECRETS

    def take(self) -> None:
        """Take the folder for a demo that is about to start: it is ours, and nothing in it is damaged."""
        self._make()
        try:
            self._check_folder()
            self.secrets()
        except OSError as error:
            fail(f"GATEKEEPER_DATA_DIR: {self.folder} cannot be used ({_why(error)}). Name another folder.")

    def _make(self) -> None:
        """Make the folder: the server's user passes through it to its own, and reads nothing in it."""
        try:
            self.folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        except OSError as error:
            fail(f"GATEKEEPER_DATA_DIR: {self.folder} cannot be made ({_why(error)}). Name another folder.")

    def _check_folder(self) -> None:
        """Look at what the folder holds: whether it is ours, and of the right kind. Raises OSError."""
        found = {path.name for path in self.folder.iterdir()}
        if self._is_anothers() or (SECRETS not in found and found - {UNFINISHED}):
            fail(f"GATEKEEPER_DATA_DIR: {self.folder} holds other things. Name a folder of the demo's own.")
        for name in found.intersection(FILES):
            if not (self.folder / name).is_file():
                _damaged(self.folder / name, "it is no file")
        for name in found.intersection(FOLDERS):
            if not (self.folder / name).is_dir():
                _damaged(self.folder / name, "it is no folder")

    # Secrets

    def secrets(self) -> dict[str, str]:
        """Return the demo's secrets, made once and kept in a file that only we read."""
        kept = self._kept() if self._secrets.exists() else {}
        if MAKERS.keys() <= kept.keys():
            return kept
        self._make()
        # A version that asks for one secret more keeps those that there are.
        made = {name: kept.get(name) or make() for name, make in MAKERS.items()}
        unfinished = self.folder / UNFINISHED
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(made))
        unfinished.replace(self._secrets)
        return made

    def _kept(self) -> dict[str, str]:
        """Return the secrets in the file, each in the form that the settings take."""
        try:
            kept = json.loads(self._secrets.read_text(encoding="utf-8"))
        except OSError as error:
            _damaged(self._secrets, _why(error))
        except ValueError:  # of its encoding, or cut off
            _damaged(self._secrets, "it is no JSON")
        if not isinstance(kept, dict) or not all(isinstance(value, str) and value for value in kept.values()):
            _damaged(self._secrets, "it does not hold texts by their names")
        if lacking := [name for name in LASTING if name not in kept]:
            _damaged(self._secrets, f"it lacks {', '.join(lacking)}")
        try:
            _read_all(kept)
        except ImproperlyConfigured as error:
            _damaged(self._secrets, str(error).partition(". ")[0])
        return kept

    def _is_anothers(self) -> bool:
        """Tell whether the file of secrets is whole and names none of ours: somebody else made it."""
        try:
            kept = json.loads(self._secrets.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(kept, dict) and bool(kept) and not MAKERS.keys() & kept.keys()

    # The port of a demo that runs

    def keep_port(self, port: int) -> None:
        """Say to the demo's other commands where it answers."""
        self._port.write_text(str(port))

    def forget_port(self) -> None:
        """Nothing answers any more."""
        self._port.unlink(missing_ok=True)

    def port(self) -> int | None:
        """Return the port of the demo that runs; None where none does."""
        if not self._port.exists():
            return None
        try:
            return int(self._port.read_text(encoding="ascii"))
        except (OSError, ValueError):
            fail(f"{self._port} is damaged. Stop the demo (Ctrl-C in its terminal) and start it: make demo")

    # The end

    def remove(self) -> None:
        """Delete what a demo made, and nothing else; the folder too, where nothing else is in it."""
        for name in (*FILES, *FOLDERS, SECRETS):  # the mark goes last
            path = self.folder / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    @property
    def is_a_demos(self) -> bool:
        """Tell whether a demo was made here, be it one that was killed while it wrote its secrets."""
        if self._secrets.exists():
            return not self._is_anothers()
        return self.folder.is_dir() and [path.name for path in self.folder.iterdir()] == [UNFINISHED]


def _read_all(secrets: Mapping[str, str]) -> None:
    """Read secrets as the settings will. Raises ImproperlyConfigured."""
    given = {f"GATEKEEPER_{name}": value for name, value in secrets.items()}
    settings = Environment({"GATEKEEPER_MODE": "demo", "GATEKEEPER_LOG_ORIGIN": LOG_ORIGIN} | given)
    readers: dict[str, Callable[[], object]] = {
        "SECRET_KEY": settings.secret_key,
        "KEY_RING": settings.key_ring,
        "SEAL": settings.seal,
        "LOG_KEY": settings.log_key,
        "TICKETS_SECRET": partial(settings.webhook_secret, "TICKETS_SECRET"),
        "ACCOUNTS_SECRET": partial(settings.webhook_secret, "ACCOUNTS_SECRET"),
    }
    for name in readers.keys() & secrets.keys():
        readers[name]()


def home_of(named: str) -> Path:
    """Return the demo's folder: the one that is named, taken from the project's folder on, or the usual one.

    Ends the process with a sentence where it could not be the demo's alone.
    """
    if not (named or USUAL).isprintable():  # the database's programs take none
        fail("GATEKEEPER_DATA_DIR: no line breaks or other unseen signs. Name another folder.")
    try:
        home = (PROJECT / (named or USUAL)).resolve()
        is_file = home.exists() and not home.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # too long, with a NUL, or a link to itself
        fail(f"GATEKEEPER_DATA_DIR cannot be used ({_why(error)}). Name a folder of the demo's own.")
    if is_file:
        fail(f"GATEKEEPER_DATA_DIR: {home} is a file. Name a folder of the demo's own.")
    if home in (PROJECT, *PROJECT.parents, Path.home()):
        fail(f"GATEKEEPER_DATA_DIR: {home} is not the demo's alone. Name a folder of its own.")
    return home


def _damaged(path: Path, what: str) -> NoReturn:
    fail(damage(path, what))


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error)
