"""Agreements in the database: publishing, signing, countersigning, filing, confirming, withdrawing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import psycopg.types.json
import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from audit.database import rows
from gatekeeper.access import grants
from gatekeeper.installation import roles
from gatekeeper.models import Grant
from staff.directory import people
from staff.models import NdaVersion, Signature, SignatureFile
from staff.nda import by_command, signatures, versions
from tests.conftest import AsRole, Connection
from tests.world import LONG_AGO, Person, World, ndas, now
from tests.world.scene import REFERENCE, Scene, enter, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

DAY = timedelta(days=1)


@pytest.fixture
def world(scene: Scene) -> World:
    return scene.world


def signed(world: World, role: str) -> Person:
    person = world.member(role)
    world.signature(person)
    return person


@pytest.fixture
def officer(world: World) -> Person:
    return signed(world, "people")


def signature(pk: int | None) -> Signature:
    assert pk is not None
    return Signature.objects.get(pk=pk)


def details(event: str) -> dict[str, Any]:
    """What the newest entry of an event says beside its columns."""
    found: dict[str, Any] = newest(event).details or {}
    return found


def nda_code(scene: Scene) -> str:
    """What the gate says of Anna's agreement: a code, or 'passed'."""
    return scene.evaluate().codes["nda"]


# The gate's codes: one thing taken away


def without(scene: Scene) -> None:
    """No signature at all: it is another's."""
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], member_id=scene.carl.id)


def facts(**changes: Any) -> Callable[[Scene], None]:
    return lambda scene: scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], **changes)


def new_version(days_ago: int, grace: int) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        scene.world.version(2, effective_at=now() - days_ago * DAY, grace_days=grace)

    return change


@pytest.mark.parametrize(
    ("take_away", "code"),
    [
        (lambda _scene: None, "passed"),
        (without, "nda_missing"),
        (facts(counts_from=None), "nda_missing"),
        (facts(counts_from=now() + DAY), "nda_missing"),
        (facts(valid_until=now()), "nda_expired"),
        (facts(withdrawn_at=now()), "nda_withdrawn"),
        (new_version(1, 14), "passed"),
        (new_version(1, 0), "nda_old_version"),
        (new_version(15, 14), "nda_old_version"),
        (new_version(13, 14), "passed"),
    ],
)
def test_each_reason_of_the_nda_by_taking_away_one_thing(
    scene: Scene, take_away: Callable[[Scene], None], code: str
) -> None:
    scene.opened()
    assert scene.reason() == ""
    take_away(scene)
    assert nda_code(scene) == code
    assert scene.reason() == ("" if code == "passed" else code)


def test_an_early_signature_of_a_version_to_come_says_nothing_yet(scene: Scene) -> None:
    """Whose agreement has expired is not told that it is of an old version."""
    scene.world.version(2, effective_at=now() + DAY)
    scene.world.signature(scene.anna, version=2, signed_at=now())
    assert nda_code(scene) == "passed"
    facts(valid_until=now())(scene)
    assert nda_code(scene) == "nda_expired"


def test_a_signature_of_a_recalled_version_says_nothing_for_ever(scene: Scene) -> None:
    scene.world.version(2, effective_at=now() + DAY)
    scene.world.signature(scene.anna, version=2, signed_at=now())
    scene.world.quietly_version(2, effective_at=now() - DAY, recalled_at=now() - 2 * DAY)
    assert nda_code(scene) == "passed"
    facts(valid_until=now())(scene)
    assert nda_code(scene) == "nda_expired"


