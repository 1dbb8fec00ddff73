"""Agreements through the pages: the member signs, officers publish, countersign, file and export."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from gatekeeper.models import Grant
from staff.frame import background
from staff.frame.days import beginning_of
from staff.models import NdaDraft, NdaVersion, Reminder, Session, Signature, SignatureFile
from staff.nda import register, reminders, signing
from staff.nda.documents import uploaded
from tests.world import Person, World, ndas, now, scans
from tests.world.authority import plain_pdf
from tests.world.people import fresh_code, member
from tests.world.scene import REFERENCE, Scene, enter, newest

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

DAY = timedelta(days=1)
DRAFT = {
    "text_en": "# The agreement\r\n\r\nKeep it **secret**. <script>alert(1)</script>",
    "text_pl": "# Umowa\n\nZachowaj tajemnicę.",
    "term_days": "365",
    "grace_days": "14",
}


@pytest.fixture
def world(scene: Scene) -> World:
    return scene.world


def signed(world: World, role: str, **facts: Any) -> Person:
    person = world.member(role, **facts)
    world.signature(person)
    return person


@pytest.fixture
def officer(world: World) -> Person:
    return signed(world, "people")


@pytest.fixture
def desk(world: World, officer: Person) -> Client:
    """The officer's browser."""
    return enter(world, officer)


def lapse(scene: Scene) -> None:
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=now())


def form_for(person: Person, **changes: Any) -> dict[str, Any]:
    return {"version": 1, "language": "en", "name": member(person).name, "consent": "on"} | changes


def prove_long_ago(scene: Scene, person: Person, minutes: int = 6) -> None:
    for session in Session.objects.filter(member_id=person.id):
        scene.world.change("staff_session", session.pk, verified_at=now() - timedelta(minutes=minutes))


def words(response: Any) -> str:
    text: str = response.content.decode()
    return text


# The member


def test_a_member_reads_and_signs_and_takes_the_sealed_pdf(scene: Scene) -> None:
    lapse(scene)
    client = enter(scene.world, scene.anna)
    page = client.get("/nda/")
    assert "The agreement." in words(page)
    assert 'name="_code"' not in words(page)  # the proof is fresh: nothing more is asked for
    assert "Umowa." in words(client.get("/nda/?text=pl"))
    name = f"  {member(scene.anna).name.upper()} "
    answer = client.post("/nda/", form_for(scene.anna, language="pl", name=name))
    assert (answer.status_code, answer["Location"]) == (302, "/nda/")
    made = Signature.objects.get(member_id=scene.anna.id, form="documentary")
    facts = made.evidence or {}
    assert facts["typed_name"] == name.strip()
    assert facts["consent"] == signing.consent_sentence("pl")
    assert (facts["session"], facts["method"]) == (newest("sign").session, "totp")
    assert (made.language, facts["address"]) == ("pl", "127.0.0.1")
    after = words(client.get("/nda/"))
    assert "The duty of secrecy goes on" in after
    file = client.get(f"/nda/{made.pk}/file")
    assert (file["Content-Type"], file["Cache-Control"]) == ("application/pdf", "no-store")
    assert file.content == bytes(SignatureFile.objects.get(signature=made).data)
    assert file.content.startswith(b"%PDF-")
    assert newest("export").subject == scene.anna.number
    # A second one is none.
    again = client.post("/nda/", form_for(scene.anna), follow=True)
    assert "It is signed already." in words(again)
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 2


def test_signing_leads_straight_back_to_the_gate(scene: Scene) -> None:
    client = scene.browser()
    lapse(scene)
    gate = words(client.get(f"/accounts/{REFERENCE}"))
    target = f"/accounts/{REFERENCE}?ticket=ZD-10001"
    assert "/nda/?next=%2Faccounts%2FMOC-40001%3Fticket%3DZD-10001" in gate
    assert "Sign the NDA" in gate
    answer = client.post("/nda/", form_for(scene.anna, next=target))
    assert answer["Location"] == target
    assert client.post("/nda/", form_for(scene.anna, next="https://elsewhere.example/")).status_code == 302
    assert scene.evaluate().codes["nda"] == "passed"


