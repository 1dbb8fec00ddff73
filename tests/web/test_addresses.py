"""Addresses in settings: one form for all spellings, nothing repeated of what cannot be read; and mail that
leaves encrypted or not at all, tried with a mail server."""

from __future__ import annotations

import json
import os
import runpy
import smtplib
import ssl
import subprocess
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse

from gatekeeper.installation import addresses
from gatekeeper.installation.environment import Environment
from gatekeeper.installation.settings_table import SETTINGS
from tests.world.mail_server import MailServer
from tests.world.receiver import certificate
from tests.world.variables import GOOD, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS_FILE = ROOT / "gatekeeper" / "settings.py"
SECRET = "hunter2"


def environment(**values: str) -> Environment:
    return Environment(GOOD | {f"GATEKEEPER_{name}": value for name, value in values.items()})


# The site's address, hosts and origins


@pytest.mark.parametrize(
    "spelled",
    [
        "https://gatekeeper.test",
        "https://gatekeeper.test/",
        "HTTPS://Gatekeeper.TEST",
        "https://gatekeeper.test:443/",
        "https://gatekeeper.test:",
        "https://gatekeeper.test.",
        "https://g%61tekeeper.test",
        "https://GATEKEEPER%2Etest:443",
    ],
)
def test_every_spelling_of_an_address_is_one(spelled: str) -> None:
    assert environment(SITE_URL=spelled).site_url() == "https://gatekeeper.test"


