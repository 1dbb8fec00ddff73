"""Notices wait in the database until the mail server has taken them; nobody waits for it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.core import mail as django_mail
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from gatekeeper.installation import roles
from gatekeeper.models import AccessRequest
from gatekeeper.pages import mail_health
from staff.frame import background, mails, outbox, smtp
from staff.frame.sign_in import SIGN_IN
from staff.models import TRIES, Mail
from tests import environment
from tests.world.mail_server import MailServer
from tests.world.notices import none_taken
from tests.world.people import member
from tests.world.receiver import certificate
from tests.world.scene import REFERENCE, TICKET, Scene, signed
from tests.world.serving import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from tests.conftest import AsRole

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

PASSWORD_CHANGED = "staff/mail/password_changed.txt"
#: What a web process does that is ended while the mail server does not answer.
ACT = """
import django
django.setup()
from staff.frame import mails
from staff.models import Member
mails.notify(Member.objects.get(pk={}), "staff/mail/password_changed.txt")
"""


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[MailServer]:
    """A mail server that takes every mail, and is the configured one."""
    with MailServer("none", certificate(tmp_path)).running() as server:
        settings.EMAIL_BACKEND = "staff.frame.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "gate@firma.test"
        yield server
        settings.EMAIL_HOST = ""
        background.finish()


def ask(scene: Scene, client: Client | None = None) -> Any:
    form = {"ticket": TICKET, "purpose": "support_request", "categories": ["contact"], "minutes": "60"}
    form |= {"stretch": "once", "reason": "reproduce_fault"}
    return (client or scene.browser()).post(reverse("ask", args=[REFERENCE]), form)


def blocked_sender() -> threading.Event:
    """Have the work after answers wait, until that is set."""
    go_on = threading.Event()

    def wait() -> None:
        go_on.wait(60)

    assert background.run(wait)
    return go_on


def make_due() -> None:
    Mail.objects.update(next_at=timezone.now())


def sent(server: MailServer) -> list[str]:
    """The subjects of what was taken."""
    return re.findall("^Subject: (.*)$", "\n".join(server.mails), re.M)


def test_asking_waits_for_no_mail_server(scene: Scene, server: MailServer) -> None:
    server.manner = "hangs"
    assert ask(scene).status_code == 302
    assert server.held.acquire(timeout=60)
    assert server.holding == 1  # the answer was given, and the sending has not ended
    [one] = Mail.objects.all()
    assert (one.member_id, one.tries) == (scene.boss.id, 1)
    assert outbox.FIRST - timedelta(seconds=30) < one.next_at - timezone.now() <= outbox.FIRST


@pytest.mark.parametrize("manner", ["closes", "drips", "drawls", "refuses", "declines", "drops", "hangs"])
def test_what_a_server_does_not_take_is_sent_later(
    scene: Scene, server: MailServer, monkeypatch: pytest.MonkeyPatch, manner: str
) -> None:
    monkeypatch.setattr(smtp, "BOUND", 0.5)
    server.manner = manner
    assert ask(scene).status_code == 302
    background.finish()
    assert server.mails == []
    assert Mail.objects.get().tries == 1
    server.manner = ""
    assert outbox.send_due() == 0  # it is not due yet
    make_due()
    assert outbox.send_due() == 1
    assert sent(server) == ["A request waits for your decision"]
    assert f"To: {member(scene.boss).email}" in server.mails[0]
    assert not Mail.objects.exists()


def test_a_request_and_its_notices_are_one(scene: Scene, server: MailServer) -> None:
    """Notices that cannot be put down leave no request, and a request that was not made tells nobody."""
    client = scene.browser()
    with none_taken(scene.world):
        ask(scene, client)
    assert not AccessRequest.objects.exists()
    with transaction.atomic():
        mails.notify(member(scene.boss), PASSWORD_CHANGED)
        transaction.set_rollback(True)
    background.finish()
    assert (server.mails, Mail.objects.count()) == ([], 0)


def test_signing_in_and_its_notices_are_one(scene: Scene, server: MailServer) -> None:
    """They are of a connection of their own, and sent once that has committed."""
    for undone, taken in ((True, 0), (False, 1)):
        with transaction.atomic(using=SIGN_IN):
            mails.notify_as_one(member(scene.boss), PASSWORD_CHANGED)
            background.finish()
            transaction.set_rollback(undone, using=SIGN_IN)
        background.finish()
        assert (len(server.mails), Mail.objects.count()) == (taken, 0)


def test_a_process_that_is_killed_while_it_sends_loses_no_mail(
    scene: Scene, server: MailServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.manner = "hangs"
    url = f"smtp://127.0.0.1:{server.port}"
    variables = os.environ | {"GATEKEEPER_MAIL_URL": url, "GATEKEEPER_MAIL_FROM": "gate@firma.test"}
    child = subprocess.Popen([sys.executable, "-c", ACT.format(scene.boss.id)], cwd=PROJECT, env=variables)
    assert server.held.acquire(timeout=60)
    child.send_signal(signal.SIGKILL)
    child.wait()
    server.manner = ""
    assert Mail.objects.get().tries == 1
    call_command("send_mail")  # it is not due yet
    assert server.mails == []
    make_due()
    call_command("send_mail")
    assert sent(server) == ["Your password was changed"]
    assert capsys.readouterr().out.split("\n") == ["sent 0", "sent 1", ""]


def test_what_another_process_has_taken_up_is_left_to_it(scene: Scene, server: MailServer) -> None:
    server.manner = "closes"
    with transaction.atomic():
        for person in (scene.boss, scene.anna):
            mails.notify(member(person), PASSWORD_CHANGED)
    background.finish()
    server.manner = ""
    make_due()
    first = Mail.objects.order_by("pk")[0].pk
    with psycopg.connect(environment.setup_url(environment.database_name())) as other:
        other.execute("SELECT 1 FROM staff_mail WHERE id = %s FOR UPDATE", [first])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")  # who waits for it fails, and does not wait for ever
            assert outbox.send_due() == 1
            cursor.execute("RESET lock_timeout")
        assert [one.pk for one in Mail.objects.all()] == [first]
    assert outbox.send_due() == 1
    assert len(server.mails) == 2


def test_what_is_due_is_sent_in_its_order(scene: Scene, server: MailServer) -> None:
    """What waits for longest first; of two that wait for as long the one that was put down first."""
    server.manner = "closes"
    people = [scene.boss, scene.anna, scene.carl]
    with transaction.atomic():
        for person in people:
            mails.notify(member(person), PASSWORD_CHANGED)
    background.finish()
    server.manner = ""
    due = timezone.now() - timedelta(hours=1)
    Mail.objects.update(next_at=due)
    Mail.objects.filter(member=scene.carl.id).update(next_at=due - timedelta(seconds=1))
    assert outbox.send_due() == 3
    order = [scene.carl, scene.boss, scene.anna]
    assert re.findall("^To: (.*)$", "\n".join(server.mails), re.M) == [member(one).email for one in order]


def test_what_is_put_down_while_others_are_sent_is_sent_as_well(
    scene: Scene, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "BOUND", 0.5)
    server.manner = "hangs"
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    assert server.held.acquire(timeout=60)
    server.manner = ""
    mails.notify(member(scene.anna), PASSWORD_CHANGED)
    background.finish()
    assert f"To: {member(scene.anna).email}" in server.mails[0]
    assert Mail.objects.get().member_id == scene.boss.id


def test_rounds_take_up_one_place_of_what_waits(scene: Scene) -> None:
    """However often it is asked for; and where there is no room, it can be asked for again."""
    go_on = blocked_sender()
    for _ in range(background.MOST):
        outbox.begin()
    filled = 0
    while background.run(lambda: None):
        filled += 1
    assert filled == background.MOST - 2
    go_on.set()
    background.finish()


def test_a_round_without_a_place_can_be_asked_for_again(scene: Scene, server: MailServer) -> None:
    go_on = blocked_sender()
    while background.run(lambda: None):
        pass
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    go_on.set()
    background.finish()
    assert server.mails == []
    outbox.begin()
    background.finish()
    assert len(server.mails) == 1


def test_a_server_that_takes_its_time_to_part_holds_nobody(
    scene: Scene, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "BOUND", 0.5)
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    background.finish()
    assert (len(server.mails), server.parted) == (1, 1)
    server.manner = "lingers"
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    background.finish()
    assert (len(server.mails), server.parted) == (2, 1)  # it was left before it had said its farewell


def test_an_address_of_the_mail_server_that_is_none_concerns_all(
    scene: Scene, server: MailServer, settings: Any
) -> None:
    """It is no fault of the mail at hand: the next one is not tried."""
    settings.EMAIL_HOST = "mail..firma.test"
    with transaction.atomic():
        for person in (scene.boss, scene.anna):
            mails.notify(member(person), PASSWORD_CHANGED)
    background.finish()
    assert sorted(Mail.objects.values_list("tries", flat=True)) == [0, 1]


def test_a_link_is_stored_in_no_notice(scene: Scene, server: MailServer) -> None:
    """Whether the mail server takes it or not."""
    for manner, sent_one in (("", True), ("closes", False), ("refuses", False)):
        server.manner = manner
        assert mails.send_link(member(scene.anna), "staff/links/invitation.txt", path="/x/") == sent_one
    background.finish()
    assert not Mail.objects.exists()


def test_subject_and_text_are_in_the_language_of_whoever_gets_it(scene: Scene, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.test"
    scene.world.change("staff_member", scene.boss.id, language="pl")
    mails.notify(member(scene.boss), "staff/mail/nda_ends.txt", day=date(2031, 2, 3))
    background.finish()
    [message] = django_mail.outbox
    assert message.subject == "Twoja umowa o zachowaniu poufności (NDA) wkrótce wygaśnie"
    assert "2031-02-03" in message.body
    assert "secrecy" not in message.body
    assert f"{settings.SITE_URL}/nda/" in message.body
    assert not message.body.startswith("\n")


def test_facts_come_as_they_were_given(scene: Scene) -> None:
    """Times as times, in the member's way to write them; what only begins like a day is a text."""
    until = datetime(2031, 2, 3, 12, 30, tzinfo=UTC)
    facts = {"by": "K-0001", "number": "K-0002", "until": until.isoformat(), "waits": False}
    message = outbox.written(member(scene.boss), "staff/mail/suspended.txt", facts)
    assert "until 3 Feb 2031 14:30." in message.body
    message = outbox.written(
        member(scene.boss), "staff/mail/suspended.txt", facts | {"number": "2031-02-03-1"}
    )
    assert "suspended 2031-02-03-1," in message.body


