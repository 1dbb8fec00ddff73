"""One-time links: good once, to one person, and only while whoever made them keeps members."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from smtplib import SMTPServerDisconnected
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib.auth.hashers import check_password, is_password_usable
from django.core.mail.backends import locmem
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from psycopg.types.json import Jsonb

from gatekeeper.installation import roles
from staff.directory import people
from staff.models import Invitation, Session
from staff.sign_in import invitations
from tests.world import World, now, racing
from tests.world.forms import form_of
from tests.world.people import PASSWORD, fresh_code, give_factors, give_password, member, password_of, sign_in
from tests.world.scene import enter, newest

if TYPE_CHECKING:
    from staff.frame.callers import Caller
    from tests.conftest import AsRole, Connection
    from tests.world import Person
    from tests.world.twins import Twins

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

NEW: Final = "four quiet otters dance again"


class Office(World):
    """Ewa keeps members, Jan does too; Iza is new, and Anna has both factors."""

    def __init__(self, setup: Connection) -> None:
        super().__init__(setup)
        self.version()
        self.ewa, self.jan = self.member("people"), self.member("people")
        self.signatures = {one.id: self.signature(one) for one in (self.ewa, self.jan)}
        self.iza, self.anna = self.member("consultant"), self.member("consultant")
        give_factors(self, self.anna)

    def link(self, whose: Person, by: Person | None = None) -> str:
        """The address of a new link: Ewa's, somebody's, or a command's (None)."""
        caller = self.session(by) if by else None
        return invitations.path_of(invitations.invite(member(whose), by=caller))


@pytest.fixture
def office(setup_connection: Connection) -> Office:
    return Office(setup_connection)


def use(client: Client, address: str, password: str = NEW) -> Any:
    return client.post(address, {"password": password, "again": password})


def is_dead(address: str) -> bool:
    looked, used = Client().get(address), use(Client(), address, "a third password, long")
    assert looked.status_code == 200 or used.status_code == 404
    return bool(looked.status_code == used.status_code == 404)


# Used is dead at once


def test_a_link_that_was_used_is_dead_for_whoever_was_shown_it(office: Office) -> None:
    """Before the second factor is confirmed, and after."""
    address = office.link(office.iza, by=office.ewa)
    client = Client()
    assert use(client, address)["Location"] == "/sign-in/enrol/"
    assert is_dead(address)
    assert check_password(NEW, password_of(office.iza))
    client.get(reverse("enrol"))
    client.post(reverse("enrol"), {"code": fresh_code(office, office.iza)})
    assert client.post(reverse("recovery_kept"))["Location"] == "/"
    assert is_dead(address)


def test_of_two_that_use_it_at_once_one_is_late(office: Office) -> None:
    address = office.link(office.iza)
    late = Client()
    assert late.get(address).status_code == 200
    use(Client(), address)
    assert use(late, address, "a third password, long").status_code == 404
    assert check_password(NEW, password_of(office.iza))


def test_the_browser_that_used_it_goes_on_and_another_does_not(office: Office) -> None:
    mine, other = Client(), Client()
    use(mine, office.link(office.iza))
    give_password(other, office.iza, NEW)
    assert other.get(reverse("enrol")).status_code == 403
    assert mine.get(reverse("enrol")).status_code == 200


def test_a_newer_link_ends_the_one_before_and_what_it_began(office: Office) -> None:
    first = office.link(office.iza)
    began = Client()
    use(began, first)
    assert began.get(reverse("enrol")).status_code == 200
    second = office.link(office.iza)
    assert began.get(reverse("enrol")).status_code == 403
    third = office.link(office.iza)
    assert is_dead(second)
    assert Client().get(third).status_code == 200


def test_no_factor_is_set_up_after_the_links_time(office: Office) -> None:
    client = Client()
    use(client, office.link(office.iza))
    office.change("staff_invitation", Invitation.objects.get().pk, expires_at=timezone.now())
    assert client.get(reverse("enrol")).status_code == 403


# A sign-in with both factors ends all


def test_signing_in_with_both_factors_ends_every_link(office: Office) -> None:
    first = office.link(office.anna)
    sign_in(office, office.anna)
    assert is_dead(first)
    assert not Invitation.objects.filter(expires_at__gt=timezone.now()).exists()


def test_so_does_unlocking(office: Office) -> None:
    client = sign_in(office, office.anna)
    address = office.link(office.anna)
    [session] = Session.objects.filter(member_id=office.anna.id)
    office.change("staff_session", session.pk, last_seen_at=now() - timedelta(minutes=16))
    form = form_of(client.get(reverse("profile")))
    proof = {"_password": PASSWORD, "_code": fresh_code(office, office.anna)}
    client.post(form.action, form.with_proof(**proof))
    assert client.get(reverse("profile")).status_code == 200
    assert is_dead(address)


