"""Second factors: passkeys, applications, recovery codes; proving, enrolling, adding, removing, losing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnAttestation, WebAuthnCredential

from audit.models import Entry
from staff.frame import background
from staff.models import Invitation, RecoveryCode, RecoveryDevice, Session, TotpDevice
from staff.secrets import recovery_codes, totp
from staff.sign_in import factors, invitations, sheets
from tests.conftest import AsRole, Connection
from tests.world import Person, World
from tests.world.authenticator import PRESENT, Passkey
from tests.world.house import House
from tests.world.keys import session_of, with_an_entry
from tests.world.notices import none_recorded, none_taken
from tests.world.people import device_of, fresh_code, give_factors, give_password, member
from tests.world.scene import digest_in, enter

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
PASSWORD = "eleven patient herons"


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    """She has an application."""
    person = world.member("consultant")
    give_factors(world, person)
    return person


@pytest.fixture
def ewa(world: World) -> Person:
    """She is new."""
    return world.member("consultant")


@pytest.fixture
def mails(settings: Any) -> list[Any]:
    settings.EMAIL_HOST = "mail.firma.example"
    return mail.outbox


def refused() -> list[str]:
    """The reasons of the refusals recorded so far, oldest first."""
    rows = Entry.objects.filter(event="sign_in_failed", outcome="refused").order_by("id")
    return [entry.reason for entry in rows]


def changes() -> list[tuple[str, str]]:
    """Which factors changed, and whose."""
    rows = Entry.objects.filter(event="change", changes__isnull=True, source="").order_by("id")
    return [(entry.object_repr, entry.member) for entry in rows]


def post(client: Client, name: str, data: Any = None) -> Any:
    return client.post(reverse(name), data if data is not None else {}, content_type="application/json")


def add_passkey(client: Client, passkey: Passkey | None = None, **more: Any) -> Passkey:
    """Go through the ceremony for a new passkey."""
    made = passkey or Passkey()
    question = post(client, "passkey_add_begin")
    assert question.status_code == 200, question.content
    answer = post(client, "passkey_add_complete", made.created(question.json()) | more)
    assert answer.status_code == 200, answer.content
    return made


def prove(client: Client, passkey: Passkey, **wrong: Any) -> Any:
    """Go through the ceremony for a proof."""
    question = post(client, "passkey_begin").json()
    return post(client, "passkey_complete", passkey.proved(question, **wrong))


def by_link(person: Person) -> Client:
    """A browser in which somebody came by a one-time link and has set a password."""
    client = Client()
    address = invitations.path_of(invitations.invite(member(person)))
    client.post(address, {"password": PASSWORD, "again": PASSWORD})
    return client


def with_passkey(world: World, person: Person) -> Passkey:
    """Give a member a passkey, and nothing else but what they have."""
    client = enter(world, person) if factors.has_factor(member(person)) else by_link(person)
    passkey = add_passkey(client)
    client.post(reverse("sign_out"))
    return passkey


def half_way(person: Person, password: str = PASSWORD) -> Client:
    """A browser in which the password was given."""
    client = Client()
    give_password(client, person, password)
    return client


# Enrolling


def test_a_passkey_is_enrolled_by_the_link_and_codes_follow(world: World, ewa: Person) -> None:
    client = by_link(ewa)
    page = client.get(reverse("enrol")).content.decode()
    assert page.index("passkeys/add/begin") < page.index("<svg")  # the passkey is offered first
    assert post(client, "passkey_add_begin").json()["user"]["name"] == ewa.number
    add_passkey(client)
    codes = client.post(reverse("enrol")).context["codes"]
    assert client.post(reverse("recovery_kept"))["Location"] == "/"
    assert client.get(reverse("profile")).status_code == 200
    session = session_of(digest_in(client))
    assert (session.factor, session.verified_at is not None) == ("passkey", True)
    assert changes() == [("passkey added", ewa.number), ("recovery codes made", ewa.number)]
    assert verified(ewa, codes[0]) is not None
    assert Invitation.objects.filter(used_at__isnull=True).count() == 0
    assert WebAuthnAttestation.objects.count() == 0


def test_nobody_gets_past_enrolment_without_a_factor(world: World, ewa: Person) -> None:
    client = by_link(ewa)
    for name in ("home", "profile", "factors", "add_passkey", "step_up"):
        assert client.get(reverse(name))["Location"].startswith("/sign-in/enrol/"), name
    for name in ("recovery_codes", "recovery_kept", "remove_factor"):
        assert client.post(reverse(name))["Location"].startswith("/sign-in/enrol/"), name
    assert not RecoveryDevice.objects.exists()


def test_a_password_alone_enrols_no_passkey(world: World, ewa: Person) -> None:
    by_link(ewa)
    thief = half_way(ewa)
    assert post(thief, "passkey_add_begin").status_code == 403
    assert (
        post(thief, "passkey_add_complete", Passkey().proved({"challenge": "", "rpId": ""})).status_code
        == 403
    )
    assert not WebAuthnCredential.objects.exists()
    assert refused() == ["mfa_stale", "mfa_stale"]


def test_a_link_for_a_password_enrols_nothing(world: World, ewa: Person) -> None:
    client = by_link(ewa)
    world.setup.execute("UPDATE staff_invitation SET purpose = 'password'")
    assert client.get(reverse("enrol")).status_code == 403
    assert post(client, "passkey_add_begin").status_code == 403


# Proving


def test_a_passkey_after_the_password_and_for_a_step_up(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    key = digest_in(client)
    assert client.get(reverse("profile"))["Location"].startswith("/sign-in/code/")
    assert prove(client, passkey).json() == {}
    assert digest_in(client) != key  # ASVS 7.2.4
    session = session_of(digest_in(client))
    assert session.factor == "passkey"
    assert client.post(reverse("sign_in_code"), {"next": "/profile/"})["Location"] == "/profile/"
    world.change("staff_session", session.pk, verified_at=timezone.now() - timedelta(hours=1))
    assert prove(client, passkey).status_code == 200
    assert client.post(reverse("step_up"), {"next": "/profile/"})["Location"] == "/profile/"
    rows = Entry.objects.filter(event="sign_in").order_by("-id")[:2]
    assert [(entry.object_repr, entry.factor) for entry in rows] == [
        ("step-up", "passkey"),
        ("code", "passkey"),
    ]


def test_a_passkey_is_never_a_way_in_by_itself(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    visitor = Client()
    assert post(visitor, "passkey_begin").status_code == 302
    answer = passkey.proved({"challenge": "AAAA", "rpId": "localhost"})
    assert post(visitor, "passkey_complete", answer)["Location"].startswith("/sign-in/")
    assert not Session.objects.filter(verified_at__isnull=False, ended_at__isnull=True).exists()


def test_a_passkey_alone_resumes_a_locked_session(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    prove(client, passkey)
    session = session_of(digest_in(client))
    for _ in range(2):
        world.change("staff_session", session.pk, last_seen_at=timezone.now() - timedelta(minutes=20))
        assert client.get(reverse("profile")).status_code == 403
        assert prove(client, Passkey(id=passkey.id)).status_code == 403
        assert client.get(reverse("profile")).status_code == 403
        assert prove(client, passkey).status_code == 200
        assert client.get(reverse("profile")).status_code == 200
    assert session_of(digest_in(client)).pk == session.pk
    rows = Entry.objects.filter(event="sign_in").order_by("-id")[:2]
    assert [entry.object_repr for entry in rows] == ["unlock", "unlock"]
    assert refused() == ["passkey_wrong"] * 2


def _foreign(world: World, anna: Person, own: Passkey) -> Passkey:
    other = world.member("consultant")
    give_factors(world, other)
    return with_passkey(world, other)


def _unknown(world: World, anna: Person, own: Passkey) -> Passkey:
    return Passkey()


def _unconfirmed(world: World, anna: Person, own: Passkey) -> Passkey:
    device = WebAuthnCredential.objects.get(user_id=anna.id)
    world.change("django_otp_webauthn_webauthncredential", device.pk, confirmed=False)
    return own


def _elsewhere(world: World, anna: Person, own: Passkey) -> Passkey:
    return Passkey(origin="https://gatekeeper.example", id=own.id, key=own.key, count=5)


def _another_key(world: World, anna: Person, own: Passkey) -> Passkey:
    return Passkey(id=own.id, count=5)


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (_foreign, "passkey_foreign"),
        (_unknown, "passkey_unknown"),
        (_unconfirmed, "passkey_unconfirmed"),
        (_elsewhere, "passkey_wrong"),
        (_another_key, "passkey_wrong"),
    ],
)
def test_a_passkey_that_is_not_hers_proves_nothing(
    world: World, anna: Person, arrange: Callable[[World, Person, Passkey], Passkey], reason: str
) -> None:
    passkey = arrange(world, anna, with_passkey(world, anna))
    client = half_way(anna, "three quiet otters dance")
    before = refused()
    answer = prove(client, passkey)
    assert answer.status_code == 403
    assert reason not in answer.content.decode()  # for the log alone
    assert refused() == [*before, reason]
    assert session_of(digest_in(client)).verified_at is None
    assert client.get(reverse("profile")).status_code == 302


def test_whoever_holds_it_must_be_verified_by_it(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    assert prove(client, passkey, flags=PRESENT).status_code == 403
    assert refused() == ["passkey_wrong"]
    assert post(client, "passkey_begin").json()["userVerification"] == "required"


def test_a_counter_that_goes_back_is_a_copy(world: World, anna: Person, mails: list[Any]) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    assert prove(client, passkey, step=7).status_code == 200
    background.finish()
    del mails[:]
    for step in (0, -3):
        assert prove(client, passkey, step=step).status_code == 403
    assert refused() == ["passkey_cloned", "passkey_cloned"]
    assert WebAuthnCredential.objects.get(user_id=anna.id).sign_count == 7
    background.finish()
    assert len(mails) == 2
    assert prove(client, passkey, step=9).status_code == 200


def test_a_copy_is_told_by_its_signature_not_by_what_anybody_sends(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    assert prove(client, passkey, step=7).status_code == 200
    assert prove(client, Passkey(id=passkey.id), step=1).status_code == 403
    assert refused() == ["passkey_wrong"]


def test_a_synced_passkey_counts_nothing(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    assert [prove(client, passkey, step=0).status_code for _ in range(2)] == [200, 200]


def test_attack_21_an_answer_is_good_once(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    question = post(client, "passkey_begin").json()
    answer = passkey.proved(question, step=0)
    assert post(client, "passkey_complete", answer).status_code == 200
    assert post(client, "passkey_complete", answer).status_code == 403
    assert refused() == ["passkey_not_asked"]


def test_attack_21_an_answer_is_good_once_also_in_parallel(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    client = half_way(anna, "three quiet otters dance")
    answer = passkey.proved(post(client, "passkey_begin").json(), step=0)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    assert together(6, lambda: send_with(cookies, answer)).count(200) == 1


def send_with(cookies: dict[str, str], answer: dict[str, Any]) -> int:
    twin = Client(raise_request_exception=False)
    for name, value in cookies.items():
        twin.cookies[name] = value
    return int(post(twin, "passkey_complete", answer).status_code)


def together(number: int, act: Callable[[], Any]) -> list[Any]:
    """What an act returns when so many do it at once."""
    results: list[Any] = []
    start = threading.Barrier(number)

    def attempt() -> None:
        start.wait()
        results.append(act())
        connections.close_all()

    threads = [threading.Thread(target=attempt) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_a_question_is_answered_in_time_and_for_its_own_purpose(
    world: World, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    passkey = with_passkey(world, anna)
    client = enter(world, anna)
    question = post(client, "passkey_add_begin").json()
    asked = {"challenge": question["challenge"], "rpId": "localhost"}
    assert post(client, "passkey_complete", passkey.proved(asked)).status_code == 403
    question = post(client, "passkey_begin").json()
    monkeypatch.setattr("staff.sign_in.passkeys.PATIENCE", 0)
    assert post(client, "passkey_complete", passkey.proved(question)).status_code == 403
    assert refused() == ["passkey_not_asked", "passkey_not_asked"]


BROKEN: list[Any] = [
    None,
    [],
    "x",
    7,
    {},
    {"id": 1},
    {"id": "a", "rawId": "a", "type": "public-key", "response": {}},
]


@pytest.mark.parametrize("name", ["passkey_complete", "passkey_add_complete"])
def test_what_cannot_be_read_is_refused(world: World, anna: Person, name: str) -> None:
    passkey = with_passkey(world, anna)
    client = enter(world, anna)
    adding = name == "passkey_add_complete"
    begin = "passkey_add_begin" if adding else "passkey_begin"
    whole = post(client, begin).json()
    good = Passkey().created(whole) if adding else passkey.proved(whole)
    parts = (
        {"response": good["response"] | {part: junk}}
        for part in good["response"]
        for junk in ("!", "AAAA", 5)
    )
    for sent in [*BROKEN, *(good | part for part in parts)]:
        post(client, begin)
        assert post(client, name, sent).status_code == 403, sent
    for raw in (b"", b"{", b"\xff\xfe\x00"):
        post(client, begin)
        answer = client.post(reverse(name), raw, content_type="application/json")
        assert answer.status_code == 403
    assert WebAuthnCredential.objects.count() == 1


# Codes


def test_the_code_of_either_application_is_right(world: World, anna: Person) -> None:
    second = factors.enrol_totp(member(anna))
    world.change("staff_totpdevice", second.pk, confirmed=True)
    from_second = totp.current_code(second.key)
    assert verified(anna, from_second) is not None
    assert factors.seconds_to_wait(member(anna)) == 0  # it was no miss of the first


def verified(person: Person, code: str) -> factors.Device | None:
    """What a code proves by itself; the entry is the page's, in the same transaction."""
    with with_an_entry(member(person)):
        return factors.verify(member(person), code)


