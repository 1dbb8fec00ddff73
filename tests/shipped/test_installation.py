"""gatekeeper/installation/README.md, carried out in production mode, behind nginx with TLS; who works
there signs in, and visits every address in both languages, with every optional setting unset, and set."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, get_resolver, reverse
from playwright.sync_api import expect

from gatekeeper.installation import roles
from gatekeeper.installation.logins import USERS
from tests.shipped.chromium import browser
from tests.shipped.company import ACCOUNT, KINDS, PASSWORD, SECOND_OFFICER, TICKET, Company
from tests.shipped.installation import Installation
from tests.shipped.processes import STAND_INS, InstallationError, as_user
from tests.shipped.settings import values
from tests.shipped.visitor import HOST, Answer, Visitor, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.shipped,
    pytest.mark.skipif(os.geteuid() != 0, reason="README installs as root"),
    pytest.mark.skipif(
        "CI" not in os.environ and not shutil.which("nginx"),
        reason="The package nginx-light is missing: apt-get install nginx-light",
    ),
]


FILES = ("web", "migrator", "people", "watch", "sealer", "setup")
ROLES_ONLY = ".venv/bin/python manage.py bootstrap --roles-only"


def set_all(site: Installation, *, given: bool) -> None:
    """Every optional setting set, or none; the sealer's in the sealer's file."""
    roots = f"{site.root}/tls/authority.pem"
    found = values(folder=str(site.root), verifier=site.verifier, origin=f"{HOST}/log", roots=roots)
    for name, value in found.items():
        file = "sealer.env" if name == "LOG_ANCHORS" else "web.env"
        site.change_settings({f"GATEKEEPER_{name}": value if given else None}, file)
    for folder, user in {"copies": "gatekeeper-sealer", "siem": "gatekeeper-watch"}.items():
        (site.root / folder).mkdir(exist_ok=True)
        shutil.chown(site.root / folder, STAND_INS[user])
    site.manage("apply_settings", file="migrator.env")


@pytest.fixture(scope="module")
def site() -> Iterator[Installation]:
    """Made by README's block, and started with nothing but what it sets; by TCP first."""
    made = Installation(bind="tcp")
    try:
        made.make()
        set_all(made, given=False)
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def company(site: Installation) -> Company:
    """Everybody has signed in by their link and signed; one account was opened."""
    company = Company(site)
    company.hire()
    for kind in KINDS:
        company.enter(kind)
        if kind == "people officer":
            company.publish()
        company.sign(kind)
    company.open_an_account()
    site.manage("detect", file="watch.env")
    return company


def test_the_first_officer_signs_in(site: Installation) -> None:
    """What README promises at its end, of the installation as its block leaves it."""
    assert site.processes.running() == {*site.enabled(), "nginx"}
    assert site.enabled()[0] == "gatekeeper-web"
    for name in site.daily():
        site.processes.run_once(name)


def test_a_process_is_its_own_roles_and_no_others(site: Installation) -> None:
    """PostgreSQL asks the system who it is. The sealer's process cannot speak as the pages', and so on."""
    tried = {roles.OWNER, *roles.LOGIN, "postgres"}
    for user, links in USERS.items():
        own = {roles.LINKS[link] for link in links} | ({"postgres"} if user == "root" else set())
        assert site.welcome(user, tried) == own, user
    assert site.welcome("www-data", tried) == set()


def test_no_file_holds_a_password_and_none_is_taken(site: Installation) -> None:
    """Whoever takes over a role can give it a password, and gets in by it nowhere."""
    for path in (site.root / "etc").glob("*.env"):
        for name, value in site.settings(path.name).items():
            assert not name.startswith("GATEKEEPER_DATABASE_URL") or urlsplit(value).password is None, name
    site.sql("ALTER ROLE gatekeeper_vault PASSWORD 'taken'")
    for host in (str(site.server.socket_dir), "127.0.0.1"):
        assert site.welcome("www-data", {roles.VAULT}, host=host, password="taken") == set()
    site.shell(f"set -a; for file in {' '.join(FILES)}; do . {site.root}/etc/$file.env; done\n{ROLES_ONLY}")
    assert site.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'gatekeeper_vault'") == ""