@pytest.mark.parametrize(
    ("spelled", "origin"),
    [
        ("https://Gate.test:8443", "https://gate.test:8443"),
        ("https://ŻÓŁW.test", "https://xn--w-uga1v8h.test"),
        ("https://xn--w-uga1v8h.test", "https://xn--w-uga1v8h.test"),
        ("https://192.0.2.7", "https://192.0.2.7"),
        ("https://[2001:DB8::0:1]:443", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_is_as_browsers_write_it(spelled: str, origin: str) -> None:
    assert environment(SITE_URL=spelled).site_url() == origin


NO_SITES = [
    "gatekeeper.test",
    "//gatekeeper.test",
    "https://",
    "https:///path",
    "https://gatekeeper.test/gate",
    "https://gatekeeper.test?",
    "https://gatekeeper.test#",
    f"https://user:{SECRET}@gatekeeper.test",
    f"https://gatekeeper.test:{SECRET}",
    "https://gatekeeper.test:0",
    "https://gatekeeper.test:65536",
    "https://gate keeper.test",
    "https://gatekeeper.test\n.elsewhere.test",
    "https://-gatekeeper.test",
    "https://gatekeeper..test",
    "https://gatekeeper.test\\elsewhere",
    "https://[2001:db8::1",
    "https://[gatekeeper.test]",
    "https://gate%zz.test",
    "https://gate%ff.test",
    "https://straße.test",
    "ftp://gatekeeper.test",
]


@pytest.mark.parametrize("spelled", NO_SITES)
def test_what_is_no_site_is_refused(spelled: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_SITE_URL") as refusal:
        environment(SITE_URL=spelled).site_url()
    assert SECRET not in str(refusal.value)


def test_hosts_are_names_in_their_one_form() -> None:
    given = "Gatekeeper.TEST, gate.test:443 ,gate.test., .Internal.TEST, [2001:DB8:0::1]:80, żółw.test"
    assert environment(ALLOWED_HOSTS=given).hosts() == [
        *("gatekeeper.test", "gate.test", "gate.test", ".internal.test", "[2001:db8::1]"),
        "xn--w-uga1v8h.test",
    ]


@pytest.mark.parametrize(
    "given",
    ["https://gatekeeper.test", "gatekeeper.test/x", "u@gatekeeper.test", "a b.test", "..", "gate.test:x"],
)
def test_what_is_no_host_is_refused(given: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_ALLOWED_HOSTS"):
        environment(ALLOWED_HOSTS=given).hosts()


PRINTED = """
import json
from gatekeeper import settings
names = "ALLOWED_HOSTS OTP_WEBAUTHN_RP_ID OTP_WEBAUTHN_ALLOWED_ORIGINS CSRF_TRUSTED_ORIGINS SITE_URL"
print(json.dumps([getattr(settings, name) for name in names.split()]))
"""


def test_a_capital_letter_reaches_neither_passkeys_nor_the_check_of_origins() -> None:
    changes = {"GATEKEEPER_SITE_URL": "HTTPS://Gate.Test:443/", "GATEKEEPER_ALLOWED_HOSTS": "GATE.test:443"}
    said = subprocess.run(
        [sys.executable, "-c", PRINTED],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **GOOD, **changes},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    site = "https://gate.test"
    assert json.loads(said) == [["gate.test"], "gate.test", [site], [site], site]


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost:80", "Localhost.:80", "l%6Fcalhost"])
@pytest.mark.parametrize("origin", ["http://localhost", "HTTP://Localhost:80", "http://localhost.:80/"])
def test_a_form_is_taken_whatever_a_proxy_makes_of_the_hosts_letters(host: str, origin: str) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get(reverse("sign_in"), headers={"Host": host})
    assert page.status_code == 200
    token = page.context["csrf_token"]
    sent = {"csrfmiddlewaretoken": str(token), "email": "nobody@firma.example", "password": "none of ours"}
    answer = client.post(reverse("sign_in"), sent, headers={"Host": host, "Origin": origin})
    assert answer.status_code == 200
    away = client.post(
        reverse("sign_in"), sent, headers={"Host": host, "Origin": "http://localhost.elsewhere"}
    )
    assert away.status_code == 403


@pytest.mark.parametrize(
    "host", ["", "elsewhere.test", "user@localhost", "localhost/x", "[::1", "local host"]
)
def test_what_is_no_host_of_ours_is_refused_as_before(host: str) -> None:
    assert addresses.sent_host(host, "https") == host
    assert Client().get("/", headers={"Host": host or " "}).status_code == 400


def test_where_the_log_is_sent_is_one_place_in_all_spellings() -> None:
    def target(url: str, declared: str = "yes") -> str:
        return environment(SIEM_TARGET=url, SIEM_IN_EU=declared).siem_target()

    assert target("HTTPS://Siem.Test:443/In") == target("https://siem.test/In") == "https://siem.test/In"
    assert target("file:/var/log/gatekeeper") == "file:/var/log/gatekeeper"
    with pytest.raises(ImproperlyConfigured, match="SIEM_IN_EU"):  # whatever its letters
        target("HTTPS://siem.test/in", "no")
    for url in (
        "http://siem.test/",
        "FILE:/x",
        f"https://u:{SECRET}@siem.test/",
        f"https://siem.test:{SECRET}/",
        "https:///x",
    ):
        with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_SIEM_TARGET") as refusal:
            target(url)
        assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    "pattern",
    [
        f"https://u:{SECRET}@helpdesk.test/{{number}}",
        "https:///{number}",
        "https://[helpdesk/{number}",
        "https://h.test:x/{number}",
    ],
)
def test_a_helpdesk_that_is_no_page_is_refused(pattern: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_HELPDESK_TICKET_URL") as refusal:
        environment(HELPDESK_TICKET_URL=pattern).helpdesk_url()
    assert SECRET not in str(refusal.value)


# Nothing is repeated


NASTY = [
    SECRET,
    f"smtps://user:pa{SECRET}#word@mail.test:465",
    f"https://user:{SECRET}@[gate",
    f"https://gate.test:{SECRET}",
    f"postgresql://w:{SECRET}#x@/g?host={SECRET}",
    f"/nowhere/{SECRET}",
    f"k1:{SECRET},k1:{SECRET}",
    f"whsec_{SECRET}",
    f"refusals.count={SECRET}",
    f"K-0020=6-22 1-7 {SECRET}",
    f"{SECRET}\x00",
]
#: What takes any text, and what bootstrap alone reads.
FREE = {"SECRET_KEY", "COMPANY", "DATA_DIR", "POSTGRES", "SIEM_TOKEN", "LOG_ORIGIN", "DATABASE_URL_SETUP"}


@pytest.fixture(scope="session")
def quick_seal(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One whose key is read in no time: it is read a thousand times."""
    return "".join(path.read_text() for path in certificate(tmp_path_factory.mktemp("seal")))


def refusal(variables: dict[str, str]) -> ImproperlyConfigured | None:
    """What a process says that starts with these alone; None where it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in [one for one in os.environ if one.startswith("GATEKEEPER_")]:
            patch.delenv(variable)
        for variable, value in variables.items():
            patch.setenv(variable, value)
        try:
            runpy.run_path(str(SETTINGS_FILE))
        except ImproperlyConfigured as error:
            return error
        return None


@pytest.mark.parametrize("name", [setting.variable for setting in SETTINGS])
def test_a_setting_that_cannot_be_read_is_named_and_not_repeated(
    name: str, quick_seal: str, tmp_path: Path
) -> None:
    """In the whole traceback, causes and contexts too: it stands in the process' log."""
    refusals = []
    for value in NASTY:
        variables = GOOD | {"GATEKEEPER_SEAL": quick_seal, name: value}
        if "\0" in value:  # no environment holds it, but a file
            (tmp_path / "file").write_text(variables.pop(name))
            variables[f"{name}_FILE"] = str(tmp_path / "file")
        refusals.append(refusal(variables))
    found = ["".join(traceback.format_exception(error)) for error in refusals if error]
    assert found or name.removeprefix("GATEKEEPER_") in FREE
    assert all(name in said for said in found)
    assert SECRET not in "".join(found)


# Mail


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.test", ("mail.test", 465, "", "", "implicit")),
        ("SMTPS://Mail.TEST:2465/", ("mail.test", 2465, "", "", "implicit")),
        ("smtp://mail.test", ("mail.test", 587, "", "", "starttls")),
        ("smtp://u:p@mail.test:25", ("mail.test", 25, "u", "p", "starttls")),
        ("smtps://us%40er:p%23a%2Fs%3As%25@mail.test", ("mail.test", 465, "us@er", "p#a/s:s%", "implicit")),
        ("smtps://u:żółw@mail.test", ("mail.test", 465, "u", "żółw", "implicit")),
        ("smtps://u:p@a@mail.test", ("mail.test", 465, "u", "p@a", "implicit")),
        ("smtp://localhost", ("localhost", 25, "", "", "")),
        ("smtp://LOCALHOST.:2525", ("localhost", 2525, "", "", "")),
        ("smtp://127.0.0.5", ("127.0.0.5", 25, "", "", "")),
        ("smtp://[::1]:26", ("::1", 26, "", "", "")),
        ("smtps://localhost", ("localhost", 465, "", "", "implicit")),
        ("smtp://[2001:db8::1]", ("2001:db8::1", 587, "", "", "starttls")),
        ("smtp://localhost.elsewhere.test", ("localhost.elsewhere.test", 587, "", "", "starttls")),
        ("smtp://127.0.0.1.elsewhere.test", ("127.0.0.1.elsewhere.test", 587, "", "", "starttls")),
    ],
)
def test_a_mail_server_is_read(url: str, server: tuple[Any, ...]) -> None:
    assert environment(MAIL_URL=url).mail_server() == addresses.MailServer(*server)


@pytest.mark.parametrize(
    "url",
    [
        f"smtp+tls://u:{SECRET}@mail.test",
        f"smtp+ssl://u:{SECRET}@mail.test",
        f"submission://u:{SECRET}@mail.test",
        f"https://u:{SECRET}@mail.test",
        f"u:{SECRET}@mail.test",
        "mail.test:465",
        f"smtps://u:{SECRET}#x@mail.test",
        f"smtps://u:{SECRET}/x@mail.test",
        f"smtps://u:{SECRET}?x@mail.test",
        f"smtps://u:{SECRET}[x@mail.test",
        f"smtps://u:{SECRET}%x@mail.test",
        f"smtps://u:{SECRET}%ff@mail.test",
        f"smtps://u:{SECRET} x@mail.test",
        f"smtps://u:{SECRET}@",
        f"smtps://u:{SECRET}@mail.test:smtp",
        f"smtps://u:{SECRET}@mail.test:0",
        f"smtps://u:{SECRET}@mail.test/x",
        f"smtps://u:{SECRET}@mail.test?tls=no",
        f"smtps://u:{SECRET}@mail.test?",
        f"smtps://:{SECRET}@mail.test",
        "smtps://user@mail.test",
        f"smtps://u:{SECRET}@mail_.-test",
    ],
)
def test_a_mail_server_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_MAIL_URL") as refusal:
        environment(MAIL_URL=url).mail_server()
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("sender", ["gate@firma.test", "Gatekeeper <gate@firma.test>", ""])
def test_a_sender_is_an_address(sender: str) -> None:
    assert environment(MAIL_FROM=sender).mail_from() == sender


@pytest.mark.parametrize(
    "sender", ["Gatekeeper", "gate@", "gate@firma.test\nBcc: eve@x.test", "<>", "a b@firma.test"]
)
def test_what_is_no_sender_is_refused(sender: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="GATEKEEPER_MAIL_FROM"):
        environment(MAIL_FROM=sender).mail_from()


#: A spelling of this machine that only the resolver knows: to us it is somebody else's host.
ELSEWHERE = "127.1"
PASSWORD = f"pa#{SECRET}"


@pytest.fixture
def mail(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server of a kind, whose certificate for a name this process believes."""
    kind, name = request.param
    files = certificate(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[1]))
    with MailServer(kind, files).running() as server:
        yield server


def send(settings: Any, scheme: str, host: str, port: int) -> None:
    """A mail through the settings that production would have with this address."""
    url = f"{scheme}://us%40er:{quote(PASSWORD)}@{host}:{port}"
    made = environment(MAIL_URL=url).mail_server()
    assert made is not None
    settings.EMAIL_BACKEND = "staff.frame.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = made.host, made.port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = made.user, made.password
    settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = made.tls == "implicit", made.tls == "starttls"
    settings.EMAIL_TIMEOUT = 10
    EmailMessage("A subject", "A body", "gate@firma.test", ["anna@firma.test"]).send()


def said_in_clear(mail: MailServer) -> set[str]:
    """The first word of each line that came in clear, save TLS's own bytes."""
    return {line.partition(" ")[0].upper() for line in mail.clear if line.isprintable() and line}


@pytest.mark.parametrize(
    ("mail", "scheme", "clear"),
    [
        (("starttls", ELSEWHERE), "smtp", {"EHLO", "STARTTLS"}),
        (("implicit", ELSEWHERE), "smtps", set()),
    ],
    indirect=["mail"],
)
def test_mail_leaves_encrypted(mail: MailServer, settings: Any, scheme: str, clear: set[str]) -> None:
    send(settings, scheme, ELSEWHERE, mail.port)
    assert len(mail.mails) == 1
    assert "A body" in mail.mails[0]
    assert mail.logins == [f"us@er:{PASSWORD}"]
    assert said_in_clear(mail) == clear


@pytest.mark.parametrize(
    ("mail", "scheme", "failure"),
    [
        (("none", ELSEWHERE), "smtp", smtplib.SMTPNotSupportedError),
        (("none", ELSEWHERE), "smtps", ssl.SSLError),
        (("starttls", ELSEWHERE), "smtps", ssl.SSLError),
        (("starttls", "other.test"), "smtp", ssl.SSLCertVerificationError),
        (("implicit", "other.test"), "smtps", ssl.SSLCertVerificationError),
    ],
    indirect=["mail"],
)
def test_without_a_believed_encryption_neither_password_nor_mail_leaves(
    mail: MailServer, settings: Any, scheme: str, failure: type[Exception]
) -> None:
    with pytest.raises(failure):
        send(settings, scheme, ELSEWHERE, mail.port)
    assert mail.mails == []
    assert said_in_clear(mail) <= {"EHLO", "STARTTLS", "QUIT"}
    assert SECRET not in "".join(mail.clear)


@pytest.mark.parametrize("mail", [("none", ELSEWHERE)], indirect=True)
def test_to_this_machine_mail_may_leave_in_clear(mail: MailServer, settings: Any) -> None:
    send(settings, "smtp", "127.0.0.1", mail.port)
    assert len(mail.mails) == 1
