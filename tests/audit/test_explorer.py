"""The reviewer's log: what a line may say, what it finds, and that each reading is an entry."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import detections
from audit.explorer import finding, search
from audit.models import Entry
from gatekeeper.log import files, words
from gatekeeper.log.links import LogView
from tests.world import World, now
from tests.world.entries import entry, flag
from tests.world.people import fresh_code, give_factors, sign_in
from tests.world.scene import enter

if TYPE_CHECKING:
    from tests.conftest import Connection
    from tests.world import Person

DATABASE = pytest.mark.django_db(transaction=True, databases="__all__")
WORDS = {"reason": {"ticket_closed"}, "odd": {"any", "export"}, "category": {"contact"}}
LOG = "/log/"


# The line


@pytest.mark.parametrize(
    ("line", "canonical"),
    [
        ("", ""),
        ("48213", "account:MOC-48213"),
        (" moc-48213 ", "account:MOC-48213"),
        ("K-0193", "member:K-0193"),
        ("zd-10442", "ticket:ZD-10442"),
        ("-K-0193", "-member:K-0193"),
        ("MOC\u201148213 event\u200b:view", "account:MOC-48213 event:view"),  # copied from a document
        (
            "member:K-0193 account:MOC-48213 -reason:ticket_closed event:view ticket:ZD-10442",
            "account:MOC-48213 event:view member:K-0193 ticket:ZD-10442 -reason:ticket_closed",
        ),
        ("event:view event:search event:view", "event:search event:view"),
        ("EVENT:View Account:moc-48213", "account:MOC-48213 event:view"),
        ("odd:any mine:yes", "mine:yes odd:any"),
        (
            "grant:12 session:7 about:K-0193 approver:K-0020",
            "about:K-0193 approver:K-0020 grant:12 session:7",
        ),
        ("since:2w until:7d", "since:2w until:7d"),
        ("since:2026-11-15 until:2026-11-15", "since:2026-11-15 until:2026-11-15"),
        ("since:2026-11-15T10:00", "since:2026-11-15T08:00Z"),  # the company's zone is two hours ahead
        ("since:2026-11-15t10:00z", "since:2026-11-15T10:00Z"),
        ("until:2026-11-15T10:00:30Z", "until:2026-11-15T10:00:30Z"),
        # The half hour that came twice, and the one that never was: nothing is left out.
        ("since:2026-10-25T03:10 until:2026-10-25T03:50", "since:2026-10-25T00:10Z until:2026-10-25T01:50Z"),
        ("since:2026-03-29T03:30", "since:2026-03-29T00:30Z"),
        ("until:2026-03-29T03:30", "until:2026-03-29T01:30Z"),
    ],
)
def test_a_line_of_known_tokens_has_one_form(line: str, canonical: str) -> None:
    query = search.parse(line, WORDS)
    assert str(query) == canonical
    assert search.parse(canonical, WORDS) == query


@pytest.mark.parametrize(
    "line",
    [
        "Aldona",
        "aldona@klient.example",
        "account:Aldona",
        "account:MOC-1",
        "account:",
        ":",
        "-",
        "reason:kowalski",
        "event:viewed",
        "name:Aldona",
        "member:K-0193;DROP",
        "account:MOC-\u0664\u0668\u0662\u0661\u0663",
        "odd:kowalski",
        "mine:no",
        "-mine:yes",
        "-since:7d",
        "since:yesterday",
        "since:2026-13-01",
        "since:2026-11-15T25:00",
        "since:1026-11-15",
        "until:9999-12-31",
        "grant:0",
        "grant:9999999999999999999",
        "since:1d until:2d",
        "x" * 1001,
        " ".join(["event:view"] * 25),
    ],
)
def test_what_is_no_known_token_is_refused(line: str) -> None:
    with pytest.raises(search.SearchError):
        search.parse(line, WORDS)


def test_a_day_is_the_companys_and_a_moment_the_zone_that_is_shown() -> None:
    query = search.parse("since:2026-11-15 until:2026-11-15", WORDS)
    assert query.bounds() == (
        datetime(2026, 11, 14, 22, tzinfo=UTC),
        datetime(2026, 11, 15, 22, tzinfo=UTC),
    )
    with timezone.override(UTC):
        assert search.parse("since:2026-11-15T10:00", WORDS).since == "2026-11-15T10:00Z"
        assert query.bounds()[0] == datetime(2026, 11, 14, 22, tzinfo=UTC)


def test_adding_a_term_takes_the_place_of_its_opposite() -> None:
    query = search.parse("-event:view account:MOC-48213", WORDS)
    assert str(query.adding(search.Term("event", "view"))) == "account:MOC-48213 event:view"
    assert str(query.dropping(search.Term("event", "view", minus=True))) == "account:MOC-48213"


# What is found


def found(line: str, reader: str = "", **keys: int) -> list[int]:
    page = finding.page(search.parse(line, words.words()), reader=reader, **keys)
    return [one.pk for one in page.entries]


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@DATABASE
def test_each_token_finds_what_it_says_and_a_minus_all_else(world: World) -> None:
    usual = entry(world)
    told = {
        "account:MOC-50001": entry(world, account="MOC-50001"),
        "member:K-0777": entry(world, member="K-0777"),
        "about:K-0778": entry(world, event="change", subject="K-0778"),
        "approver:K-0779": entry(world, approver="K-0779"),
        "ticket:ZD-20002": entry(world, ticket="ZD-20002"),
        "grant:99": entry(world, grant_id=99),
        "session:98": entry(world, session=98),
        "event:start": entry(world, event="start"),
        "outcome:withheld": entry(world, outcome="withheld", reason="ticket_closed", answers=usual),
        "purpose:incident": entry(world, purpose="incident"),
        "category:billing": entry(world, categories=["company", "billing"]),
        "field:contact.email": entry(world, fields=["contact.email"]),
        "odd:export": entry(world),
    }
    flag(world, told["odd:export"], "export")
    everything = {usual, *told.values()}
    assert set(found("")) == everything
    for token, number in told.items():
        assert found(token) == [number], token
        assert set(found(f"-{token}")) == everything - {number}, token
    assert found("odd:any") == [told["odd:export"]]
    assert found("reason:ticket_closed") == [told["outcome:withheld"]]
    assert found("event:start event:change") == [told["event:start"], told["about:K-0778"]]
    assert found("category:billing member:K-0777") == []


@DATABASE
def test_a_reason_is_known_by_the_catalogue_or_by_the_log(world: World) -> None:
    assert found("reason:ticket_closed") == []
    with pytest.raises(search.SearchError):
        found("reason:password_odd")
    number = entry(world, outcome="refused", reason="password_odd")
    assert found("reason:password_odd") == [number]


@DATABASE
def test_times_are_exact_whatever_the_order_of_numbers(world: World) -> None:
    moment = datetime(2026, 11, 15, 10, tzinfo=UTC)
    long_ago = entry(world, at=moment - timedelta(days=40))
    early = entry(world, at=moment - timedelta(microseconds=1))
    exact = entry(world, at=moment)
    late = entry(world, at=moment + timedelta(minutes=40))
    put_back = entry(world, at=moment - timedelta(minutes=50))  # a clock that was put back
    later = entry(world, at=moment + timedelta(days=40))
    assert set(found("since:2026-11-15T10:00Z")) == {exact, late, later}
    assert set(found("until:2026-11-15T10:00Z")) == {early, put_back, long_ago}
    assert set(found("since:2026-11-15T09:00Z until:2026-11-15T11:00Z")) == {
        early, exact, put_back, late
    }  # fmt: skip


@DATABASE
def test_pages_go_both_ways_and_new_entries_do_not_shift_them(world: World) -> None:
    numbers = [entry(world) for _ in range(finding.PAGE * 2 + 5)][::-1]
    query = search.parse("account:MOC-40017", words.words())
    first = finding.page(query, reader="")
    assert [one.pk for one in first.entries] == numbers[:50]
    assert first.newer is None
    entry(world)
    second = finding.page(query, reader="", before=first.older)
    third = finding.page(query, reader="", before=second.older)
    assert [one.pk for one in second.entries + third.entries] == numbers[50:]
    assert third.older is None
    back = finding.page(query, reader="", after=third.newer)
    assert [one.pk for one in back.entries] == numbers[50:100]
    assert back.newer == back.entries[0].pk


@DATABASE
def test_ones_own_entries_are_left_out_unless_asked_for(world: World) -> None:
    mine, other = entry(world, member="K-0008"), entry(world)
    assert found("", "K-0008") == [other]
    assert found("mine:yes", "K-0008") == [other, mine]
    assert found("member:K-0008", "K-0008") == [mine]
    query = search.parse("", words.words())
    assert finding.figures(query, reader="K-0008").count == 1
    assert finding.numbers(query, reader="K-0008", top=other) == [other]
    around = finding.around(Entry.objects.get(pk=other), reader="K-0008")
    assert [one.pk for one in around] == [other]


@DATABASE
def test_figures_count_the_newest_matches_and_say_where_they_stop(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 15, 9, 30, tzinfo=UTC)
    for place in range(6):
        entry(
            world,
            at=at + timedelta(hours=place),
            event="view" if place % 2 else "start",
            categories=["contact"],
        )
    newest = entry(world, at=at + timedelta(hours=6), account="MOC-50001", categories=["contact", "billing"])
    flag(world, newest, "export")
    whole = finding.figures(search.parse("", words.words()), reader="")
    assert (whole.count, whole.capped, whole.top) == (7, False, newest)
    assert whole.facets["event"] == [("view", 4), ("start", 3)]
    assert whole.facets["account"] == [("MOC-40017", 6), ("MOC-50001", 1)]
    assert whole.facets["category"] == [("contact", 7), ("billing", 1)]
    assert whole.facets["odd"] == [("export", 1)]
    assert sum(bar.count for bar in whole.bars) == 7
    assert len(whole.bars) <= finding.BARS
    for bar, after in zip(whole.bars, whole.bars[1:], strict=False):
        assert bar.until == after.since
    line = f"since:{search.token_of(whole.bars[0].since)} until:{search.token_of(whole.bars[0].until)}"
    assert len(found(line)) == whole.bars[0].count
    monkeypatch.setattr(finding, "MOST", 4)
    some = finding.figures(search.parse("", words.words()), reader="")
    assert (some.count, some.capped, sum(bar.count for bar in some.bars)) == (4, True, 4)


@DATABASE
def test_a_search_that_takes_too_long_is_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(world)
    monkeypatch.setattr(finding, "PATIENCE", timedelta(milliseconds=150))
    with pytest.raises(finding.TooLongError), finding.patience():
        Entry.objects.raw("SELECT id, pg_sleep(3) FROM audit_entry").__iter__().__next__()
    assert len(found("")) == 1  # the connection goes on


# The pages


class Office:
    """A reviewer with a browser, and somebody to look for."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.version()
        self.rita = world.member("reviewer")
        world.signature(self.rita)
        self.browser = enter(world, self.rita)

    def ask(self, line: str, **more: str) -> Any:
        return self.browser.post(LOG, {"line": line, **more})

    def readings(self) -> list[Entry]:
        return list(Entry.objects.filter(event="search", member=self.rita.number).order_by("id"))


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def text(response: Any) -> str:
    return unescape(response.content.decode())