def kept(person: Person) -> bool:
    """The newest sheet is put into use; the entry is the page's, in the same transaction."""
    with with_an_entry(member(person)):
        return sheets.keep(member(person))


def sheet_of(world: World, person: Person) -> list[str]:
    codes = sheets.make(member(person))
    assert kept(person)
    return codes


def test_recovery_codes_are_ten_long_and_stored_hashed(world: World, anna: Person) -> None:
    codes = sheet_of(world, anna)
    assert len({*codes}) == 10
    assert all(len(code.replace("-", "")) * 5 >= 64 for code in codes)
    rows = repr(world.setup.execute("SELECT * FROM staff_recoverycode").fetchall())
    assert not any(code in rows or code.replace("-", "") in rows for code in codes)
    assert RecoveryCode.objects.filter(digest=recovery_codes.digest_of(codes[0])).count() == 1


def test_a_recovery_code_is_good_once(world: World, anna: Person, mails: list[Any]) -> None:
    codes = sheet_of(world, anna)
    client = half_way(anna, "three quiet otters dance")
    typed = f" {codes[0].lower().replace('-', ' ')}\t"
    assert client.post(reverse("sign_in_code"), {"code": typed}).status_code == 302
    assert session_of(digest_in(client)).factor == "recovery"
    page = client.get(reverse("factors")).content.decode()
    assert "You used a recovery code; 9 are left." in page
    assert "9 codes are left." in page
    assert changes()[-1] == ("recovery code used", anna.number)
    background.finish()
    assert [one.subject for one in mails] == ["A recovery code of yours was used"]
    assert not any(code in str(mails[0].message()) for code in codes)
    assert anna.number not in mails[0].body
    for again in (codes[0], typed, codes[0].replace("-", "\u00a0")):
        assert verified(anna, again) is None