def test_home_leads_whoever_has_none_in_force_to_it(scene: Scene) -> None:
    client = enter(scene.world, scene.anna)
    assert "Read and sign it" not in words(client.get("/"))
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=now() + 20 * DAY)
    assert "unless you sign it again. The duty of secrecy goes on." in words(client.get("/"))
    lapse(scene)
    assert "No agreement of yours is in force" in words(client.get("/"))


def test_before_the_first_day_one_reads_and_signs(scene: Scene) -> None:
    eve = scene.world.member("consultant", starts_on=timezone.localdate() + 7 * DAY)
    client = enter(scene.world, eve)
    assert client.get("/nda/").status_code == 200
    assert client.post("/nda/", form_for(eve)).status_code == 302
    assert Signature.objects.get(member_id=eve.id).counts_from is not None


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"name": "Somebody Else"}, 422, "Type your name exactly as shown"),
        ({"name": ""}, 422, "There is a problem"),
        ({"consent": ""}, 422, "Confirm the sentence to sign."),
        ({"language": "de"}, 422, ""),
        ({"version": "2"}, 409, "Another version has been published meanwhile"),
        ({"version": ""}, 422, ""),
    ],
)
def test_what_is_not_signed(scene: Scene, changes: dict[str, Any], status: int, said: str) -> None:
    lapse(scene)
    client = enter(scene.world, scene.anna)
    answer = client.post("/nda/", form_for(scene.anna, **changes))
    assert answer.status_code == status
    assert said in words(answer)
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1


def test_an_old_proof_is_asked_for_in_the_form_itself(scene: Scene) -> None:
    lapse(scene)
    client = enter(scene.world, scene.anna)
    prove_long_ago(scene, scene.anna)
    assert 'name="_code"' in words(client.get("/nda/"))
    refused = client.post("/nda/", form_for(scene.anna))
    assert refused.status_code == 403
    assert member(scene.anna).name in words(refused)  # nothing typed is lost
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1
    code = fresh_code(scene.world, scene.anna)
    assert client.post("/nda/", form_for(scene.anna, _code=code)).status_code == 302
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 2


def test_a_keyboard_keeps_nobody_from_signing_and_the_paper_keeps_what_was_typed(scene: Scene) -> None:
    lapse(scene)
    scene.world.quietly("staff_member", scene.anna.id, name="Anna O'Hara-I\u015f\u0131k")
    client = enter(scene.world, scene.anna)
    assert "Type your name" in words(client.post("/nda/", form_for(scene.anna, name="Anna O'Hara")))
    typed = "ANNA O\u2019HARA\u2013ISIK"
    assert client.post("/nda/", form_for(scene.anna, name=typed)).status_code == 302
    made = Signature.objects.get(member_id=scene.anna.id, form="documentary")
    assert (made.evidence or {})["typed_name"] == typed


def test_without_a_seal_nothing_is_signed(scene: Scene, settings: Settings) -> None:
    lapse(scene)
    settings.SEAL = "nothing"
    answer = enter(scene.world, scene.anna).post("/nda/", form_for(scene.anna))
    assert answer.status_code == 403
    assert "could not be signed with the company" in words(answer)
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1


def test_a_withdrawn_agreement_shuts_a_gate_that_is_open_elsewhere_at_its_next_click(
    scene: Scene, desk: Client
) -> None:
    window = scene.browser()
    scene.opened()
    assert scene.post_reveal(window).status_code == 200
    address = f"/members/{scene.anna.number}/withdraw/"
    form = {"signature": scene.signatures[scene.anna.id], "why": "revoked"}
    assert desk.post(address, form).status_code == 302
    blocked = scene.post_reveal(window)
    assert blocked.status_code == 403
    assert b"nda_withdrawn" in blocked.content
    assert Grant.objects.get(pk=scene.grant).end_reason == "nda_withdrawn"
    assert desk.post(address, {"signature": form["signature"]}).status_code == 422