def test_the_password_alone_ends_none(office: Office) -> None:
    """Or whoever guessed it would keep the member from setting another."""
    address = office.link(office.anna)
    give_password(Client(), office.anna)
    assert Client().get(address).status_code == 200


def test_a_proof_within_a_session_ends_none(office: Office) -> None:
    client = sign_in(office, office.anna)
    address = office.link(office.anna)
    [session] = Session.objects.filter(member_id=office.anna.id)
    office.change("staff_session", session.pk, verified_at=now() - timedelta(hours=1))
    client.post(reverse("step_up"), {"_code": fresh_code(office, office.anna), "next": "/profile/"})
    assert Client().get(address).status_code == 200


def test_a_new_password_ends_those_that_wait(office: Office) -> None:
    client = sign_in(office, office.anna)
    address = office.link(office.anna)
    client.post(reverse("change_password"), {"old": PASSWORD, "password": NEW, "again": NEW})
    assert check_password(NEW, password_of(office.anna))
    assert is_dead(address)


# While whoever made it keeps members


AWAY: Final[dict[str, dict[str, Any]]] = {
    "suspended": {"suspended_at": now()},
    "left": {"left_on": date(2020, 2, 1)},
    "with another role": {"roles": ["reviewer"]},
    "not started": {"starts_on": date(2999, 1, 1)},
}


@pytest.mark.parametrize("away", AWAY)
def test_a_link_dies_with_its_makers_right(office: Office, away: str) -> None:
    """They have seen it: a suspended officer must not sign in as somebody who is new."""
    address = office.link(office.iza, by=office.ewa)
    office.change("staff_member", office.ewa.id, **AWAY[away])
    assert is_dead(address)
    assert not is_password_usable(password_of(office.iza))


@pytest.mark.parametrize("away", AWAY)
def test_so_does_the_second_factor_that_it_began(office: Office, away: str) -> None:
    client = Client()
    use(client, office.link(office.iza, by=office.ewa))
    assert client.get(reverse("enrol")).status_code == 200
    office.change("staff_member", office.ewa.id, **AWAY[away])
    assert client.get(reverse("enrol")).status_code == 403
    assert client.post(reverse("enrol"), {"code": fresh_code(office, office.iza)}).status_code == 403


def test_a_commands_link_has_no_maker(office: Office) -> None:
    address = office.link(office.iza)
    office.change("staff_member", office.ewa.id, suspended_at=now())
    assert Client().get(address).status_code == 200


# Who changed the address makes no link for it


def readdress(office: Office, whose: Person, by: Person, email: str = "else@firma.example") -> None:
    assert people.change_member(office.session(by), whose.number, "email", email) == ""


def test_who_changed_the_address_makes_no_link_and_another_does(office: Office) -> None:
    readdress(office, office.iza, by=office.ewa)
    client = enter(office, office.ewa)
    answer = client.post(reverse("member_action", args=[office.iza.number, "invite"]))
    assert (answer.status_code, Invitation.objects.count()) == (409, 0)
    assert "Ask another people officer" in answer.content.decode()
    entry = newest("change")
    assert (entry.outcome, entry.reason) == ("refused", "second_person")
    assert (entry.member, entry.subject) == (office.ewa.number, office.iza.number)
    page = client.get(reverse("member", args=[office.iza.number])).content.decode()
    assert ("Ask another people officer" in page, "Make a one-time link" in page) == (True, False)
    seen = enter(office, office.jan).get(reverse("member", args=[office.iza.number])).content.decode()
    assert (f"changed by {office.ewa.number}" in seen, "Make a one-time link" in seen) == (True, True)
    assert Client().get(office.link(office.iza, by=office.jan)).status_code == 200


def test_the_address_with_which_they_were_added_stops_nobody(office: Office) -> None:
    facts = {"number": "K-7001", "name": "Nowa", "email": "nowa@firma.example", "language": "pl"}
    more = {"starts_on": "", "manager": "", "roles": ["consultant"]}
    client = enter(office, office.ewa)
    assert client.post(reverse("new_member"), facts | more).status_code == 200
    assert Invitation.objects.filter(member__number="K-7001").count() == 1
    again = client.post(reverse("member_action", args=["K-7001", "invite"]))
    assert again.status_code == 200


def test_a_sign_in_with_both_factors_since_opens_it_again_and_one_of_before_does_not(office: Office) -> None:
    sign_in(office, office.anna)
    readdress(office, office.anna, by=office.ewa)
    with pytest.raises(invitations.InvitationError, match="second_person"):
        office.link(office.anna, by=office.ewa)
    give_password(Client(), office.anna)  # the password alone proves nothing
    with pytest.raises(invitations.InvitationError, match="second_person"):
        office.link(office.anna, by=office.ewa)
    sign_in(office, office.anna)
    assert office.link(office.anna, by=office.ewa)