def test_a_recovery_code_is_good_once_also_in_parallel(world: World, anna: Person) -> None:
    code = sheet_of(world, anna)[0]
    results = together(6, lambda: verified(anna, code) is not None)
    assert results.count(True) == 1


def test_wrong_recovery_codes_are_slowed_down_and_slow_nothing_else(world: World, anna: Person) -> None:
    codes = sheet_of(world, anna)
    wrong = "AAAA-BBBB-CCCC-DDDD"
    device = sheets.in_use(member(anna))
    assert device is not None
    for _ in range(3):
        world.change("staff_recoverydevice", device.pk, throttling_failure_timestamp=None)
        assert verified(anna, wrong) is None
    assert verified(anna, codes[0]) is None
    assert factors.seconds_to_wait(member(anna), wrong) > 1
    assert factors.seconds_to_wait(member(anna)) == 0
    assert verified(anna, fresh_code(world, anna)) is not None
    world.change("staff_recoverydevice", device.pk, throttling_failure_timestamp=None)
    assert verified(anna, codes[0]) is not None


def test_codes_that_were_not_kept_do_not_count_and_the_old_ones_still_do(world: World, anna: Person) -> None:
    old = sheet_of(world, anna)
    new = sheets.make(member(anna))
    assert verified(anna, new[0]) is None
    assert verified(anna, old[0]) is None  # the miss before slows it down
    world.setup.execute("UPDATE staff_recoverydevice SET throttling_failure_count = 0")
    assert verified(anna, old[0]) is not None
    assert kept(anna)
    assert verified(anna, new[0]) is not None
    assert verified(anna, old[1]) is None
    assert not kept(anna)