def test_a_grant_under_an_old_version_is_over_for_good(scene: Scene) -> None:
    """Signing the new version opens nothing that was approved under the old one."""
    scene.opened()
    scene.world.version(2, effective_at=now() + DAY, grace_days=0)
    scene.world.signature(scene.boss, version=2)  # whoever approved may still
    scene.world.quietly_version(2, effective_at=now() - DAY)
    assert scene.reason() == "nda_old_version"
    assert ndas.sign(scene.caller, scene.anna, 2)[1] == ""
    assert nda_code(scene) == "passed"
    assert scene.reason() == "grant_ended"
    [(ended, _requests)] = scene.world.setup.execute(
        "SELECT grants, requests FROM gatekeeper.tidy()"
    ).fetchall()
    assert ended == 1
    assert details("end")["why"] == "nda_old_version"
    assert scene.reason() == "grant_ended"


def test_a_window_ends_with_the_grace(scene: Scene) -> None:
    grant = scene.approved()
    ends = now() + timedelta(minutes=5)
    scene.world.version(2, effective_at=ends - 14 * DAY, grace_days=14)
    assert grants.open_window(scene.caller, grant=grant, account=REFERENCE) is None
    assert Grant.objects.get(pk=grant).window_ends_at == ends


# Versions


def test_a_version_is_published_with_its_texts_and_their_hashes(world: World, officer: Person) -> None:
    wanted = ndas.terms(2, countersigned=True)
    assert versions.publish(world.session(officer), wanted) == ""
    version = NdaVersion.objects.get(pk=2)
    assert (version.text_pl, version.countersigned) == (wanted.text_pl, True)
    assert bytes(version.sha256_pl) == hashlib.sha256(wanted.text_pl.encode()).digest()
    assert bytes(version.sha256_en) == hashlib.sha256(wanted.text_en.encode()).digest()
    assert (version.published_by_id, version.effective_at) == (officer.id, wanted.effective_at)
    assert details("change")["sha256_pl"] == bytes(version.sha256_pl).hex()
    assert wanted.text_en not in repr(details("change"))


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 1},
        {"number": 0},
        {"effective_at": LONG_AGO},
        {"term_days": 0},
        {"term_days": 3651},
        {"grace_days": -1},
        {"grace_days": 366},
        {"text_en": " \n"},
        {"text_pl": ""},
        {"text_pl": "x" * 100_001},
    ],
)
def test_versions_that_cannot_be(world: World, officer: Person, changes: dict[str, Any]) -> None:
    assert versions.publish(world.session(officer), ndas.terms(**changes)) == "value_refused"
    assert newest("change").reason == "value_refused"
    assert NdaVersion.objects.count() == 1


def test_moments_only_grow_and_an_officer_publishes_nothing_into_the_past(
    world: World, officer: Person
) -> None:
    caller = world.session(officer)
    assert versions.publish(caller, ndas.terms(2, effective_at=now() - DAY)) == "value_refused"
    assert versions.publish(caller, ndas.terms(2, effective_at=now() + 9 * DAY)) == ""
    assert versions.publish(caller, ndas.terms(3, effective_at=now() + 8 * DAY)) == "value_refused"
    # A command takes over what was required long before.
    old = ndas.terms(3, effective_at=LONG_AGO - DAY)
    assert by_command.publish_by_command("x", old) == "value_refused"


def test_a_version_of_today_is_required_from_now_on(world: World, officer: Person) -> None:
    before = now()
    wanted = ndas.terms(2, effective_at=before - timedelta(seconds=30))
    assert versions.publish(world.session(officer), wanted) == ""
    assert NdaVersion.objects.get(pk=2).effective_at >= before


def test_a_version_is_recalled_before_its_moment_and_never_after(scene: Scene, officer: Person) -> None:
    caller = scene.world.session(officer)
    assert versions.publish(caller, ndas.terms(2, grace_days=0)) == ""
    assert versions.recall(caller, 2) == ""
    assert versions.recall(caller, 2) == "no_change"
    assert versions.recall(caller, 1) == "value_refused"
    assert versions.recall(caller, 7) == "value_refused"
    scene.world.quietly_version(2, effective_at=now() - DAY, recalled_at=now() - 2 * DAY)
    assert nda_code(scene) == "passed"  # nobody is required to have signed it
    assert versions.publish(caller, ndas.terms(2)) == "value_refused"  # its number is gone
    assert versions.publish(caller, ndas.terms(3)) == ""