def test_anothers_file_is_neither_given_nor_known(scene: Scene) -> None:
    number, _reason = ndas.upload(
        scene.world.session(signed(scene.world, "people")), scene.carl, pdf=ndas.PDF
    )
    client = enter(scene.world, scene.anna)
    known, unknown = client.get(f"/nda/{number}/file"), client.get("/nda/999999/file")
    assert (known.status_code, unknown.status_code) == (403, 403)
    pages = [words(one).replace(str(number), "N") for one in (known, unknown)]
    known_page, unknown_page = (re.sub(r'(value|data-left)="[^"]*"', "", one) for one in pages)
    assert known_page == unknown_page.replace("999999", "N")


# Versions


def test_a_version_goes_from_draft_to_published(scene: Scene, desk: Client) -> None:
    day = timezone.localdate() + 10 * DAY
    assert "What it is about" in words(desk.get("/ndas/draft")) or "The agreement." in words(
        desk.get("/ndas/draft")
    )
    assert desk.post("/ndas/draft", DRAFT | {"effective_on": day.isoformat()})["Location"] == "/ndas/preview"
    assert NdaDraft.objects.get().text_en.startswith("# The agreement\n\n")
    preview = words(desk.get("/ndas/preview?text=en"))
    assert "<strong>secret</strong>" in preview
    assert "<script>alert" not in preview
    assert signing.consent_sentence("en") in preview
    assert "Zachowaj tajemnicę." in words(desk.get("/ndas/preview?text=pl"))
    page = desk.get("/ndas/publish")
    # Anna, Carl, Boss and the officer have signed version 1, and its term would have run on.
    assert "4 members lose access unless they sign it:" in words(page)
    assert page.context["blocked"] == [(page.context["terms"].effective_at + 14 * DAY, 4)]
    assert NdaVersion.objects.count() == 1
    assert desk.post("/ndas/publish", {"seen": "another"}).status_code == 409
    assert desk.post("/ndas/publish", {"seen": page.context["seen"]}).status_code == 302
    version = NdaVersion.objects.get(pk=2)
    assert timezone.localtime(version.effective_at).date() == day
    assert timezone.localtime(version.effective_at).hour == 0
    assert not NdaDraft.objects.exists()
    listed = words(desk.get("/ndas/"))
    assert bytes(version.sha256_en).hex() in listed
    assert "to come" in listed
    assert desk.post("/ndas/2/recall", {"sure": "1"}).status_code == 302
    assert NdaVersion.objects.get(pk=2).recalled_at is not None
    assert "recalled" in words(desk.get("/ndas/"))
    assert "Only a version that is not required yet" in words(desk.post("/ndas/1/recall", follow=True))


def test_before_a_recall_the_page_says_what_follows(scene: Scene, desk: Client) -> None:
    scene.world.version(2, effective_at=now() + 40 * DAY)
    new = scene.world.member("consultant")
    for person in (scene.anna, new):
        scene.world.signature(person, version=2, signed_at=now())
    assert 'action="/ndas/2/recall"' in words(desk.get("/ndas/"))
    asked = desk.post("/ndas/2/recall")
    said = " ".join(words(asked).split())
    assert "Recall version 2?" in said
    assert "2 members have signed it. No access ends by this today." in said
    assert "Version 1 stays required" in said
    assert "1 member who signed it has no other agreement in force, and has to sign version 1:" in said
    assert new.number in said
    assert scene.anna.number not in said
    assert NdaVersion.objects.get(pk=2).recalled_at is None
    assert desk.post("/ndas/2/recall", {"sure": "1"}).status_code == 302
    assert NdaVersion.objects.get(pk=2).recalled_at is not None
    # Whoever may not is refused, and learns nothing of who signed.
    scene.world.version(3, effective_at=now() + 50 * DAY)
    answer = scene.browser().post("/ndas/3/recall")
    assert (answer.status_code, "signed it" in words(answer)) == (403, False)