def test_the_file_holds_the_codes_of_the_page_and_nobody_elses(world: World, anna: Person) -> None:
    client = enter(world, anna)
    codes = client.post(reverse("recovery_codes")).context["codes"]
    answer = client.post(reverse("recovery_file"), {"codes": codes})
    assert answer.content.decode().split() == codes
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"].startswith("attachment")
    other = world.member("consultant")
    give_factors(world, other)
    assert enter(world, other).post(reverse("recovery_file"), {"codes": codes}).status_code == 403
    assert client.post(reverse("recovery_file"), {"codes": ["<script>", *codes]}).status_code == 403


def shown_in(page: Any, name: str) -> str:
    """The value of a page's hidden field."""
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', page.content.decode())
    assert found is not None
    return found[1]


def test_codes_of_which_another_tab_made_newer_ones_are_not_kept_in_silence(
    world: World, anna: Person
) -> None:
    client = enter(world, anna)
    older = client.post(reverse("recovery_codes"))
    newer = client.post(reverse("recovery_codes"))
    kept_older = client.post(reverse("recovery_kept"), {"sheet": shown_in(older, "sheet")}, follow=True)
    assert "do not count" in kept_older.content.decode()
    assert not RecoveryDevice.objects.filter(confirmed=True).exists()
    client.post(reverse("recovery_kept"), {"sheet": shown_in(newer, "sheet")})
    assert RecoveryDevice.objects.filter(confirmed=True).count() == 1