def test_a_recalled_version_can_not_be_signed(scene: Scene, officer: Person) -> None:
    caller = scene.world.session(officer)
    assert versions.publish(caller, ndas.terms(2)) == ""
    assert versions.recall(caller, 2) == ""
    assert ndas.sign(scene.caller, scene.anna, 2)[1] == "value_refused"


# Signing in the application


def test_a_signature_lasts_to_the_end_of_its_last_day(scene: Scene) -> None:
    scene.world.version(2, effective_at=now() - DAY)
    number, reason = ndas.sign(scene.caller, scene.anna, 2)
    assert reason == ""
    made = signature(number)
    local = made.valid_until.astimezone(ZoneInfo(settings.TIME_ZONE))
    last_day = made.signed_at.astimezone(local.tzinfo).date() + 365 * DAY
    assert local.replace(tzinfo=None) == datetime.combine(last_day + DAY, datetime.min.time())
    assert (made.form, made.language, made.entered_by_id) == ("documentary", "en", scene.anna.id)
    assert made.counts_from is not None
    file = SignatureFile.objects.get(signature=made)
    assert bytes(file.data) == ndas.PDF
    assert bytes(file.sha256) == hashlib.sha256(ndas.PDF).digest()
    assert (newest("sign").subject, newest("sign").outcome) == (scene.anna.number, "allowed")
    assert details("sign")["sha256"] == bytes(file.sha256).hex()


FORGED: dict[str, dict[str, Any]] = {
    "another's number": {"forged": {"number": "K-0001"}},
    "another's name": {"forged": {"name": "Nobody"}},
    "another session": {"forged": {"session": 0}},
    "another proof": {"forged": {"method": "passkey"}},
    "another version": {"forged": {"version": 2}},
    "another text": {"forged": {"sha256": "00" * 32}},
    "another moment": {"forged": {"signed_at": "2026-01-01T00:00:00+00:00"}},
    "no number": {"forged": {"number": None}},
    "an old moment": {"at": timedelta(seconds=-61)},
    "a moment to come": {"at": timedelta(minutes=3)},
    "another language": {"language": "de"},
    "no PDF": {"pdf": b"<html>"},
    "no file": {"pdf": b""},
    "a huge file": {"pdf": b"%PDF-" + bytes(10 * 1024 * 1024)},
    "no room for a second": {"waits": True},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_evidence_says_what_the_database_knows(scene: Scene, changes: dict[str, Any]) -> None:
    facts(withdrawn_at=now(), withdrawn_why="invalid")(scene)
    wanted = dict(changes)
    if "at" in wanted:
        wanted["at"] = now() + wanted["at"]
    language = wanted.pop("language", "en")
    assert ndas.sign(scene.caller, scene.anna, 1, language=language, **wanted) == (None, "value_refused")
    assert (newest("sign").outcome, newest("sign").reason) == ("refused", "value_refused")
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1


def test_before_the_first_day_one_signs_and_opens_nothing(scene: Scene) -> None:
    world = scene.world
    eve = world.member("consultant", starts_on=(timezone.localdate() + 7 * DAY))
    caller = world.session(eve)
    number, reason = ndas.sign(caller, eve)
    assert (reason, signature(number).member_id) == ("", eve.id)
    assert people.authorize(caller, "own") == "member_not_started"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"suspended_at": LONG_AGO}, "member_suspended"),
        ({"left_on": LONG_AGO.date()}, "member_left"),
    ],
)
def test_whoever_is_barred_signs_nothing(scene: Scene, facts: dict[str, Any], reason: str) -> None:
    scene.world.quietly("staff_member", scene.anna.id, **facts)
    assert ndas.sign(scene.caller, scene.anna)[1] == reason