def test_a_draft_of_another_officer_is_not_replaced_unseen(scene: Scene, desk: Client) -> None:
    day = (timezone.localdate() + DAY).isoformat()
    theirs = enter(scene.world, signed(scene.world, "people"))
    began = desk.get("/ndas/draft").context["seen"]
    assert theirs.post("/ndas/draft", DRAFT | {"effective_on": day, "text_en": "Theirs."}).status_code == 302
    mine = DRAFT | {"effective_on": day, "text_en": "Mine."}
    answer = desk.post("/ndas/draft", mine | {"seen": began})
    assert answer.status_code == 422
    assert "saved another draft meanwhile" in words(answer)
    assert "Mine." in words(answer)
    assert NdaDraft.objects.get().text_en == "Theirs.\n"
    seen = answer.context["seen"]
    assert desk.post("/ndas/draft", mine | {"seen": seen}).status_code == 302
    assert NdaDraft.objects.get().text_en == "Mine.\n"
    # Sent twice, it says the same: nothing of another's goes.
    assert desk.post("/ndas/draft", mine | {"seen": seen}).status_code == 302


def test_of_a_recalled_version_no_signature_waits_or_is_to_come(scene: Scene, desk: Client) -> None:
    """It says nothing for ever: nobody is asked to countersign it, and its member may be reminded again."""
    scene.world.version(2, effective_at=now() + 40 * DAY)
    scene.world.version(3, effective_at=now() + 50 * DAY, countersigned=True)
    counts = scene.world.signature(scene.anna, version=2, signed_at=now())
    waits = scene.world.signature(scene.anna, version=3, signed_at=now())
    scene.world.quietly("staff_signature", waits, counts_from=None)
    before = {one.signature.pk: one.state for one in register.signatures_of(member(scene.anna))}
    assert (before[counts], before[waits]) == ("to_come", "waits")
    for number in ("3", "2"):
        assert desk.post(f"/ndas/{number}/recall", {"sure": "1"}).status_code == 302
    after = {one.signature.pk: one.state for one in register.signatures_of(member(scene.anna))}
    assert (after[counts], after[waits]) == ("recalled", "recalled")
    assert not register.line_of(member(scene.anna)).waits
    assert "Version recalled" in words(desk.get(f"/members/{scene.anna.number}/"))
    assert desk.get("/ndas/").context["to_countersign"] == 0
    assert "No signature waits" in words(desk.get("/ndas/countersign"))


@pytest.mark.parametrize(
    "changes",
    [
        {"effective_on": "2020-01-01"},
        {"text_pl": ""},
        {"term_days": "0"},
        {"grace_days": "366"},
        {"text_en": "\0"},
        {"text_en": "- " * 30 + "deep"},
    ],
)
def test_a_draft_that_could_not_be_published(desk: Client, changes: dict[str, str]) -> None:
    day = (timezone.localdate() + DAY).isoformat()
    assert desk.post("/ndas/draft", DRAFT | {"effective_on": day} | changes).status_code == 422
    assert not NdaDraft.objects.exists()


def test_whom_a_version_shuts_out_and_when(scene: Scene, officer: Person) -> None:
    world, at = scene.world, now() + 10 * DAY
    version: dict[str, Any] = {"effective_at": at, "grace_days": 14}
    world.version(2, effective_at=now() - DAY, grace_days=30)
    # Boss has signed version 2 and keeps the grace; Anna, Carl and the officer lose theirs at once, for
    # version 1 is then two behind.
    world.signature(scene.boss, version=2)
    assert register.blocked_by_version(**version) == [(at, 3), (at + 14 * DAY, 1)]
    world.quietly("staff_signature", scene.signatures[scene.carl.id], valid_until=at - DAY)
    assert register.blocked_by_version(**version) == [(at, 2), (at + 14 * DAY, 1)]  # Carl's ends by itself
    world.quietly("staff_member", scene.anna.id, left_on=(at - 2 * DAY).date())
    assert register.blocked_by_version(**version) == [(at, 1), (at + 14 * DAY, 1)]


# Countersigning, filing, confirming