@DATABASE
def test_who_saw_an_account_is_its_number_and_enter(office: Office) -> None:
    entry(office.world)
    entry(office.world, account="MOC-50001", member="K-0555")
    answer = office.ask("MOC-40017")
    assert (answer.status_code, answer.url) == (302, "/log/?q=account:MOC-40017")
    page = text(office.browser.get(answer.url))
    assert "K-0193" in page
    assert "K-0555" not in page
    [reading] = office.readings()
    assert reading.details == {"query": ["account:MOC-40017"]}
    # From any page's head as well.
    answer = office.browser.post(reverse("go"), {"q": "40017"})
    assert answer.headers["Location"] == "/log/?q=account:MOC-40017"


@DATABASE
@pytest.mark.parametrize("line", ["Aldona Kowalska", "reason:kowalska", "aldona@klient.example"])
def test_typed_text_gets_into_no_address_and_no_entry(office: Office, line: str) -> None:
    before = set(Entry.objects.values_list("id", flat=True))
    answer = office.ask(line)
    assert answer.status_code == 422
    assert line.split()[0] in text(answer)
    assert "is not a known token" in text(answer)
    assert office.browser.get(LOG, {"q": line}).status_code == 422
    assert set(Entry.objects.values_list("id", flat=True)) == before


@DATABASE
def test_times_of_the_form_are_of_the_zone_that_is_shown(office: Office) -> None:
    answer = office.ask("K-0193 since:7d", since="2026-11-15T10:00")
    assert answer.url == "/log/?q=member:K-0193+since:2026-11-15T08:00Z"
    answer = office.ask("K-0193", since="2026-11-15T10:00", zone="utc")
    assert answer.url == "/log/?q=member:K-0193+since:2026-11-15T10:00Z&zone=utc"
    entry(office.world, at=datetime(2026, 11, 15, 10, 30, tzinfo=UTC))
    assert "10:30:00" in text(office.browser.get(answer.url))
    assert "12:30:00" in text(office.browser.get(answer.url.removesuffix("&zone=utc")))


