"""My activity: a member's own entries and nobody else's, and that they were read is an entry itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from audit.explorer import finding
from audit.models import Entry
from gatekeeper.catalogue import FIELDS
from gatekeeper.gate.sentences import sentence
from gatekeeper.log import reading
from tests.world import now
from tests.world.entries import entry
from tests.world.scene import Scene, enter

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def readings(scene: Scene) -> list[Entry]:
    found = Entry.objects.filter(event="search", member=scene.anna.number)
    return [one for one in found.order_by("pk") if one.details == {"own": True}]


def page_of(client: Client, **asked: str) -> str:
    answer = client.get(reverse("own_entries"), asked)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_member_sees_their_own_entries_and_nobody_elses(scene: Scene) -> None:
    anna = scene.anna.number
    entry(scene.world, member=anna, account="MOC-40017", fields=["contact.email"])
    entry(scene.world, member=anna, account="MOC-40018", outcome="refused", reason="ticket_closed")
    entry(scene.world, member="K-0555", account="MOC-50001")
    entry(scene.world, member="K-0555", event="change", subject=anna, account="MOC-50002")
    page = page_of(enter(scene.world, scene.anna))
    assert "MOC-40017" in page
    assert "MOC-40018" in page
    assert str(FIELDS["contact.email"]) in page
    assert str(sentence("ticket_closed")) in page
    assert "MOC-50001" not in page
    assert "MOC-50002" not in page
    assert "K-0555" not in page


def test_that_they_were_read_is_one_entry_in_a_quarter_of_an_hour(scene: Scene) -> None:
    client = enter(scene.world, scene.anna)
    for _ in range(3):
        page_of(client)
    [reading] = readings(scene)
    assert (reading.outcome, reading.member, reading.session is not None) == (
        "allowed",
        scene.anna.number,
        True,
    )
    scene.world.quietly("audit_entry", reading.pk, timestamp=now() - timedelta(minutes=16))
    page_of(client)
    assert len(readings(scene)) == 2


def test_no_agreement_is_needed_and_a_session_is(scene: Scene) -> None:
    client = enter(scene.world, scene.anna)
    scene.world.change("staff_signature", scene.signatures[scene.anna.id], withdrawn_at=now())
    page_of(client)
    assert [one.outcome for one in readings(scene)] == ["allowed"]


def test_a_session_that_has_ended_is_refused_with_its_reason(scene: Scene) -> None:
    scene.world.change("staff_session", scene.session, ended_at=now())
    assert reading.own(scene.caller.digest, scene.caller.context) == "session_missing"
    [refusal] = readings(scene)
    assert (refusal.outcome, refusal.reason, refusal.failed) == (
        "refused",
        "session_missing",
        ["session_missing"],
    )


def test_pages_lead_both_ways(scene: Scene) -> None:
    for _ in range(finding.PAGE + 5):
        entry(scene.world, member=scene.anna.number)
    client = enter(scene.world, scene.anna)
    first = page_of(client)
    [older] = re.findall(r"\?before=(\d+)", first)
    second = page_of(client, before=older)
    assert "?after=" in second
    assert page_of(client, before="x").count("<tr>") == first.count("<tr>")
    assert "Nothing more stands here" in page_of(client, before="1")