def test_signing_asks_for_a_proof_of_the_last_five_minutes(scene: Scene) -> None:
    facts(valid_until=now())(scene)
    old = scene.world.session(scene.anna, verified_at=now() - timedelta(minutes=5))
    assert ndas.sign(old, scene.anna)[1] == "mfa_stale"
    fresh = scene.world.session(scene.anna, verified_at=now() - timedelta(minutes=4))
    assert ndas.sign(fresh, scene.anna)[1] == ""


def test_a_version_is_signed_once_and_anew_in_its_last_month(scene: Scene) -> None:
    assert ndas.sign(scene.caller, scene.anna) == (None, "no_change")
    facts(valid_until=now() + 29 * DAY)(scene)
    assert ndas.sign(scene.caller, scene.anna)[1] == ""
    assert ndas.sign(scene.caller, scene.anna)[1] == "no_change"


def test_a_version_of_a_short_term_is_not_signed_twice_at_once_either(scene: Scene) -> None:
    """Its signatures are in their last month from the beginning."""
    scene.world.quietly_version(1, term_days=20)
    facts(valid_until=now())(scene)
    number, reason = ndas.sign(scene.caller, scene.anna)
    assert reason == ""
    assert ndas.sign(scene.caller, scene.anna)[1] == "no_change"
    yesterday = now() - timedelta(hours=25)
    scene.world.quietly("staff_signature", number or 0, signed_at=yesterday, counts_from=yesterday)
    assert ndas.sign(scene.caller, scene.anna)[1] == ""


def test_of_an_older_version_a_signature_is_worth_nothing(scene: Scene) -> None:
    scene.world.version(2, effective_at=now() - DAY)
    facts(valid_until=now())(scene)
    assert ndas.sign(scene.caller, scene.anna, 1)[1] == "value_refused"
    scene.world.version(3, effective_at=now() + DAY)
    assert ndas.sign(scene.caller, scene.anna, 3)[1] == ""  # of one to come it is taken early
    assert nda_code(scene) == "nda_expired"


def test_two_signatures_at_once_are_one(scene: Scene, as_role: AsRole) -> None:
    facts(valid_until=now())(scene)
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    second.execute("SET lock_timeout = '200ms'")
    moment = now()
    values = sign_values(scene, moment)
    with first.transaction():
        [(_number, reason)] = first.execute(ndas.SIGN.encode(), values).fetchall()
        assert reason == ""
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute(ndas.SIGN.encode(), values)
    assert second.execute(ndas.SIGN.encode(), values).fetchall() == [(None, "no_change")]


def sign_values(scene: Scene, moment: datetime) -> list[Any]:
    facts = ndas.evidence(scene.caller, scene.anna, 1, "en", moment)
    return [
        scene.caller.digest, '{"cid": "1"}', 1, "en", moment, psycopg.types.json.Jsonb(facts), ndas.PDF,
        False,
    ]  # fmt: skip


# Countersigning


@pytest.fixture
def waiting(scene: Scene) -> int:
    """Anna's signature of version 2, which is countersigned."""
    scene.world.version(2, effective_at=now() - DAY, grace_days=0, countersigned=True)
    number, reason = ndas.sign(scene.caller, scene.anna, 2)
    assert reason == ""
    assert number is not None
    return number


def test_a_signature_counts_from_its_countersignature(scene: Scene, officer: Person, waiting: int) -> None:
    assert signature(waiting).counts_from is None
    assert nda_code(scene) == "nda_missing"
    # The officer's own agreement ended with the new version as well: somebody has to be the first.
    caller = scene.world.session(officer)
    assert people.authorize(caller, "people") == "nda_old_version"
    assert ndas.countersign(caller, waiting) == ""
    made = signature(waiting)
    assert (made.countersigned_by_id, made.counts_from) == (officer.id, made.countersigned_at)
    assert nda_code(scene) == "passed"
    kinds = SignatureFile.objects.filter(signature=waiting).values_list("kind", flat=True)
    assert list(kinds) == ["signed", "countersigned"]
    assert ndas.countersign(caller, waiting) == "no_change"