@DATABASE
def test_a_question_is_one_entry_and_a_refresh_none(office: Office) -> None:
    number = entry(office.world)
    for _ in range(3):
        office.browser.get(LOG, {"q": "event:view"})
        office.browser.get(reverse("log_figures"), {"q": "event:view"})
    assert [one.details for one in office.readings()] == [{"query": ["event:view"]}]
    office.browser.get(LOG, {"q": "event:view", "before": str(number)})
    office.browser.get(reverse("entry", args=[number]), {"q": "event:view"})
    office.browser.get(reverse("entry", args=[number]))
    assert [one.details for one in office.readings()[1:]] == [
        {"query": ["event:view"], "before": number},
        {"entry": number},
    ]


@DATABASE
def test_another_session_or_a_later_hour_is_recorded_anew(office: Office) -> None:
    office.browser.get(LOG)
    enter(office.world, office.rita).get(LOG)
    assert len(office.readings()) == 2
    for one in office.readings():
        office.world.quietly("audit_entry", one.pk, timestamp=now() - timedelta(minutes=16))
    office.browser.get(LOG)
    assert len(office.readings()) == 3


@DATABASE
def test_counts_alone_are_a_reading_too(office: Office) -> None:
    entry(office.world)
    page = text(office.browser.get(reverse("log_figures"), {"q": "event:view"}))
    assert "1 entry matches." in page
    assert "Export 1 row as CSV" in page
    assert [one.details for one in office.readings()] == [{"query": ["event:view"]}]