def test_the_address_is_read_when_it_is_sent(scene: Scene, server: MailServer) -> None:
    server.manner = "closes"
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    background.finish()
    scene.world.change("staff_member", scene.boss.id, email="new@firma.example")
    server.manner = ""
    make_due()
    outbox.send_due()
    assert "To: new@firma.example" in server.mails[0]


def test_tries_grow_apart_up_to_a_day_and_are_then_given_up(scene: Scene, server: MailServer) -> None:
    server.manner = "closes"
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    background.finish()
    waits = []
    for _ in range(TRIES - 1):
        waits.append(round((Mail.objects.get().next_at - timezone.now()) / timedelta(minutes=1)))
        make_due()
        outbox.send_due()
    assert waits == [1, 4, 16, 64, 256, 1024]
    make_due()
    server.manner = ""
    assert outbox.send_due() == 0
    assert outbox.backlog() == outbox.Backlog(0, None, 1)
    for age, kept in (("6 days 23 hours", 1), ("7 days 1 hour", 0)):
        scene.world.setup.execute("UPDATE staff_mail SET put_at = now() - %s::interval", [age])
        outbox.send_due()
        assert (server.mails, Mail.objects.count()) == ([], kept)


@pytest.mark.parametrize("manner", ["refuses", "declines"])
def test_one_that_is_refused_stops_nobody_else(scene: Scene, server: MailServer, manner: str) -> None:
    server.manner = manner
    with transaction.atomic():
        for person in (scene.boss, scene.anna):
            mails.notify(member(person), PASSWORD_CHANGED)
    background.finish()
    assert list(Mail.objects.values_list("tries", flat=True)) == [1, 1]
    make_due()
    assert outbox.send_due() == 0