def test_an_address_of_the_personnel_system_is_no_officers(office: Office) -> None:
    readdress(office, office.iza, by=office.ewa)
    one = member(office.iza)
    line = {"number": one.number, "name": one.name, "email": "iza@firma.example", "roles": one.roles}
    more = {"manager": None, "language": "en", "starts_on": "2020-01-01"}
    assert people.apply_members([line | more], "import_staff (root)") == [(one.number, "changed")]
    assert member(office.iza).email_changed_by is None
    assert office.link(office.iza, by=office.ewa)


def test_the_same_address_again_from_there_is_still_the_officers(office: Office) -> None:
    readdress(office, office.iza, by=office.ewa)
    one = member(office.iza)
    line = {"number": one.number, "name": "Another Name", "email": one.email, "roles": one.roles}
    more = {"manager": None, "language": "en", "starts_on": "2020-01-01"}
    assert people.apply_members([line | more], "import_staff (root)") == [(one.number, "changed")]
    with pytest.raises(invitations.InvitationError, match="second_person"):
        office.link(office.iza, by=office.ewa)


def test_a_link_asked_for_while_the_address_changes_is_none(office: Office, as_role: AsRole) -> None:
    """One officer, two sessions: the link waits for the change, and is judged after it."""
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    sql = 'SELECT staff.change_member(%s, \'{"cid": "1"}\', %s, %s, %s)'
    change = [office.session(office.ewa).digest, office.iza.number, "email", Jsonb("else@firma.example")]
    link = Jsonb({"digest": "ab" * 32, "hours": 1})
    invite = [office.session(office.ewa).digest, office.iza.number, "invitation", link]
    first.execute("BEGIN")
    assert racing.row(first, sql, change) == ("",)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(racing.row, second, sql, invite)
        racing.until_waiting(office.setup, 1)
        first.commit()
        assert waiting.result() == ("second_person",)
    assert not Invitation.objects.exists()


# With mail, nobody but the member sees it


@pytest.fixture
def mail(settings: Any, mailoutbox: list[Any]) -> list[Any]:
    settings.EMAIL_HOST = "mail.firma.example"
    return mailoutbox


def test_where_mail_is_configured_no_officer_sees_a_link(office: Office, mail: list[Any]) -> None:
    ewa = enter(office, office.ewa)
    answer = ewa.post(reverse("member_action", args=[office.iza.number, "invite"]))
    assert answer.status_code == 200
    assert "/invitation/" not in answer.content.decode()
    assert f"mailed to {member(office.iza).email}" in answer.content.decode()
    [sent] = mail
    assert sent.to == [member(office.iza).email]
    [address] = [word for word in sent.body.split() if "/invitation/" in word]
    assert Client().get("/" + address.split("/", 3)[3]).status_code == 200


def test_a_link_that_could_not_be_mailed_is_told_so_and_not_shown(
    office: Office, mail: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> int:
        raise SMTPServerDisconnected

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", refuse)
    ewa = enter(office, office.ewa)
    answer = ewa.post(reverse("member_action", args=[office.iza.number, "invite"]))
    assert answer.status_code == 502
    assert "could not be mailed" in answer.content.decode()
    assert "/invitation/" not in answer.content.decode()
    with pytest.raises(CommandError, match="without GATEKEEPER_MAIL_URL"):
        call_command("invite", office.iza.number)


def test_the_command_mails_it_too(
    office: Office, mail: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("invite", office.iza.number)
    assert "/invitation/" not in capsys.readouterr().out
    assert "/invitation/" in mail[0].body


# What each guard is worth


def test_without_its_line_a_sign_in_ends_no_link(office: Office, twins: Twins) -> None:
    address = office.link(office.anna)
    twins.without("verify_session", "PERFORM staff.end_links(s.member_id);", "NULL;")
    sign_in(office, office.anna)
    assert Client().get(address).status_code == 200


def test_without_its_question_a_suspended_officers_link_works(office: Office, twins: Twins) -> None:
    address = office.link(office.iza, by=office.ewa)
    by: Caller = office.session(office.jan)
    assert people.change_member(by, office.ewa.number, "suspended", True) == "held"  # one of the last two
    assert is_dead(address)
    twins.without("is_good_link", "(x.made_by_id IS NULL OR staff.still_may(x.made_by_id, 'people'))", "true")
    assert use(Client(), address)["Location"] == "/sign-in/enrol/"
