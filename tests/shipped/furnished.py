"""A demo in which people have been at work: something waits, something is open, something is drafted.

Everything is done by HTTP, by the personas themselves; what no page of a fresh demo shows a link to
would otherwise never be walked.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Final

from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from tests.shipped.demo import get, post, send
from tests.shipped.walk import most_of, pattern_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext

    from tests.shipped.demo import Shipped

CONSULTANT: Final = "K-0193"
COLLEAGUE: Final = "K-0201"
MANAGER: Final = "K-0020"
OTHER_MANAGER: Final = "K-0022"
REVIEWER: Final = "K-0008"
OFFICER: Final = "K-0003"
NEWCOMER: Final = "K-0900"
#: The demo begins with refusals of hers that are flagged.
ASKED_ABOUT: Final = "K-0207"
FAR: Final = ("approve_more", "deny_more", "withdraw_more", "acknowledge_recovery")
#: So many accesses are asked for; the rest of them wait.
ASKED: Final = 5
APPROVED: Final = 4
#: What people typed, in the language that they speak.
TYPED: Final = ("Iza Nowa", "Dlaczego?", "obsługa zgłoszeń")
#: A ticket of the consultant's with an account that nothing but an approval shuts.
ASKABLE: Final = re.compile(r'href="(/accounts/[^"/]+)/ask\?ticket=([^"&]+)"')
SHOWN: Final = re.compile(r'href="(/accounts/[^"/?]+)\?ticket=([^"&]+)"')


def furnish(demo: Shipped, enter: Callable[[str], BrowserContext]) -> dict[str, str]:
    """In: a fresh demo, and how to get a browser in which a persona has just signed in. Out: addresses that
    stand on no page, a newcomer's one-time link and the helpdesk's to a ticket; and those of what is open."""
    site = demo.origin
    ticket = _ask(enter(CONSULTANT), site, ASKED)
    _decide(enter(MANAGER), site)
    account, query, grant = _open(enter(CONSULTANT), site)
    link = _draft(enter(OFFICER), site)
    _question(enter(REVIEWER), site)
    return {
        "account": f"{account}?{query}",
        "gate_state": f"{account}/gate?{query}",
        "invitation": link,
        "ticket": f"/tickets/{ticket}",
        "print_grant": reverse("print_grant", args=[grant]),
        # Where no demo comes in a minute: a day's budget that is used up, officers who are shut out.
        **{name: reverse(name, args=[1]) for name in FAR},
    }


def _ask(consultant: BrowserContext, site: str, times: int) -> str:
    """Ask for some of the accounts; out: a ticket with one account alone."""
    home = get(consultant, f"{site}/").text()
    asked = list(dict.fromkeys(ASKABLE.findall(home)))[:times]
    for account, ticket in asked:
        page = f"{site}{account}/ask?ticket={ticket}"
        changes = {
            "ticket": ticket,
            "purpose": "support_request",
            "reason": "check_settings",
            "minutes": "60",
            "stretch": "once",
        }
        # Participants' data take the customer's consent, which not all have given.
        address = f"{site}{account}/ask"
        if send(consultant, page, address, categories=["contact", "participants"], **changes).status >= 400:
            post(consultant, page, address, categories="contact", **changes)
    tickets = [ticket for _account, ticket in dict.fromkeys(SHOWN.findall(home))]
    return str(next(one for one in tickets if tickets.count(one) == 1))


def _decide(manager: BrowserContext, site: str) -> None:
    inbox = get(manager, f"{site}/inbox/").text()
    for number in re.findall(r'action="/requests/(\d+)/approve"', inbox)[:APPROVED]:
        asked = re.findall(rf'form="approve-{number}" name="categories" value="(\w+)"', inbox)
        post(manager, f"{site}/inbox/", f"{site}/requests/{number}/approve", categories=asked)
    post(
        manager,
        f"{site}/team/",
        f"{site}/team/deputies",
        deputy=OTHER_MANAGER,
        begins=_day(30),
        ends=_day(31),
    )


def _open(consultant: BrowserContext, site: str) -> tuple[str, str, str]:
    """Open one access after the other, until one shows participants; the rest stay as they are. Out: that
    one's address, query and number."""
    home = get(consultant, f"{site}/").text()
    for account, ticket in dict.fromkeys(SHOWN.findall(home)):
        page = f"{site}{account}?ticket={ticket}"
        found = re.search(r'name="grant" value="(\d+)"', get(consultant, page).text())
        if found:
            post(consultant, page, f"{site}{account}/open", grant=found[1])
            if f"{account}/participants" in get(consultant, page).text():
                return account, f"ticket={ticket}", found[1]
    raise AssertionError("no access shows participants")