def test_an_address_that_is_none_stops_nobody(scene: Scene, server: MailServer) -> None:
    """Nothing but the database looks at the addresses that `bootstrap` is given."""
    administrator = signed(scene, "administrator")
    scene.world.change("staff_member", administrator.id, email="anna@firma..example")
    with transaction.atomic():
        for person in (administrator, scene.boss):
            mails.notify(member(person), PASSWORD_CHANGED)
    background.finish()
    assert list(Mail.objects.values_list("member_id", "tries")) == [(administrator.id, 1)]
    assert len(server.mails) == 1
    assert not mails.send_link(member(administrator), "staff/links/invitation.txt", path="/x/")
    answer = scene.browser(administrator).post(reverse("test_mail"), follow=True)
    assert "No e-mail can be sent to your address." in answer.content.decode()


def test_a_notice_of_another_release_stops_nobody(scene: Scene, server: MailServer) -> None:
    with transaction.atomic():
        for template in ("staff/mail/of_another_release.txt", PASSWORD_CHANGED):
            mails.notify(member(scene.boss), template)
    background.finish()
    assert Mail.objects.get().template == "staff/mail/of_another_release.txt"
    assert sent(server) == ["Your password was changed"]
    make_due()
    assert outbox.send_due() == 0
    assert server.connected == 1  # the server is not asked for it


@pytest.mark.parametrize("how", ["closes", "is not believed"])
def test_a_server_that_takes_none_is_asked_once(
    scene: Scene, server: MailServer, settings: Any, how: str
) -> None:
    if how == "closes":
        server.manner = how
    else:
        server.kind, settings.EMAIL_USE_TLS = "starttls", True
    with transaction.atomic():
        for person in (scene.boss, scene.anna):
            mails.notify(member(person), PASSWORD_CHANGED)
    background.finish()
    assert sorted(Mail.objects.values_list("tries", flat=True)) == [0, 1]