def test_nobody_countersigns_their_own(scene: Scene, officer: Person) -> None:
    scene.world.version(2, effective_at=now() - DAY, countersigned=True)
    caller = scene.world.session(officer)
    own, reason = ndas.sign(caller, officer, 2)
    assert reason == ""
    assert ndas.countersign(caller, own) == "not_yourself"
    assert signature(own).counts_from is None


@pytest.mark.parametrize(
    "pdf",
    [ndas.PDF, ndas.PDF[:-1], b"%PDF-1.7 another" + ndas.PDF, b"", ndas.PDF.lower() + b" x"],
)
def test_a_countersignature_leaves_the_signed_bytes_as_they_are(
    scene: Scene, officer: Person, waiting: int, pdf: bytes
) -> None:
    assert ndas.countersign(scene.world.session(officer), waiting, pdf) == "value_refused"
    assert SignatureFile.objects.filter(signature=waiting).count() == 1


@pytest.mark.parametrize(
    ("role", "age", "reason"),
    [
        ("people", 5, "mfa_stale"),
        ("people", 4, ""),
        ("administrator", 0, "role_missing"),
        ("manager", 0, "role_missing"),
    ],
)
def test_a_people_officer_countersigns_after_a_fresh_proof(
    scene: Scene, waiting: int, role: str, age: int, reason: str
) -> None:
    who = signed(scene.world, role)
    caller = scene.world.session(who, verified_at=now() - timedelta(minutes=age))
    assert ndas.countersign(caller, waiting) == reason


def test_two_officers_countersign_the_same(
    scene: Scene, officer: Person, waiting: int, as_role: AsRole
) -> None:
    other = signed(scene.world, "people")
    mine, theirs = scene.world.session(officer), scene.world.session(other)
    sql = b"SELECT staff.countersign(%s, '{\"cid\": 1}', %s, %s)"
    first, second = as_role(roles.WEB), as_role(roles.WEB)
    second.execute("SET lock_timeout = '200ms'")
    with first.transaction():
        [(reason,)] = first.execute(sql, [mine.digest, waiting, ndas.COUNTERSIGNED]).fetchall()
        assert reason == ""
        with pytest.raises(psycopg.errors.LockNotAvailable):
            second.execute(sql, [theirs.digest, waiting, ndas.COUNTERSIGNED])
    again = second.execute(sql, [theirs.digest, waiting, ndas.COUNTERSIGNED]).fetchall()
    assert again == [("no_change",)]
    assert signature(waiting).countersigned_by_id == officer.id


def test_after_the_company_revoked_it_opening_up_takes_a_second_person(scene: Scene, officer: Person) -> None:
    """What the member withdrew, or what was not valid, the member signs again alone."""
    caller = scene.world.session(officer)
    assert signatures.withdraw(caller, scene.signatures[scene.anna.id], "revoked") == ""
    assert ndas.sign(scene.caller, scene.anna, waits=False)[1] == "value_refused"
    number, reason = ndas.sign(scene.caller, scene.anna)
    assert (reason, signature(number).counts_from) == ("", None)
    assert nda_code(scene) == "nda_withdrawn" or nda_code(scene) == "nda_missing"
    assert ndas.countersign(caller, number) == ""
    assert nda_code(scene) == "passed"
    assert signatures.withdraw(caller, number or 0, "declared") == ""
    number, reason = ndas.sign(scene.caller, scene.anna)
    assert signature(number).counts_from is not None


# Signed elsewhere


