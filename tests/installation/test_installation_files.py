"""The environment files of a new installation, and the units that read them."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gatekeeper.installation import connection_budget, environment_files, logins, roles
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.settings_table import SETTINGS
from tests import readme
from tests.shipped.settings import ROWS, WHOLE, optional, values
from tests.shipped.units import read_environment_file, read_units

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "gatekeeper" / "installation" / "units"
GIVEN = ["--site", "https://gatekeeper.akovana.test", "--company", "Akovana LLC"]
# What a shell, or systemd, could take for something else; and longer than a certificate's common name.
AWKWARD = 'O\'Neill & "Żółć" `id` $HOME \\ #1, spółka z ograniczoną odpowiedzialnością, spółka komandytowa'


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gatekeeper.installation", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_files_are_whole_and_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "etc" / "gatekeeper"
    ended = run(str(folder), *GIVEN)
    assert ended.returncode == 0, ended.stderr
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = {path.name: path for path in folder.iterdir()}
    assert set(files) == set(environment_files.WORDS)
    found: dict[str, str] = {}
    for path in files.values():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        found |= read_environment_file(path) if path.suffix == ".env" else {}
    shown = "".join(path.read_text() for path in files.values())
    for setting in SETTINGS:
        assert (f"{setting.variable}=" in shown) == (setting.name not in environment_files.ELSEWHERE), (
            setting.name
        )
        if setting.default is None:
            assert Environment(found).text(setting.name)
    # What signs the log or changes tables never stands where the pages read it.
    web = read_environment_file(files["web.env"])
    commands = [f"DATABASE_URL_{name}" for name in ("SETUP", *roles.LINKS) if name not in roles.SERVING]
    for name in ("LOG_KEY", *commands):
        assert f"GATEKEEPER_{name}" not in web
    # The key that pages trust is the one that the sealer signs with.
    assert Environment(found).log_verifier() == web["GATEKEEPER_LOG_VERIFIER"]
    for secret in found.values():
        assert secret not in ended.stdout or len(secret) < 40


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "gatekeeper"
    assert run(str(folder), *GIVEN).returncode == 0
    before = {path: path.read_text() for path in folder.iterdir()}
    again = run(str(folder), *GIVEN)
    assert again.returncode == 1
    assert "nothing was changed" in again.stderr
    assert {path: path.read_text() for path in folder.iterdir()} == before


def test_a_shell_and_systemd_read_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "gatekeeper"
    assert run(str(folder), *GIVEN[:3], AWKWARD).returncode == 0
    said = subprocess.run(
        ["bash", "-c", f"set -a; . {folder}/web.env; env -0"],  # noqa: S607 - the machine's own
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    by_shell = dict(pair.split("=", 1) for pair in said.split("\0") if "=" in pair)
    by_systemd = read_environment_file(folder / "web.env")
    assert by_systemd["GATEKEEPER_COMPANY"] == AWKWARD
    assert by_systemd.items() <= by_shell.items()


ELSEWHERE = "postgresql://db.akovana.test/gatekeeper?sslmode=verify-full&sslrootcert=/etc/ssl/db.pem"
REFUSED = [
    (["--site", "http://gatekeeper.akovana.test"], "is not https://"),
    (["--site", "https://gatekeeper.example.com"], "placeholder"),
    (["--company", " "], "--company is empty"),
    (["--company", "Akovana\nLLC"], "not one line"),
    (["--database", "mysql:///gatekeeper"], "PostgreSQL address"),
    (["--database", "postgresql://somebody@/gatekeeper?host=/run/postgresql"], "names a role"),
    (["--database", "postgresql://db.akovana.test/gatekeeper", "--passwords"], "verify-full"),
    (["--database", ELSEWHERE], "say --passwords, or --certificates FOLDER"),
    (["--database", ELSEWHERE, "--certificates", "here"], "a folder from / on"),
    (["--certificates", "/etc/certificates"], "for a server elsewhere"),
    (["--bind", "0.0.0.0:8000"], "must not leave this machine"),
    (["--bind", "127.0.0.1:99999"], "neither unix:/path nor 127.0.0.1:port"),
]


@pytest.mark.parametrize(("changes", "said"), REFUSED)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(
    tmp_path: Path, changes: list[str], said: str
) -> None:
    ended = run(str(tmp_path / "gatekeeper"), *GIVEN, *changes)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("bind", "proxy"), [("127.0.0.1:8000", "127.0.0.1"), ("unix:/run/x/y", "unix")])
def test_whom_we_trust_follows_from_where_we_listen(tmp_path: Path, bind: str, proxy: str) -> None:
    folder = tmp_path / "gatekeeper"
    assert run(str(folder), *GIVEN, "--bind", bind).returncode == 0
    web = read_environment_file(folder / "web.env")
    assert web["GATEKEEPER_TRUSTED_PROXIES"] == proxy
    assert web["GUNICORN_CMD_ARGS"] == f"--bind {bind}"


def links(folder: Path) -> dict[str, dict[str, str]]:
    """The parts of every role's link, by the role."""
    found: dict[str, str] = {}
    for path in folder.glob("*.env"):
        found |= read_environment_file(path)
    parts = {name: Environment(found).database(f"DATABASE_URL_{name}") for name in roles.LINKS}
    return {roles.LINKS[name]: part for name, part in parts.items() if part}