@DATABASE
def test_a_click_adds_a_value_or_leaves_it_out(office: Office) -> None:
    entry(office.world)
    entry(office.world, event="start")
    page = text(office.browser.get(reverse("log_figures"), {"q": "account:MOC-40017"}))
    for address in ("account:MOC-40017+event:start", "account:MOC-40017+-event:start"):
        assert f'href="/log/?q={address}"' in page
    bar = re.search(r'href="(/log/\?q=account:MOC-40017\+since:[^"]+)"', page)
    assert bar is not None
    assert office.browser.get(bar[1]).status_code == 200


@DATABASE
def test_a_row_opened_shows_its_facts_the_rows_around_it_and_how_it_stands(office: Office) -> None:
    numbers = [entry(office.world, ticket=f"ZD-{70000 + place}") for place in range(30)]
    opened = numbers[15]
    flag(office.world, opened, "export")
    answer = office.browser.get(reverse("entry", args=[opened]), {"q": "event:view"})
    page = text(answer)
    shown = [int(re.findall(r"/log/(\d+)", row["url"])[0]) for row in answer.context["rows"]]
    assert shown == numbers[5:26][::-1]
    assert answer.context["inclusion"].state == "waits"
    assert 'href="/log/?q=event:view+ticket:ZD-70015"' in page
    assert 'href="/log/?q=event:view+-ticket:ZD-70015"' in page
    rule = detections.rule("export")
    assert rule is not None
    assert rule.title() in page
    assert rule.rationale() in page
    assert office.browser.get(reverse("entry", args=[opened + 999_999])).status_code == 404