def test_many_are_countersigned_at_once_and_never_ones_own(
    scene: Scene, officer: Person, desk: Client
) -> None:
    scene.world.version(2, effective_at=now() - DAY, countersigned=True)
    made = {}
    for person in (scene.anna, scene.carl, officer):
        client = enter(scene.world, person)
        assert client.post("/nda/", form_for(person, version=2)).status_code == 302
        made[person] = Signature.objects.get(member_id=person.id, version_id=2)
        assert made[person].counts_from is None
    page = words(desk.get("/ndas/countersign"))
    assert page.count('type="checkbox"') == 2
    assert "your own: another officer countersigns it" in page
    assert desk.post("/ndas/countersign", {}).status_code == 422
    form = {"signature": [one.pk for one in made.values()]}
    after = words(desk.post("/ndas/countersign", form, follow=True))
    assert "2 signatures are done, and recorded." in after
    assert "You cannot do this for yourself" in after
    for person, one in made.items():
        one.refresh_from_db()
        assert (one.counts_from is not None) == (person is not officer)
        kinds = {file.kind: bytes(file.data) for file in one.files.all()}
        if person is not officer:
            assert kinds["countersigned"].startswith(kinds["signed"])
    # A second officer had the list before; a number that stands in no list is told to nobody.
    answer = desk.post("/ndas/countersign", {"signature": [made[scene.anna].pk]})
    assert answer.status_code == 422
    assert "somebody was quicker" in words(answer)
    assert "available choices" not in words(answer)
    # The officer's own agreement has lapsed meanwhile: they countersign all the same.
    scene.world.quietly("staff_signature", made[officer].pk, member_id=scene.boss.id)
    scene.world.setup.execute("SET session_replication_role = replica")
    scene.world.setup.execute(
        "UPDATE staff_signature SET valid_until = now() WHERE member_id = %s", [officer.id]
    )
    scene.world.setup.execute("SET session_replication_role = origin")
    assert desk.get("/ndas/").status_code == 403
    assert desk.post("/ndas/countersign", {"signature": [made[officer].pk]}).status_code == 302
    made[officer].refresh_from_db()
    assert made[officer].countersigned_by_id == officer.id


def pdf_file(data: bytes | None = None) -> SimpleUploadedFile:
    sent = plain_pdf() if data is None else data
    return SimpleUploadedFile("nda.pdf", sent, content_type="application/pdf")


def paper_form(**changes: Any) -> dict[str, Any]:
    day = (timezone.localdate() - 3 * DAY).isoformat()
    return {"version": 1, "kind": "paper", "day": day, "file": pdf_file()} | changes


def test_a_scan_is_filed_and_its_original_seen_by_another(scene: Scene, desk: Client) -> None:
    address = f"/members/{scene.anna.number}/nda"
    assert desk.get(address).status_code == 200
    assert desk.post(address, paper_form()).status_code == 302
    made = Signature.objects.get(member_id=scene.anna.id, counts_from=None)
    assert timezone.localtime(made.signed_at).date() == timezone.localdate() - 3 * DAY
    assert 'type="checkbox"' not in words(desk.get("/ndas/papers"))  # who filed it does not confirm it
    assert desk.post("/ndas/papers", {"signature": made.pk}, follow=True).status_code == 200
    made.refresh_from_db()
    assert made.counts_from is None
    administrator = enter(scene.world, signed(scene.world, "administrator"))
    assert f'value="{made.pk}"' in words(administrator.get("/ndas/papers"))
    assert administrator.post("/ndas/papers", {"signature": made.pk}).status_code == 302
    assert Signature.objects.get(pk=made.pk).counts_from is not None
    assert administrator.get("/ndas/").status_code == 403


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"file": pdf_file(b"PK\3\4")}, "The file is not a PDF."),
        ({"file": pdf_file(b"")}, "There is a problem"),
        ({"file": ""}, "There is a problem"),
        ({"day": ""}, "Say on which day"),
        ({"day": "2999-01-01"}, "too far away"),
        ({"version": "9"}, "There is a problem"),
        ({"kind": "founding"}, "There is a problem"),
    ],
)
def test_what_cannot_be_filed(scene: Scene, desk: Client, changes: dict[str, Any], said: str) -> None:
    answer = desk.post(f"/members/{scene.anna.number}/nda", paper_form(**changes))
    assert answer.status_code == 422
    assert said in words(answer)
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1