def test_checks_say_where_a_password_would_be_taken(site: Installation, company: Company) -> None:
    administrator, rules = company.desks["administrator"], site.server.cluster / "pg_hba.conf"
    page = administrator.get("/checks/").text
    assert "No password is asked for, and none would be accepted." in page
    assert "Not limited as they should be" not in page
    before = rules.read_text()
    rules.write_text(before.replace('host "gatekeeper" all all reject\n', ""))
    said = "By TCP, or without TLS: gatekeeper_web, gatekeeper_signin, gatekeeper_feed, gatekeeper_vault."
    try:
        site.psql("SELECT pg_reload_conf()")
        site.until(lambda: said in administrator.get("/checks/").text)
    finally:
        rules.write_text(before)
        site.psql("SELECT pg_reload_conf()")


def test_the_sealer_and_the_rules_need_no_role_but_theirs(site: Installation) -> None:
    both = "SELECT EXISTS (SELECT FROM audit_checkpoint) AND EXISTS (SELECT FROM audit_round)"
    site.until(lambda: site.sql(both) == "t")
    for name in ("gatekeeper-sealer", "gatekeeper-rules", "gatekeeper-tidy", "gatekeeper-mail"):
        assert "The database:" not in site.processes.log_of(name)


@pytest.mark.parametrize("user", [*STAND_INS, "www-data"])
def test_nobody_but_root_reads_a_file(site: Installation, user: str) -> None:
    for path in (site.root / "etc").iterdir():
        ended = subprocess.run([*as_user(user), "cat", path], capture_output=True, check=False)
        assert (ended.returncode, ended.stdout) == (1, b""), path


def test_https_alone_answers(site: Installation) -> None:
    assert plain(site, "/members/?q=1", HOST) == (301, f"https://{HOST}/members/?q=1")
    page = Visitor(site).get("/sign-in/")
    assert page.status == 200
    found = re.search(r"max-age=(\d+)", page.headers["Strict-Transport-Security"])
    assert found is not None
    assert int(found[1]) >= 365 * 24 * 3600
    assert Visitor(site).get("/sign-in/", Host="elsewhere.test").status in (400, 404)
    style = re.search(r'href="(/static/[^"]+\.css)"', page.text)
    assert style is not None
    assert Visitor(site).get(style[1]).status == 200


def test_the_clients_address_is_the_clients(site: Installation, company: Company) -> None:
    """As nginx sees it, whatever the client claims."""
    visitor = Visitor(site, source="127.0.0.77")
    page = visitor.get("/sign-in/")
    fields = {"email": "nobody@akovana.test", "password": PASSWORD}
    visitor.send(page, "/sign-in/", _headers={"X-Forwarded-For": "203.0.113.9"}, **fields)
    newest = (
        "SELECT host(remote_addr) FROM audit_entry WHERE event = 'sign_in_failed' ORDER BY id DESC LIMIT 1"
    )
    assert site.sql(newest) == "127.0.0.77"


@pytest.mark.browser
def test_an_officer_comes_by_the_link_with_a_passkey_and_signs(site: Installation, company: Company) -> None:
    """In Chromium: a passkey is for this name, under a certificate that holds."""
    with browser(site) as page:
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(f"http://{HOST}{company.links[SECOND_OFFICER]}")
        assert page.url.startswith(f"https://{HOST}/invitation/")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same password again").fill(PASSWORD)
        page.get_by_role("button", name="Set password").click()
        page.get_by_role("button", name="Set up a passkey").click()
        page.get_by_role("button", name="I have kept them").click()
        page.get_by_role("link", name="Read and sign it").first.click()
        name = site.sql(f"SELECT name FROM staff_member WHERE number = '{SECOND_OFFICER}'")
        page.get_by_label("Your first and last name").fill(name)
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Sign", exact=True).click()
        expect(page.get_by_text("In force").first).to_be_visible()
        assert complaints == []
    signed = "SELECT evidence ->> 'method' FROM staff_signature ORDER BY id DESC LIMIT 1"
    assert site.sql(signed) == "passkey"