def test_on_the_databases_machine_no_link_has_a_password(tmp_path: Path) -> None:
    folder = tmp_path / "gatekeeper"
    assert run(str(folder), *GIVEN).returncode == 0
    found = links(folder)
    assert set(found) == set(roles.LOGIN)
    assert not any("password" in parts for parts in found.values())
    lines = (folder / "pg_hba.conf").read_text().splitlines()[1:]
    assert lines == [
        "local all postgres peer map=gatekeeper",
        'local "gatekeeper" all peer map=gatekeeper',
        'host "gatekeeper" all all reject',
    ]
    maps = [line.split() for line in (folder / "pg_ident.conf").read_text().splitlines()[1:]]
    assert {user for _, user, role in maps if role == "postgres"} == {"root", "postgres"}
    for user, names in logins.USERS.items():
        assert [role for _, who, role in maps if who == user if role != "postgres"] == [
            roles.LINKS[name] for name in names
        ]


@pytest.mark.parametrize("where", [[], ["--database", ELSEWHERE]])
def test_passwords_are_fresh_where_they_are_asked_for(tmp_path: Path, where: list[str]) -> None:
    folder = tmp_path / "gatekeeper"
    assert run(str(folder), *GIVEN, *where, "--passwords").returncode == 0
    assert len({parts["password"] for parts in links(folder).values()}) == len(roles.LOGIN)
    lines = (folder / "pg_hba.conf").read_text()
    assert "scram-sha-256" in lines
    assert ("local" in lines) == (folder / "pg_ident.conf").exists() == (not where)


def test_each_role_has_its_own_certificate_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "gatekeeper"
    assert run(str(folder), *GIVEN, "--database", ELSEWHERE, "--certificates", "/etc/of").returncode == 0
    for role, parts in links(folder).items():
        assert "password" not in parts
        assert (parts["sslcert"], parts["sslkey"]) == (f"/etc/of/{role}.pem", f"/etc/of/{role}.key")
        assert (parts["host"], parts["sslmode"]) == ("db.akovana.test", "verify-full")
    lines = (folder / "pg_hba.conf").read_text().splitlines()[1:]
    ours = ",".join(roles.LOGIN)
    assert lines == [f'hostssl "gatekeeper" {ours} all cert', f'host "gatekeeper" {ours} all reject']


def test_each_unit_runs_as_a_user_that_the_installation_makes_and_has_its_links() -> None:
    made = re.search(r"^for user in (.+); do$", readme.stands("installation"), re.M)
    assert made is not None
    units = read_units(UNITS)
    assert {unit.user for unit in units.values()} == set(made[1].split()) == set(logins.USERS) - {"root"}
    for name, unit in units.items():
        files = {f"{Path(file).stem.upper()}" for file in unit.environment_files} - {"WEB"}
        serves = connection_budget.read_serves(unit.environment.get("GATEKEEPER_SERVES", "pages+api"))
        wanted = files if files else set(connection_budget.links(serves))
        assert wanted == set(logins.USERS[unit.user]), name


def test_only_whose_units_they_are_get_the_files_of_commands() -> None:
    units = read_units(UNITS)
    sealing = {name for name, unit in units.items() if "/etc/gatekeeper/sealer.env" in unit.environment_files}
    assert sealing == {"gatekeeper-sealer", "gatekeeper-retain"}
    watching = {name for name, unit in units.items() if "/etc/gatekeeper/watch.env" in unit.environment_files}
    assert watching == {"gatekeeper-rules", "gatekeeper-stream"}
    for unit in units.values():
        assert unit.environment_files[0] == "/etc/gatekeeper/web.env"
        assert {Path(name).name for name in unit.environment_files} <= {"web.env", "sealer.env", "watch.env"}
    for timer in UNITS.glob("*.timer"):
        assert timer.stem in units


def test_each_optional_setting_is_walked_without_and_has_its_row() -> None:
    assert set(values(folder="/x", verifier="", origin="x/log", roots="/x")) == set(optional())
    without = {setting.name for setting in SETTINGS if setting.default == ""}
    assert set(ROWS) | set(WHOLE) == without & set(optional())
