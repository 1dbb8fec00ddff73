"""The people of an installation, and what they do first: by the pages, as README tells them to."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils import timezone

from staff.secrets import totp
from tests.shipped.installation import PROJECT
from tests.shipped.visitor import Visitor, secret_of

if TYPE_CHECKING:
    from tests.shipped.installation import Installation

SAMPLES = PROJECT / "tests" / "data"
PASSWORD = "seven calm lanterns"
# Of the samples: a ticket assigned to a consultant, of an account that agreed to support.
ACCOUNT, TICKET = "MOC-40007", "ZD-10402"
SECOND_OFFICER = "K-0004"
REFUSED = 5  # so many within minutes are flagged, and wait for a review
KINDS = {
    "people officer": "K-0003",
    "administrator": "K-0001",
    "consultant": "K-0193",
    "manager": "K-0020",
    "reviewer": "K-0008",
    "privacy officer": "K-0005",
}


@dataclass
class Company:
    """Who works here, each with a browser."""

    site: Installation
    links: dict[str, str] = field(default_factory=dict)
    desks: dict[str, Visitor] = field(default_factory=dict)

    def hire(self) -> None:
        """The samples, before anybody has signed in; then a link for each."""
        found = re.findall(r"(K-\d+): one-time link: (\S+)", self.site.said)
        assert len(found) == 4, self.site.said
        self.links = {number: urlsplit(link).path for number, link in found}
        staff = self.site.root / "staff.jsonl"  # whoever was founded has the same address there
        staff.write_text((SAMPLES / "staff.jsonl").read_text().replace("@example.com", "@akovana.test"))
        self.site.manage("import_staff", str(staff))
        for kind in ("accounts", "participants", "tickets"):
            self.site.manage(f"import_{kind}", str(SAMPLES / f"{kind}.jsonl"))
        for number in KINDS.values():
            if number not in self.links:
                self.links[number] = urlsplit(self.site.manage("invite", number).strip()).path

    def enter(self, kind: str) -> Visitor:
        """By the link: a password, an application's first code, the recovery codes."""
        visitor = self.desks[kind] = Visitor(self.site)
        page = visitor.get(self.links[KINDS[kind]])
        page = visitor.send(page, page.path, password=PASSWORD, again=PASSWORD)
        key = base64.b32decode(secret_of(page))
        page = visitor.send(page, page.path.partition("?")[0], code=totp.current_code(key))
        assert "/profile/recovery-codes/kept" in page.text, page.text
        home = visitor.send(page, "/profile/recovery-codes/kept")
        assert (home.path, home.status) == ("/", 200)
        return visitor

    def publish(self) -> None:
        """The officer publishes the sample of an agreement as it stands."""
        officer = self.desks["people officer"]
        page = officer.get("/ndas/draft")
        today = timezone.localdate().isoformat()
        page = officer.send(page, "/ndas/draft", publish="1", effective_on=today)
        assert page.path == "/ndas/publish", page.text
        page = officer.send(page, "/ndas/publish")
        assert page.status == 200
        assert "/ndas/1/" in page.text

    def sign(self, kind: str) -> None:
        visitor = self.desks[kind]
        page = visitor.get("/nda/")
        found = self.site.sql(f"SELECT name FROM staff_member WHERE number = '{KINDS[kind]}'")
        page = visitor.send(page, "/nda/", name=found, consent="on")
        assert "badge-pass" in page.text, page.text

    def open_an_account(self) -> None:
        """The consultant asks, the manager approves, the consultant opens and reveals, and tries for more."""
        consultant, manager = self.desks["consultant"], self.desks["manager"]
        page = consultant.get(f"/accounts/{ACCOUNT}/ask?ticket={TICKET}")
        page = consultant.send(page, f"/accounts/{ACCOUNT}/ask", ticket=TICKET)
        request = self.site.sql("SELECT max(id) FROM gatekeeper_accessrequest")
        page = manager.get(f"/requests/{request}")
        page = manager.send(page, f"/requests/{request}/approve", categories="contact")
        assert page.status == 200
        page = consultant.get(f"/accounts/{ACCOUNT}?ticket={TICKET}")
        page = consultant.send(page, f"/accounts/{ACCOUNT}/open")
        page = consultant.send(page, f"/accounts/{ACCOUNT}/reveal", fields="contact.email")
        assert page.status == 200
        assert "data-revealed" in page.text
        for _number in range(REFUSED):
            consultant.send(page, f"/accounts/{ACCOUNT}/reveal", fields="billing.iban")