@DATABASE
def test_a_fact_that_is_no_token_any_more_leads_nowhere(office: Office) -> None:
    number = entry(office.world, fields=["contact.shoe_size"], categories=["shoes"])
    page = text(office.browser.get(reverse("entry", args=[number])))
    assert "contact.shoe_size" in page
    assert "field:contact.shoe_size" not in page
    assert "category:shoes" not in page


@DATABASE
def test_nothing_found_says_how_far_the_log_goes_back(office: Office) -> None:
    entry(office.world, at=datetime(2025, 3, 1, tzinfo=UTC))
    page = text(office.browser.get(LOG, {"q": "ticket:ZD-99999"}))
    assert "No entries match." in page
    assert "1 Mar 2025" in page


@DATABASE
def test_what_takes_too_long_is_said_in_words(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(office.world)

    def slow(*_given: object, **_more: object) -> None:
        raise finding.TooLongError

    monkeypatch.setattr(finding, "matches", slow)
    answer = office.browser.get(LOG)
    assert answer.status_code == 503
    assert "Choose a shorter time" in text(answer)
    assert "Choose a shorter time" in text(office.browser.get(reverse("log_figures")))
    form = {"q": "", "top": "1", "form": "csv"}
    assert "Choose a shorter time" in text(office.browser.post(reverse("log_export"), form))


# Taking out


def take(office: Office, line: str = "", form: str = "csv", **more: Any) -> Any:
    top = Entry.objects.order_by("-id").values_list("id", flat=True)[0]
    return office.browser.post(reverse("log_export"), {"q": line, "top": top, "form": form, **more})


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


@DATABASE
def test_a_file_is_recorded_with_its_number_before_its_first_line(office: Office) -> None:
    numbers = [entry(office.world) for _ in range(3)]
    answer = take(office, "account:MOC-40017")
    taken = Entry.objects.filter(event="export").get()
    assert (taken.outcome, taken.member, taken.results) == ("allowed", office.rita.number, 3)
    assert taken.details == {"query": ["account:MOC-40017"], "form": "csv", "top": numbers[-1]}
    rows = list(csv.DictReader(io.StringIO(body(answer).removeprefix("\ufeff"))))
    assert [int(row["id"]) for row in rows] == numbers[::-1]
    assert rows[0]["fields"] == "contact.name"
    assert answer.headers["Cache-Control"] == "no-store"


@DATABASE
@pytest.mark.parametrize("end", ["suspended", "signed out"])
def test_a_file_breaks_off_when_its_reader_may_read_the_log_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(files, "_AT_ONCE", 2)
    for _ in range(5):
        entry(office.world)
    lines = iter(take(office, "account:MOC-40017", "jsonl").streaming_content)
    shown = [next(lines), next(lines)]
    if end == "suspended":
        office.world.change("staff_member", office.rita.id, suspended_at=now())
    else:
        office.browser.post(reverse("sign_out"))
    with pytest.raises(files.StoppedError):
        shown.append(next(lines))
    assert len(shown) == 2
    taken = Entry.objects.filter(event="export").order_by("id").values_list("outcome", "reason", "results")
    reason = "member_suspended" if end == "suspended" else "session_missing"
    assert list(taken) == [("allowed", "", 5), ("refused", reason, 5)]


@DATABASE
def test_a_file_of_several_parts_is_taken_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_AT_ONCE", 2)
    for _ in range(5):
        entry(office.world)
    assert body(take(office, "account:MOC-40017")).count("MOC-40017") == 5
    assert Entry.objects.filter(event="export").count() == 1


@DATABASE
def test_the_file_has_the_rows_of_the_button_and_none_that_came_since(office: Office) -> None:
    numbers = [entry(office.world) for _ in range(3)]
    answer = take(office, "account:MOC-40017", top=numbers[1])
    assert Entry.objects.filter(event="export").get().results == 2
    assert body(answer).count("MOC-40017") == 2


@DATABASE
def test_no_cell_of_a_file_is_a_formula(office: Office) -> None:
    for mark in ("=", "+", "-", "@", "\t", "\r"):
        entry(office.world, member_name=f"{mark}HYPERLINK(1)", user_agent=f"{mark}1+1")
    cells = [cell for row in csv.reader(io.StringIO(body(take(office, "event:view")))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert cells.count("'=HYPERLINK(1)") == 1


@DATABASE
def test_json_lines_hold_each_fact_once_and_no_salt(office: Office) -> None:
    number = entry(office.world, at=datetime(2026, 11, 15, 10, tzinfo=UTC))
    flag(office.world, number, "export")
    [line] = body(take(office, "account:MOC-40017", "jsonl")).splitlines()
    facts = json.loads(line)
    assert (facts["id"], facts["timestamp"]) == (number, "2026-11-15T10:00:00+00:00")
    assert facts["categories"] == ["contact"]
    assert facts["odd"] == [detections.words([number])[number][0]]
    assert not {"salts", "xid", "actor_id"} & facts.keys()


@DATABASE
def test_a_file_needs_a_fresh_proof_and_comes_with_it(world: World) -> None:
    office = Office(world)
    entry(world)
    world.setup.execute("UPDATE staff_session SET verified_at = verified_at - interval '6 minutes'")
    answer = take(office, "account:MOC-40017")
    assert answer.status_code == 403
    assert Entry.objects.filter(event="export", outcome="allowed").count() == 0
    answer = take(office, "account:MOC-40017", _code=fresh_code(world, office.rita))
    assert answer.status_code == 200
    assert body(answer).count("MOC-40017") == 1


@DATABASE
@pytest.mark.parametrize("given", [{"form": "xlsx"}, {"top": "x"}, {"top": ""}, {"q": "Aldona"}])
def test_a_file_of_anything_else_is_refused(office: Office, given: dict[str, str]) -> None:
    entry(office.world)
    form = {"q": "", "top": "1", "form": "csv"} | given
    assert office.browser.post(reverse("log_export"), form).status_code == 403
    assert not Entry.objects.filter(event="export").exists()


@DATABASE
@pytest.mark.parametrize("role", ["consultant", "manager", "people", "privacy", "administrator"])
def test_nobody_but_a_reviewer_reads_or_takes_the_log(world: World, role: str) -> None:
    world.version()
    person: Person = world.member(role)
    world.signature(person)
    number = entry(world)
    client: Client = enter(world, person)
    addresses = [LOG, reverse("log_figures"), reverse("entry", args=[number]), f"{LOG}?q=Aldona"]
    answers = [client.get(address) for address in addresses]
    answers.append(client.post(LOG, {"line": "MOC-40017"}))
    files: list[dict[str, Any]] = [{"q": "", "top": number, "form": "csv"}, {"q": "Aldona", "form": "xlsx"}]
    answers += [client.post(reverse("log_export"), form) for form in files]  # who asks, before what for
    for answer in answers:
        assert answer.status_code == 403
        assert "Anna Nowak" not in text(answer)
    refused = Entry.objects.filter(member=person.number, outcome="refused", reason="role_missing")
    assert refused.count() == len(answers)


@DATABASE
def test_the_address_is_the_whole_state(office: Office) -> None:
    query = search.parse("account:MOC-40017 -event:view since:7d", words.words())
    look = LogView(query, "utc")
    answer = office.browser.get(look.url())
    assert answer.context["log_view"] == look


@DATABASE
def test_signing_in_by_hand_leads_to_the_log_as_well(world: World) -> None:
    """`enter` skips the steps of signing in: once with them."""
    office = Office(world)
    give_factors(world, office.rita)
    assert sign_in(world, office.rita).get(LOG).status_code == 200