@pytest.mark.parametrize("name", scans.REFUSED)
def test_a_scan_that_does_not_open_is_refused_and_the_form_stays(
    scene: Scene, desk: Client, name: str
) -> None:
    make, code = scans.REFUSED[name]
    form = paper_form(file=pdf_file(make()))
    answer = desk.post(f"/members/{scene.anna.number}/nda", form)
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"file": [uploaded.SENTENCES[code]]}
    page = words(answer)
    assert f'value="{form["day"]}"' in page
    assert re.search(r'value="paper"[^>]*checked', page)
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1


def test_a_file_that_is_too_large_is_told_its_limit(scene: Scene, desk: Client) -> None:
    large = pdf_file(b"%PDF-" + bytes(10 * 1024 * 1024))
    answer = desk.post(f"/members/{scene.anna.number}/nda", paper_form(file=large))
    assert "The file is larger than 10 MB." in words(answer)


def test_an_electronic_signature_is_judged_and_the_verdict_stands_in_words(
    scene: Scene, desk: Client
) -> None:
    address = f"/members/{scene.anna.number}/nda"
    answer = desk.post(address, paper_form(kind="electronic"))
    assert answer.status_code == 422
    assert str(uploaded.SENTENCES["no_roots"]) in answer.context["verdict"].sentence
    assert Signature.objects.filter(member_id=scene.anna.id).count() == 1


# The register


def states(on: Any = None) -> dict[str, str]:
    at = register.moment_of(on) if on else now()
    return {line.member.number: str(line.state) for line in register.lines(at=at)}


def test_the_register_says_how_each_stands(scene: Scene, officer: Person, desk: Client) -> None:
    world = scene.world
    world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=now() + 29 * DAY)
    world.quietly("staff_signature", scene.signatures[scene.carl.id], withdrawn_at=now())
    gone = signed(world, "consultant", left_on=timezone.localdate() - DAY)
    found = states()
    assert found == {
        officer.number: "valid", scene.boss.number: "valid", scene.anna.number: "ending",
        scene.carl.number: "missing",
    }  # fmt: skip
    assert gone.number not in found
    assert (
        states(timezone.localdate() - DAY)[scene.carl.number] == "ending"
        or states(timezone.localdate() - DAY)[scene.carl.number] == "valid"
    )
    page = desk.get("/ndas/register?state=missing")
    assert scene.carl.number in words(page)
    assert scene.anna.number not in words(page)
    assert dict(page.context["counts"]) == {"valid": 2, "ending": 1, "old_version": 0, "missing": 1}
    searched = words(desk.post("/ndas/register", {"text": scene.boss.number.lower()}))
    assert scene.boss.number in searched
    assert scene.anna.number not in searched
    assert desk.post("/ndas/register", {"on": "2999-01-01"}).status_code == 422
    world.version(2, effective_at=now() - 20 * DAY, grace_days=14)
    assert set(states().values()) == {"old_version", "missing"}
    before = timezone.localdate() - 21 * DAY
    assert set(states(before).values()) == {"missing"}  # before any of them had signed


def test_the_register_as_of_a_past_day(scene: Scene) -> None:
    world, today = scene.world, timezone.localdate()
    paper = scene.signatures[scene.anna.id]
    world.quietly(
        "staff_signature", paper, signed_at=now() - 90 * DAY, counts_from=now() - 80 * DAY,
        entered_at=now() - 90 * DAY, withdrawn_at=now() - 40 * DAY,
    )  # fmt: skip
    then = {days: states(today - days * DAY).get(scene.anna.number) for days in (95, 85, 60, 39, 0)}
    assert then == {95: "missing", 85: "missing", 60: "valid", 39: "missing", 0: "missing"}
    waiting = {line.member.number: line.waits for line in register.lines(at=now() - 85 * DAY)}
    assert waiting[scene.anna.number]