def test_a_key_that_another_tab_replaced_is_said_to_be_another(world: World, anna: Person) -> None:
    client = enter(world, anna)
    scanned = client.get(reverse("add_totp"))
    waiting = factors.waiting_totp(member(anna))
    assert waiting is not None
    client.get(reverse("add_totp"))
    code = totp.current_code(waiting.key)
    answer = client.post(reverse("add_totp"), {"code": code, "key": shown_in(scanned, "key")})
    assert "made another key" in answer.content.decode()
    assert not Entry.objects.filter(event="sign_in_failed").exists()
    again = factors.waiting_totp(member(anna))
    assert again is not None
    assert shown_in(answer, "key") == factors.mark_of_key(again)


# Adding and removing


def _add_totp(world: World, person: Person, client: Client) -> Any:
    client.get(reverse("add_totp"))
    device = factors.waiting_totp(member(person))
    assert device is not None
    form = {"code": totp.current_code(device.key), "name": " old\ttelephone "}
    return client.post(reverse("add_totp"), form)


def _add_passkey(world: World, person: Person, client: Client) -> Any:
    add_passkey(client, name="blue\u202e key")


def _remove(world: World, person: Person, client: Client) -> Any:
    pk = TotpDevice.objects.filter(user_id=person.id, confirmed=True).earliest("pk").pk
    return client.post(reverse("remove_factor"), {"kind": "totp", "pk": pk})


def _renew_codes(world: World, person: Person, client: Client) -> Any:
    client.post(reverse("recovery_codes"))
    return client.post(reverse("recovery_kept"), {"next": reverse("factors")})


ACTS = [
    (_add_totp, "totp added"),
    (_add_passkey, "passkey added"),
    (_remove, "totp removed"),
    (_renew_codes, "recovery codes made"),
]


@pytest.fixture
def two(world: World, anna: Person) -> Person:
    """She has two applications."""
    device = factors.enrol_totp(member(anna))
    world.change("staff_totpdevice", device.pk, confirmed=True)
    return anna


def enter_by_newest(world: World, person: Person) -> Client:
    """A browser whose session was verified by the newest application."""
    newest = TotpDevice.objects.filter(user_id=person.id, confirmed=True).latest("pk")
    client = half_way(person, "three quiet otters dance")
    client.post(reverse("sign_in_code"), {"code": totp.current_code(newest.key)})
    world.change("staff_totpdevice", newest.pk, last_step=-1)
    return client