@pytest.mark.parametrize(
    ("template", "facts"),
    [
        ("staff/links/password.txt", "{}"),
        ("staff/mail/../links/password.txt", "{}"),
        ("elsewhere/mail/password_changed.txt", "{}"),
        ("staff/mail/password_changed.txt.html", "{}"),
        (PASSWORD_CHANGED, '{"link": "https:\\/\\/elsewhere.test"}'),
        (PASSWORD_CHANGED, '{"to": "anna@firma.example"}'),
    ],
)
@pytest.mark.parametrize("role", [roles.WEB, roles.SIGNIN])
def test_no_address_and_no_link_is_put_down(
    scene: Scene, as_role: AsRole, role: str, template: str, facts: str
) -> None:
    sql = (
        "INSERT INTO staff_mail (member_id, template, facts, put_at, tries, next_at)"
        " VALUES (%s, %s, %s, now(), 0, now())"
    )
    connection = as_role(role)
    connection.execute(sql, [scene.boss.id, PASSWORD_CHANGED, "{}"])
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute(sql, [scene.boss.id, template, facts])


@pytest.mark.parametrize(
    ("manner", "said", "kind"),
    [
        ("closes", "closed the connection", "SMTPServerDisconnected"),
        ("hangs", "did not answer in time", "TimeoutError"),
        ("drips", "did not answer in time", "TimeoutError"),
        ("refuses", "refused your address", "SMTPRecipientsRefused"),
        ("puts off", "does not take the mail for the present", "SMTPRecipientsRefused"),
        ("declines", "did not take the mail", "SMTPDataError"),
        ("drops", "closed the connection", "SMTPServerDisconnected"),
    ],
)
def test_a_test_says_what_the_mail_server_did(
    scene: Scene, server: MailServer, monkeypatch: pytest.MonkeyPatch, manner: str, said: str, kind: str
) -> None:
    monkeypatch.setattr(smtp, "BOUND", 0.5)
    server.manner = manner
    answer = scene.browser(signed(scene, "administrator")).post(reverse("test_mail"), follow=True)
    assert said in answer.content.decode()
    assert Entry.objects.get(object_repr="test mail").changes_text == kind


def test_a_single_wait_that_was_too_long_is_said_to_be(
    scene: Scene, server: MailServer, settings: Any
) -> None:
    """Django's own timeout, within the bound of the whole act: smtplib says that the server went."""
    settings.EMAIL_TIMEOUT = 0.2
    server.manner = "hangs"
    answer = scene.browser(signed(scene, "administrator")).post(reverse("test_mail"), follow=True)
    assert "did not answer in time" in answer.content.decode()
    assert Entry.objects.get(object_repr="test mail").changes_text == "TimeoutError"


def test_checks_name_what_waits_and_what_was_given_up(scene: Scene, server: MailServer) -> None:
    assert mail_health.mail().state == "ok"
    server.manner = "closes"
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    background.finish()
    assert mail_health.mail().state == "ok"
    scene.world.setup.execute("UPDATE staff_mail SET put_at = now() - interval '11 minutes'")
    row = mail_health.mail()
    assert (row.state, row.cause.startswith("1 notice waits, since ")) == ("to_fix", True)
    Mail.objects.update(tries=TRIES)
    row = mail_health.mail()
    assert (row.state, row.cause[:36]) == ("to_fix", "1 notice of the last seven days was ")


@pytest.mark.parametrize("configured", [True, False])
def test_pages_speak_of_mail_only_where_mail_leaves(scene: Scene, settings: Any, *, configured: bool) -> None:
    settings.EMAIL_HOST = "mail.test" if configured else ""
    page = scene.browser().get(reverse("factors")).content.decode()
    assert ("mailed to you" in page) == configured
    answer = ask(scene)
    told = scene.browser().get(answer["Location"]).content.decode()
    assert "0 people" not in told
    assert Mail.objects.exists() is False or configured


def test_where_no_mail_is_configured_none_is_put_down_or_sent(
    scene: Scene, server: MailServer, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    mails.notify(member(scene.boss), PASSWORD_CHANGED)
    background.finish()
    settings.EMAIL_HOST = ""
    mails.notify(member(scene.anna), PASSWORD_CHANGED)
    assert not Mail.objects.exists()
    settings.EMAIL_HOST, server.manner = "127.0.0.1", "closes"
    mails.notify(member(scene.anna), PASSWORD_CHANGED)
    background.finish()
    settings.EMAIL_HOST, server.manner = "", ""
    make_due()
    call_command("send_mail")
    assert capsys.readouterr().out == "sent 0\n"
    assert (len(server.mails), Mail.objects.get().tries) == (1, 1)