def test_the_register_as_a_file(scene: Scene, officer: Person, desk: Client) -> None:
    scene.world.quietly("staff_member", scene.anna.id, name='=HYPERLINK("http://evil.example")')
    answer = desk.post("/ndas/register.csv", {"on": timezone.localdate().isoformat()})
    assert answer["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(words(answer).removeprefix("\ufeff"))))
    assert len(rows) == 5
    [hers] = [row for row in rows if row[0] == scene.anna.number]
    assert hers[1] == '\'=HYPERLINK("http://evil.example")'
    entry = newest("export")
    assert (entry.outcome, entry.member) == ("allowed", officer.number)
    assert entry.details == {"register": "nda", "on": timezone.localdate().isoformat(), "rows": 4}
    prove_long_ago(scene, officer)
    assert desk.post("/ndas/register.csv", {}).status_code == 403
    assert (newest("export").outcome, newest("export").reason) == ("refused", "mfa_stale")


# Reminders


@pytest.mark.parametrize(
    ("days", "told"),
    [(31, None), (30, 30), (15, 30), (14, 14), (4, 14), (3, 3), (1, 3), (0, 0), (-1, 0), (-5, None)],
)
def test_a_member_is_reminded_once_at_each_of_four_days(
    scene: Scene, capsys: pytest.CaptureFixture[str], days: int, told: int | None
) -> None:
    ends = agreements_end(days)
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=ends)
    call_command("remind", "--dry-run")
    assert ("1 due" if told is not None else "0 due") in capsys.readouterr().out
    assert not Reminder.objects.exists()
    call_command("remind")
    said = capsys.readouterr().out
    assert (f"{scene.anna.number}: signature" in said) == (told is not None)
    assert "no mail is configured" in said
    assert list(Reminder.objects.values_list("days", flat=True)) == ([] if told is None else [told])
    call_command("remind")
    assert "0 told" in capsys.readouterr().out
    assert Reminder.objects.count() == (told is not None)


def agreements_end(days: int) -> Any:
    """The end of the day that comes in so many days, in the company's zone."""
    return beginning_of(timezone.localdate() + (days + 1) * DAY)


def test_reminders_are_mailed_to_the_member_and_to_people_officers(
    scene: Scene, officer: Person, settings: Settings
) -> None:
    settings.EMAIL_HOST = "mail.test"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for person in (scene.anna, scene.carl):
        paper = scene.signatures[person.id]
        scene.world.quietly("staff_signature", paper, valid_until=agreements_end(14))
    assert reminders.remind(list(reminders.due())) == 2
    background.finish()
    to = sorted(message.to[0] for message in mail.outbox)
    assert to == sorted(member(one).email for one in (scene.anna, scene.carl, officer))
    for message in mail.outbox:
        assert member(scene.anna).name not in message.body
        assert scene.anna.number not in message.body
    assert all("duty of secrecy" in one.body for one in mail.outbox if one.to != [member(officer).email])


def test_who_has_signed_anew_or_left_is_left_in_peace(scene: Scene) -> None:
    scene.world.quietly("staff_signature", scene.signatures[scene.anna.id], valid_until=agreements_end(3))
    scene.world.quietly("staff_signature", scene.signatures[scene.carl.id], valid_until=agreements_end(3))
    assert len(list(reminders.due())) == 2
    assert ndas.sign(scene.caller, scene.anna)[1] == ""
    scene.world.quietly("staff_member", scene.carl.id, left_on=timezone.localdate() - DAY)
    assert list(reminders.due()) == []


def test_who_has_signed_the_version_to_come_is_left_in_peace(scene: Scene) -> None:
    """The grace of the old version ends, and nothing ends with it."""
    scene.world.version(2, effective_at=now() + 5 * DAY, grace_days=4)
    assert {one.signature.member_id for one in reminders.due()} == {
        scene.anna.id, scene.carl.id, scene.boss.id,
    }  # fmt: skip
    assert ndas.sign(scene.caller, scene.anna, 2)[1] == ""
    assert {one.signature.member_id for one in reminders.due()} == {scene.carl.id, scene.boss.id}


def test_the_end_of_a_grace_is_reminded_of(scene: Scene) -> None:
    scene.world.version(2, effective_at=agreements_end(0) - 14 * DAY, grace_days=14)
    assert {one.days for one in reminders.due()} == {0}