@pytest.mark.usefixtures("mails")
@pytest.mark.parametrize("act", [act for act, _what in ACTS])
def test_a_change_and_its_notice_are_one(
    world: World, two: Person, act: Callable[[World, Person, Client], Any]
) -> None:
    client = enter_by_newest(world, two)
    background.finish()
    with none_taken(world):
        act(world, two, client)
    with none_recorded(world):
        act(world, two, client)


@pytest.mark.usefixtures("mails")
def test_a_recovery_code_is_used_with_its_notice_or_not_at_all(world: World, anna: Person) -> None:
    codes = sheet_of(world, anna)
    client = half_way(anna, "three quiet otters dance")
    for not_done in (none_taken, none_recorded):
        with not_done(world):
            client.post(reverse("sign_in_code"), {"code": codes[0]})
    assert client.post(reverse("sign_in_code"), {"code": codes[0]}).status_code == 302


@pytest.mark.parametrize(("act", "what"), ACTS)
def test_attack_20_a_change_of_factors_ends_what_the_earlier_ones_verified(
    world: World, two: Person, mails: list[Any], act: Callable[[World, Person, Client], Any], what: str
) -> None:
    here, there = enter_by_newest(world, two), enter_by_newest(world, two)
    half = half_way(two, "three quiet otters dance")
    act(world, two, here)
    assert there.get(reverse("profile"))["Location"].startswith("/sign-in/?why=session_ended")
    assert half.get(reverse("sign_in_code")).status_code == 302
    assert here.get(reverse("profile"))["Location"].startswith("/sign-in/code/")
    assert not Session.objects.filter(verified_at__isnull=False, ended_at__isnull=True).exists()
    assert changes()[-1] == (what, two.number)
    background.finish()
    assert [one.subject for one in mails] == ["Your second factors have changed"]
    assert two.number not in mails[0].body
    newest = TotpDevice.objects.filter(user_id=two.id, confirmed=True).latest("pk")
    world.change("staff_totpdevice", newest.pk, last_step=-1)
    here.post(reverse("sign_in_code"), {"code": totp.current_code(newest.key)})
    assert here.get(reverse("factors")).status_code == 200


@pytest.mark.parametrize(("act", "what"), ACTS[2:])
@pytest.mark.parametrize("minutes", [6, 60])
def test_a_change_of_factors_asks_for_a_fresh_proof(
    world: World, two: Person, act: Callable[[World, Person, Client], Any], what: str, minutes: int
) -> None:
    client = enter_by_newest(world, two)
    old = timezone.now() - timedelta(minutes=minutes)
    world.change("staff_session", Session.objects.latest("pk").pk, verified_at=old)
    before = (TotpDevice.objects.count(), RecoveryDevice.objects.count())
    act(world, two, client)
    assert (TotpDevice.objects.count(), RecoveryDevice.objects.count()) == before
    assert changes() == []


def test_adding_asks_for_a_fresh_proof(world: World, two: Person) -> None:
    client = enter_by_newest(world, two)
    question = post(client, "passkey_add_begin").json()
    old = timezone.now() - timedelta(minutes=6)
    world.change("staff_session", Session.objects.latest("pk").pk, verified_at=old)
    for name in ("add_passkey", "add_totp"):
        assert client.get(reverse(name))["Location"].startswith("/step-up/"), name
    assert client.post(reverse("add_totp"), {"code": "000000"}).status_code == 403
    assert post(client, "passkey_add_begin").status_code == 403
    assert post(client, "passkey_add_complete", Passkey().created(question)).status_code == 403
    assert changes() == []


def test_the_last_factor_is_never_removed(world: World, anna: Person) -> None:
    sheet_of(world, anna)
    client = enter(world, anna)
    form = {"kind": "totp", "pk": device_of(anna).pk}
    page = client.post(reverse("remove_factor"), form)
    assert page.status_code == 409
    assert "only second factor" in page.content.decode()
    assert device_of(anna).confirmed


def test_of_two_that_remove_one_each_one_stays(world: World, two: Person) -> None:
    first, second = TotpDevice.objects.filter(user_id=two.id).order_by("pk")
    clients = [enter_by_newest(world, two), enter_by_newest(world, two)]
    forms = iter([(clients[0], first.pk), (clients[1], second.pk)])

    def act() -> int:
        client, pk = next(forms)
        return int(client.post(reverse("remove_factor"), {"kind": "totp", "pk": pk}).status_code)

    together(2, act)
    assert TotpDevice.objects.filter(user_id=two.id).count() == 1