def test_paper_counts_when_a_second_person_has_seen_it(scene: Scene, officer: Person) -> None:
    without(scene)
    caller = scene.world.session(officer)
    number, reason = ndas.upload(caller, scene.anna)
    assert reason == ""
    assert (signature(number).form, signature(number).counts_from) == ("paper", None)
    assert nda_code(scene) == "nda_missing"
    assert signatures.confirm_original(caller, number or 0) == "second_person"
    for role, expected in (("manager", "role_missing"), ("reviewer", "role_missing"), ("administrator", "")):
        other = scene.world.session(signed(scene.world, role))
        assert signatures.confirm_original(other, number or 0) == expected
    made = signature(number)
    assert made.counts_from == made.confirmed_at
    assert nda_code(scene) == "passed"
    second = scene.world.session(signed(scene.world, "people"))
    assert signatures.confirm_original(second, number or 0) == "no_change"


@pytest.mark.parametrize(
    "facts",
    [{"suspended_at": now()}, {"left_on": date(2020, 2, 1)}, {"roles": ["reviewer"]}, {"starts_on": None}],
)
def test_paper_does_not_count_when_whoever_filed_it_keeps_members_no_more(
    scene: Scene, officer: Person, facts: dict[str, Any]
) -> None:
    without(scene)
    number, _ = ndas.upload(scene.world.session(officer), scene.anna)
    scene.world.change("staff_member", officer.id, **facts)
    other = scene.world.session(signed(scene.world, "people"))
    assert signatures.confirm_original(other, number or 0) == "filer_gone"
    assert (signature(number).counts_from, nda_code(scene)) == (None, "nda_missing")
    assert signatures.withdraw(other, number or 0, "invalid") == ""
    again, _ = ndas.upload(other, scene.anna)
    third = scene.world.session(signed(scene.world, "administrator"))
    assert signatures.confirm_original(third, again or 0) == ""


def test_nobody_files_or_confirms_their_own_paper(scene: Scene, officer: Person) -> None:
    other = signed(scene.world, "people")
    caller, hers = scene.world.session(officer), scene.world.session(other)
    assert ndas.upload(caller, officer)[1] == "not_yourself"
    number, reason = ndas.upload(hers, officer)
    assert reason == ""
    assert signatures.confirm_original(caller, number or 0) == "not_yourself"


@pytest.mark.parametrize("form", ["electronic", "qualified"])
def test_an_electronic_signature_counts_by_its_verdict(scene: Scene, officer: Person, form: str) -> None:
    without(scene)
    caller = scene.world.session(officer)
    for facts in ({"ok": False}, {"ok": None}, {"ok": "true"}, {"kind": "paper"}):
        assert ndas.upload(caller, scene.anna, form=form, **facts)[1] == "value_refused"
    number, reason = ndas.upload(caller, scene.anna, form=form)
    assert reason == ""
    made = signature(number)
    assert (made.form, (made.evidence or {})["kind"]) == (form, form)
    assert made.counts_from == pytest.approx(now(), abs=timedelta(minutes=10))
    assert nda_code(scene) == "passed"
    assert signatures.confirm_original(caller, number or 0) == "no_change"


@pytest.mark.parametrize("form", ["documentary", "founding", "nonsense", None])
def test_no_other_form_is_filed(scene: Scene, officer: Person, form: Any) -> None:
    assert ndas.upload(scene.world.session(officer), scene.anna, form=form)[1] == "value_refused"


def test_what_cannot_be_filed(scene: Scene, officer: Person) -> None:
    caller = scene.world.session(officer)
    assert ndas.upload(caller, scene.anna, 7)[1] == "value_refused"
    assert ndas.upload(caller, scene.anna, at=now() + DAY)[1] == "value_refused"
    assert ndas.upload(caller, scene.anna, at=now() - 367 * DAY)[1] == "value_refused"
    assert ndas.upload(caller, scene.anna, pdf=b"PK")[1] == "value_refused"
    assert ndas.upload(caller, Person(0, "K-9999"))[1] == "member_unknown"
    assert ndas.upload(caller, scene.anna)[1] == ""
    assert ndas.upload(caller, scene.anna)[1] == "no_change"  # the same file


