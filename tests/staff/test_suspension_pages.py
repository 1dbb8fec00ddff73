"""The pages of suspending: what it will do is said before, and a second person finds where to confirm it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.urls import reverse

from staff.directory import people
from staff.frame import background
from staff.models import Proposal
from tests.world.notices import none_taken
from tests.world.officers import Company, able, company, desk, text, waiting
from tests.world.people import member

if TYPE_CHECKING:
    from django.test import Client

    from tests.world import Person

__all__ = ["company"]  # the fixture

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def suspend(client: Client, person: Person, **form: str) -> Any:
    return client.post(reverse("member_action", args=[person.number, "suspend"]), form, follow=True)


def test_the_question_says_that_it_holds_for_hours_and_who_confirms(company: Company) -> None:
    boss = desk(company, company.boss)
    asked = text(suspend(boss, company.officers[0]))
    assert "It holds for 4 hours, and longer only when a second person confirms it" in asked
    assert member(company.officers[0]).suspended_at is None
    done = text(suspend(boss, company.officers[0], sure="1"))
    assert "It holds longer when a second person confirms it." in done
    assert member(company.officers[0]).suspended_until is not None
    assert "The suspension ends by itself at" in done
    assert reverse("proposals") in done


def test_of_the_last_one_it_says_that_nothing_ends_yet(company: Company) -> None:
    boss = desk(company, company.boss)
    suspend(boss, company.officers[0], sure="1")
    asked = text(suspend(boss, company.officers[1]))
    assert "A second person has to confirm this first. Until then nothing ends." in asked
    assert "Propose to suspend" in asked
    done = text(suspend(boss, company.officers[1], sure="1"))
    assert "Nothing has ended: a second person has to confirm it first." in done
    assert member(company.officers[1]).suspended_at is None


def test_of_everybody_else_it_says_none_of_it(company: Company) -> None:
    asked = text(suspend(desk(company, company.boss), company.anna))
    assert "second person confirms" not in asked
    assert "end at once" in asked


@pytest.mark.parametrize("who", ["director", "reviewer", "officer"])
def test_a_second_person_finds_it_and_confirms(company: Company, who: str) -> None:
    first, second = company.officers
    suspend(desk(company, company.boss), first, sure="1")
    by = {"director": company.director, "reviewer": company.reviewers[0], "officer": second}[who]
    client = desk(company, by)
    assert "1 suspension waits for a second person" in text(client.get(reverse("team")))
    assert "1 change to confirm" in text(client.get("/"))
    page = text(client.get(reverse("proposals")))
    assert "Suspended already, until" in page
    proposal = waiting(first).pk
    done = client.post(reverse("confirm_proposal", args=[proposal]), follow=True)
    assert "Confirmed: it counts now." in text(done)
    assert member(first).suspended_until is None
    assert "waits for a second person" not in text(client.get(reverse("team")))


def test_what_nobody_confirmed_in_time_is_said_to_have_expired(company: Company) -> None:
    """At once: no job has to come by, and no page says that somebody is suspended who is not."""
    first, second = company.officers
    company.suspend(first, company.boss)
    client = desk(company, second)
    pages = (reverse("proposals"), reverse("member", args=[first.number]))
    assert not [url for url in pages if "expired" in text(client.get(url))]
    company.later(hours=5)
    for url in pages:
        page = text(client.get(url))
        assert "expired" in page
        assert "Suspended already" not in page
    assert waiting(first).state == "pending"  # nobody has touched the row


def test_of_who_is_not_suspended_no_page_says_it(company: Company) -> None:
    """As after officers were brought back: the suspension is over, and its confirmation still waits."""
    first, second = company.officers
    company.suspend(first, company.boss)
    company.world.quietly("staff_member", first.id, suspended_at=None, suspended_until=None)
    page = text(desk(company, second).get(reverse("proposals")))
    assert "Suspended already" not in page
    assert "Ends all sessions and accesses at once" in page


def test_who_suspends_what_waits_is_told_that_it_confirms(company: Company) -> None:
    suspend(desk(company, company.boss), company.reviewers[0], sure="1")
    company.suspend(company.reviewers[1], company.boss)
    client = desk(company, company.director)
    assert "yours confirms it" in text(suspend(client, company.reviewers[1]))
    suspend(client, company.reviewers[1], sure="1")
    assert able("reviewer") == set()


def test_a_manager_sees_suspensions_there_and_nothing_else(company: Company) -> None:
    company.suspend(company.officers[0], company.boss)
    people.change_member(
        company.world.session(company.officers[1]), company.anna.number, "roles", ["consultant", "manager"]
    )
    assert Proposal.objects.count() == 2
    page = text(desk(company, company.director).get(reverse("proposals")))
    assert f"Member {company.officers[0].number}" in page
    assert f"Member {company.anna.number}" not in page
    assert desk(company, company.anna).get(reverse("proposals")).status_code == 403


def test_an_administrator_sees_it_and_is_told_who_confirms(company: Company) -> None:
    company.suspend(company.officers[0], company.boss)
    client = desk(company, company.administrators[0])
    page = text(client.get(reverse("proposals")))
    assert "A manager, reviewer or people officer confirms it." in page
    assert reverse("confirm_proposal", args=[waiting(company.officers[0]).pk]) not in page
    assert reverse("decline_proposal", args=[waiting(company.officers[0]).pk]) not in page


def test_a_last_day_that_waits_is_told_as_one(company: Company) -> None:
    client = desk(company, company.officers[0])
    form = {"leave-day": "2040-01-02", "sure": "1"}
    client.post(reverse("member_action", args=[company.officers[1].number, "leave"]), form)
    page = text(desk(company, company.administrators[0]).get(reverse("proposals")))
    assert "Last day" in page
    assert "2 Jan 2040" in page
    assert "Come back" not in page


def test_the_suspended_read_a_plain_sentence(company: Company) -> None:
    client = desk(company, company.officers[0])
    company.suspend(company.officers[0], company.boss)
    page = text(client.get("/", follow=True))
    assert "Your access was suspended: your sessions and accesses have ended." in page


def test_all_others_of_the_role_are_told_and_who_could_confirm(company: Company, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    client = desk(company, company.boss)
    suspend(client, company.administrators[0], sure="1")
    background.finish()
    told = {one.to[0] for one in mail.outbox}
    others = [company.administrators[1], *company.officers, *company.reviewers]
    assert told == {member(one).email for one in others}
    assert "until" in mail.outbox[0].body
    assert company.boss.number in mail.outbox[0].body
    assert reverse("proposals") in mail.outbox[0].body
    mail.outbox.clear()
    third = company.able("reviewer")
    suspend(client, third, sure="1")  # of three: nobody is asked, and the role is told
    background.finish()
    assert {one.to[0] for one in mail.outbox} == {member(one).email for one in company.reviewers}


def test_a_suspension_and_its_notices_are_one(company: Company, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    client = desk(company, company.boss)
    with none_taken(company.world):
        suspend(client, company.officers[0], sure="1")
    assert member(company.officers[0]).suspended_at is None


def test_a_change_that_waits_and_its_notices_are_one(company: Company, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.firma.example"
    client = desk(company, company.officers[0])
    form = {"leave-day": "2040-01-02", "sure": "1"}
    with none_taken(company.world):
        client.post(reverse("member_action", args=[company.officers[1].number, "leave"]), form)
    assert not Proposal.objects.exists()


def test_a_confirmation_and_its_notices_are_one(company: Company, settings: Any) -> None:
    company.suspend(company.officers[0], company.boss)
    proposal = waiting(company.officers[0])
    client = desk(company, company.director)
    settings.EMAIL_HOST = "mail.firma.example"
    with none_taken(company.world):
        client.post(reverse("confirm_proposal", args=[proposal.pk]))
    assert waiting(company.officers[0]) == proposal