def test_nobody_removes_what_is_anothers(world: World, two: Person) -> None:
    other = world.member("consultant")
    give_factors(world, other)
    client = enter_by_newest(world, two)
    for form in ({"kind": "totp", "pk": device_of(other).pk}, {"kind": "recovery", "pk": 1}, {"pk": "x"}):
        assert client.post(reverse("remove_factor"), form).status_code == 409
    assert device_of(other).confirmed


def test_a_passkey_belongs_to_one_member(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    other = world.member("consultant")
    give_factors(world, other)
    client = enter(world, other)
    question = post(client, "passkey_add_begin").json()
    assert post(client, "passkey_add_complete", passkey.created(question)).status_code == 403
    assert refused() == ["passkey_known"]
    assert WebAuthnCredential.objects.get().user_id == anna.id


def test_names_are_one_line_of_what_can_be_printed(world: World, anna: Person) -> None:
    client = enter(world, anna)
    add_passkey(client, name="  blue\u202e\r\nkey " + "x" * 100)
    assert WebAuthnCredential.objects.get().name == ("blue key " + "x" * 100)[:64]
    client = enter(world, anna)
    add_passkey(client, name=["no", "text"])
    assert WebAuthnCredential.objects.latest("pk").name == ""


def test_the_page_shows_ones_own_factors(world: World, anna: Person) -> None:
    other = world.member("consultant")
    give_factors(world, other)
    with_passkey(world, other)
    page = enter(world, anna).get(reverse("factors"))
    assert [(kind, device.user_id) for kind, device in page.context["devices"]] == [("totp", anna.id)]
    assert "the only one" in page.content.decode()


# What the database holds by itself


def test_attack_20_a_factor_that_goes_by_any_path_verifies_nothing(world: World, two: Person) -> None:
    client = enter_by_newest(world, two)
    world.setup.execute(
        "DELETE FROM staff_totpdevice WHERE id = (SELECT min(id) FROM staff_totpdevice WHERE user_id = %s)",
        [two.id],
    )
    assert session_of(digest_in(client)).verified_at is None
    assert client.get(reverse("profile"))["Location"].startswith("/sign-in/code/")


def test_a_key_that_waits_for_its_code_changes_nothing(world: World, anna: Person) -> None:
    client = enter(world, anna)
    client.get(reverse("add_totp"))
    TotpDevice.objects.filter(user_id=anna.id, confirmed=False).delete()
    assert client.get(reverse("profile")).status_code == 200


def test_the_pages_role_hands_no_passkey_on_and_changes_no_key(
    world: World, anna: Person, as_role: AsRole
) -> None:
    with_passkey(world, anna)
    web = as_role("gatekeeper_web")
    for column in ("user_id = 1", "public_key = ''", "credential_id = ''", "confirmed = true"):
        with pytest.raises(Exception, match="permission denied"):
            web.execute(f"UPDATE django_otp_webauthn_webauthncredential SET {column}")
    with pytest.raises(Exception, match="permission denied"):
        web.execute("UPDATE staff_recoverycode SET digest = ''")


# Losing all of them


def test_after_a_reset_only_a_new_link_enrols(world: World, anna: Person) -> None:
    passkey = with_passkey(world, anna)
    sheet_of(world, anna)
    client = enter(world, anna)
    early = invitations.path_of(invitations.invite(member(anna)))
    House(world).reset_factors(anna)
    assert not factors.has(member(anna), *factors.KINDS)
    assert RecoveryCode.objects.count() == 0
    assert client.get(reverse("profile"))["Location"].startswith("/sign-in/?why=session_ended")
    assert Client().get(early).status_code == 404
    thief = half_way(anna, "three quiet otters dance")
    assert thief.get(reverse("enrol")).status_code == 403
    assert post(thief, "passkey_add_begin").status_code == 403
    assert prove(thief, passkey).status_code == 403
    client = by_link(anna)
    add_passkey(client, passkey)
    assert client.post(reverse("enrol")).context["codes"]
    assert client.get(reverse("profile")).status_code == 200