def founded(person: Person) -> str:
    """Why no founder's signature was given, as the functions for commands give it."""
    [(reason,)] = rows(
        "SELECT reason FROM staff.add_signature(staff.judge_command('x', %s), '{}', NULL, 'founding', '',"
        " now(), now(), NULL, NULL)",
        [person.number],
        using="migrator",
    )
    return str(reason)


def test_a_founding_signature_is_a_commands_and_given_once(world: World) -> None:
    fresh, had = world.member("people"), signed(world, "people")
    assert founded(had) == "value_refused"
    assert founded(fresh) == ""
    assert founded(fresh) == "value_refused"
    assert Signature.objects.get(member_id=fresh.id).valid_until - now() < 7 * DAY


# Withdrawing


def test_withdrawing_says_who_and_why_and_ends_what_rests_on_it(scene: Scene, officer: Person) -> None:
    scene.opened()
    caller = scene.world.session(officer)
    hers, own = scene.signatures[scene.anna.id], Signature.objects.get(member_id=officer.id).pk
    assert signatures.withdraw(caller, own, "declared") == "not_yourself"
    assert signatures.withdraw(caller, hers + 1000, "declared") == "member_unknown"
    assert signatures.withdraw(caller, hers, "because") == "value_refused"
    assert scene.reason() == ""
    assert signatures.withdraw(caller, hers, "declared") == ""
    made = signature(hers)
    assert (made.withdrawn_by_id, made.withdrawn_why) == (officer.id, "declared")
    assert newest("sign").details == {
        "signature": hers, "withdrawn": True, "why": "declared",
    }  # fmt: skip
    assert signatures.withdraw(caller, hers, "revoked") == "no_change"
    assert scene.reason() == "nda_withdrawn"
    # Signed again the gate's condition holds; what was ended stays ended.
    assert ndas.sign(scene.caller, scene.anna)[1] == ""
    assert nda_code(scene) == "passed"
    assert scene.reason() == "grant_ended"


@pytest.mark.parametrize("role", ["consultant", "manager", "reviewer", "privacy", "administrator"])
def test_officers_acts_are_people_officers(scene: Scene, role: str) -> None:
    caller = scene.world.session(signed(scene.world, role))
    hers = scene.signatures[scene.carl.id]
    assert versions.publish(caller, ndas.terms()) == "role_missing"
    assert versions.recall(caller, 1) == "role_missing"
    assert ndas.upload(caller, scene.anna)[1] == "role_missing"
    assert signatures.withdraw(caller, hers, "revoked") == "role_missing"
    assert signatures.record_register(caller, "nda", None, 0) == "role_missing"
    assert signatures.take_file(caller, hers) == (b"", "role_missing")
    assert signatures.take_file(caller, 0) == (b"", "role_missing")
    assert Signature.objects.filter(withdrawn_at=None, pk=hers).exists()


@pytest.mark.parametrize("name", ["nda_register_csv", "authorisations_export"])
def test_a_register_of_a_day_that_is_none_is_refused_and_recorded_so(scene: Scene, name: str) -> None:
    client = enter(scene.world, signed(scene.world, "people"))
    answer = client.post(reverse(name), {"on": "2026-13-01"}, headers={"Referer": "http://testserver/ndas/"})
    page = answer.content.decode()
    assert answer.status_code == 403
    assert "permission" not in page
    assert "cannot be taken" in page
    assert 'href="/ndas/"' in page
    entry = newest("export")
    assert (entry.outcome, entry.reason) == ("refused", "value_refused")


# Files