def _draft(officer: BrowserContext, site: str) -> str:
    _save_draft(officer, site, days=60)
    page = f"{site}/ndas/publish"
    seen = _first(r'name="seen" value="([^"]+)"', get(officer, page).text())
    post(officer, page, page, seen=seen)
    _save_draft(officer, site, days=90)
    register = f"{site}/members/{COLLEAGUE}/authorisations/"
    post(officer, register, register, scope=TYPED[2], starts_on=_day(0), ends_on="")
    member = f"{site}/members/{COLLEAGUE}/"
    post(officer, member, f"{member}roles/", **{"roles-roles": "manager"})
    form = f"{site}/members/new/"
    shown = post(
        officer,
        form,
        form,
        number=NEWCOMER,
        name=TYPED[0],
        email="iza.nowa@example.com",
        language="pl",
        starts_on="2026-01-01",
        roles="consultant",
    )
    return _first(r"(/invitation/[^/]+/)", shown)


def _save_draft(officer: BrowserContext, site: str, *, days: int) -> None:
    page = f"{site}/ndas/draft"
    post(
        officer,
        page,
        page,
        text_en="# Secrecy\n\nThe duty of secrecy goes on.",
        text_pl="# Tajemnica\n\nObowiązek zachowania tajemnicy trwa.",
        effective_on=_day(days),
        term_days="365",
        grace_days="14",
    )


def _question(reviewer: BrowserContext, site: str) -> None:
    # In the evening others are in the queue as well: whoever looks then does it outside working hours.
    queue = get(reviewer, f"{site}/reviews/").text().partition(ASKED_ABOUT)[2]
    page = site + _first(r'href="(/reviews/\d+)"', queue)
    assert ASKED_ABOUT in get(reviewer, page).text()
    post(reviewer, page, f"{page}/decide", verdict="question", text=TYPED[1])


def _day(ahead: int) -> str:
    """A day of the company's, as its forms take it."""
    return (timezone.localdate() + timedelta(days=ahead)).isoformat()


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, pattern
    return found[1]


#: Whose pages, between them, show an address of every pattern.
SHOWN_TO: Final = (CONSULTANT, MANAGER, REVIEWER, OFFICER, "K-0005", "K-0001", COLLEAGUE, ASKED_ABOUT)
#: Without what a part that asks for itself has seen: it is asked whole.
LINK: Final = re.compile(r'(href|action|hx-get)="(/[^"#]*)["#]')


def addresses(demo: Shipped, enter: Callable[[str], BrowserContext], known: dict[str, str]) -> dict[str, str]:
    """An address of every pattern, by its name: as pages show it, where it is not known already."""
    found = {"api_account": "/api/accounts/MOC-40001", "end_session": "/profile/sessions/1/end/", **known}
    for number in SHOWN_TO:
        context, waiting = enter(number), ["/"]
        seen: Counter[object] = Counter()
        while waiting:
            address = waiting.pop(0)
            name = pattern_of(address)
            if not name or address in seen or seen[shape_of(address)] >= most_of(name):
                continue
            seen.update((address, shape_of(address)))
            answer = get(context, demo.origin + address)
            if "text/html" in answer.headers.get("content-type", ""):
                for kind, one in LINK.findall(answer.text()):
                    shown = unescape(one) if kind != "hx-get" else unescape(one).partition("?seen=")[0]
                    found.setdefault(pattern_of(shown), shown)
                    waiting += [shown] if kind == "href" else []
    patterns = [one for one in get_resolver().url_patterns if isinstance(one, URLPattern)]
    for pattern in patterns:
        if pattern.name and not pattern.pattern.converters:
            found.setdefault(pattern.name, reverse(pattern.name))
    missing = {one.name for one in patterns} - found.keys()
    assert not missing, f"no page shows an address of {missing}"
    return {name: address for name, address in found.items() if name}