#: Where it listens, whether optional settings are there, and in which languages all is visited.
HOUSES = [
    ("tcp", False, ("en", "pl")),
    ("unix", True, ("pl", "en")),
    ("tcp", True, ("en",)),
    ("unix", False, ("pl",)),
]


@pytest.mark.parametrize(("bind", "given", "languages"), HOUSES)
def test_every_address_answers_everybody(
    site: Installation, company: Company, bind: str, given: bool, languages: tuple[str, ...]
) -> None:
    """No address fails for anybody in any language, whether optional settings are there or not."""
    site.processes.stop()
    site.rebind(bind)
    set_all(site, given=given)
    site.start()
    places = addresses(site)
    broken = []
    for kind, visitor in {**company.desks, "stranger": Visitor(site)}.items():
        for language in languages:
            if kind != "stranger":
                visitor.send(visitor.get("/"), "/preferences/", language=language)
            for path in places:
                answer = visitor.get(path, Accept_Language=language)
                if not is_well(answer, language):
                    broken.append((kind, language, path, answer.status))
    assert broken == [], site.processes.log_of("gatekeeper-web")[-5000:]
    assert site.processes.running() == {*site.enabled(), "nginx"}
    test_the_clients_address_is_the_clients(site, company)


def is_well(answer: Answer, language: str) -> bool:
    """No error of the server's; a page is in the reader's language."""
    if answer.status >= 500:
        return False
    is_page = answer.text.lstrip().startswith("<!DOCTYPE html>") or answer.text.lstrip().startswith("<html")
    return not is_page or f'<html lang="{language}"' in answer.text


def addresses(site: Installation) -> list[str]:
    """Every pattern once, leading to what is there."""
    numbers = {
        "request_id": "gatekeeper_accessrequest",
        "grant": "gatekeeper_grant",
        "signature": "staff_signature",
        "entry": "audit_entry",
        "review": "gatekeeper_review",
        "session": "staff_session",
    }
    newest = {name: int(site.sql(f"SELECT max(id) FROM {table}")) for name, table in numbers.items()}
    parts: dict[str, object] = newest | {
        "reference": ACCOUNT,
        "token": "no-such-link",
        "action": "suspend",
        **dict.fromkeys(("deputy_id", "proposal", "authorisation", "more_id"), 1),
    }
    of = {
        "ticket": TICKET,
        "nda_version": 1,
        "nda_recall": 1,
        "entry": newest["entry"],
        "end_session": newest["session"],
        "acknowledge_recovery": 1,
    }
    found = []
    for pattern in get_resolver().url_patterns:
        assert isinstance(pattern, URLPattern)
        name = str(pattern.name)
        number = of.get(name, newest["review"] if name.startswith("review") else KINDS["consultant"])
        known = parts | {"number": number}
        wanted = pattern.pattern.converters
        found.append(reverse(name, kwargs={part: known[part] for part in wanted}))
    return found


@pytest.mark.parametrize(("bind", "named"), [("tcp", "127.0.0.1"), ("unix", "unix")])
def test_a_proxy_that_is_not_trusted_is_named(site: Installation, bind: str, named: str) -> None:
    """Instead of a redirect that leads to itself for ever."""
    site.processes.stop()
    site.rebind(bind)
    site.change_settings({"GATEKEEPER_TRUSTED_PROXIES": None})
    site.start(until=503)
    for language, words in {"en": "does not trust", "pl": "nie ufa"}.items():
        answer = Visitor(site).get("/sign-in/", Accept_Language=language)
        assert (answer.status, answer.headers["Location"]) == (503, None)
        assert f"GATEKEEPER_TRUSTED_PROXIES={named}" in answer.text
        assert words in answer.text


def test_a_web_process_says_what_it_lacks(site: Installation) -> None:
    """Without collected files it does not start, instead of answering every page with an error."""
    site.processes.stop()
    files = site.root / "opt" / "staticfiles"
    files.rename(files.with_name("elsewhere"))
    try:
        with pytest.raises(InstallationError, match="collectstatic"):
            site.start()
    finally:
        site.processes.stop()
        files.with_name("elsewhere").rename(files)