def test_a_file_is_taken_by_its_member_and_by_an_officer_and_that_is_recorded(
    scene: Scene, officer: Person
) -> None:
    facts(valid_until=now())(scene)
    number, _reason = ndas.sign(scene.caller, scene.anna)
    scene.world.quietly("staff_signature", number or 0, withdrawn_at=now())
    # One's own also when nothing is in force, and without a proof of the last minutes.
    old = scene.world.session(scene.anna, verified_at=now() - timedelta(minutes=40))
    assert signatures.take_file(old, number or 0) == (ndas.PDF, "")
    entry = newest("export")
    assert (entry.member, entry.subject, entry.outcome) == (scene.anna.number, scene.anna.number, "allowed")
    fresh = scene.world.session(officer)
    stale = scene.world.session(officer, verified_at=now() - timedelta(minutes=5))
    assert signatures.take_file(stale, number or 0) == (b"", "mfa_stale")
    assert signatures.take_file(fresh, number or 0) == (ndas.PDF, "")
    assert (newest("export").member, newest("export").subject) == (officer.number, scene.anna.number)
    assert signatures.take_file(fresh, 0) == (b"", "signature_unknown")
    unverified = scene.world.session(scene.anna, verified_at=None)
    assert signatures.take_file(unverified, number or 0) == (b"", "mfa_missing")
    scene.world.quietly("staff_member", scene.anna.id, suspended_at=now())
    assert signatures.take_file(old, number or 0) == (b"", "member_suspended")


STAYS = {
    "a file's bytes": "UPDATE public.staff_signaturefile SET data = 'x'",
    "a file's hash": "UPDATE public.staff_signaturefile SET sha256 = 'x'",
    "a file": "DELETE FROM public.staff_signaturefile",
    "all files": "TRUNCATE public.staff_signaturefile",
    "a text": "UPDATE public.staff_ndaversion SET text_en = 'Nothing.'",
    "a hash": "UPDATE public.staff_ndaversion SET sha256_pl = 'x'",
    "a term": "UPDATE public.staff_ndaversion SET term_days = 9999",
    "a version": "DELETE FROM public.staff_ndaversion",
    "all versions": "TRUNCATE public.staff_ndaversion CASCADE",
    "evidence": "UPDATE public.staff_signature SET evidence = '{}'",
    "an end": "UPDATE public.staff_signature SET valid_until = valid_until + interval '1 day'",
    "a signature": "DELETE FROM public.staff_signature",
    "all signatures": "TRUNCATE public.staff_signature CASCADE",
    "a withdrawal": "UPDATE public.staff_signature SET withdrawn_at = NULL WHERE withdrawn_at IS NOT NULL",
    "a count": "UPDATE public.staff_signature SET counts_from = now() WHERE counts_from IS NOT NULL",
}


@pytest.mark.parametrize("role", [*roles.RUN_TIME, roles.OWNER, "superuser"])
def test_what_was_published_signed_or_filed_stays_as_it_was(
    scene: Scene, as_role: AsRole, setup_connection: Connection, role: str
) -> None:
    facts(valid_until=now())(scene)
    assert ndas.sign(scene.caller, scene.anna)[1] == ""
    facts(withdrawn_at=now())(scene)
    connection = setup_connection if role in ("superuser", roles.OWNER) else as_role(role)
    if role == roles.OWNER:
        connection.execute("SET ROLE gatekeeper_owner")
    for name, statement in STAYS.items():
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            continue
        pytest.fail(f"{role} changed {name}")


def test_a_signature_takes_what_was_empty_and_a_version_its_recall(world: World, officer: Person) -> None:
    """The same triggers let through what the life cycle asks for."""
    number = world.signature(officer, counts_from=None)
    world.change("staff_signature", number, confirmed_at=now(), counts_from=now())
    world.change("staff_signature", number, withdrawn_at=now(), withdrawn_why="invalid")
    world.version(2, effective_at=now() + DAY)
    world.setup.execute("UPDATE staff_ndaversion SET recalled_at = now() WHERE number = 2")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.change("staff_signature", number, withdrawn_why="declared")
