"""The one catalogue: what there is to see, why, for how long, and the words of the gate.

Codes are the same in the page, the API, the log and SQL; a test compares them with the SQL.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Choices = tuple[tuple[str, Promise | str], ...]

CATEGORIES: Final[Choices] = (
    ("contact", _("contact")),
    ("company", _("company")),
    ("billing", _("billing")),
    ("activity", _("activity")),
    ("support", _("told to support")),
    ("participants", _("participants")),
)

#: Field of an account -> its words. The part before the dot is the category.
FIELDS: Final[dict[str, Promise | str]] = {
    "contact.name": pgettext_lazy("field", "Name or nickname"),
    "contact.email": pgettext_lazy("field", "E-mail"),
    "contact.marketing_consent": pgettext_lazy("field", "Marketing consent"),
    "company.name": pgettext_lazy("field", "Company name"),
    "company.address": pgettext_lazy("field", "Company address"),
    "billing.bank_account": pgettext_lazy("field", "Bank account (IBAN)"),
    "activity.ip_address": pgettext_lazy("field", "IP address"),
    "activity.last_visit_at": pgettext_lazy("field", "Last visit"),
    "activity.settings": pgettext_lazy("field", "Settings"),
    "support.notes": pgettext_lazy("field", "What the customer told support"),
}
PARTICIPANTS: Final = "participants"
PAGE_OF_PARTICIPANTS: Final = 25

PURPOSES: Final[Choices] = (
    ("support_request", _("support request")),
    ("billing_question", _("billing question")),
    ("incident", _("incident")),
    ("privacy_request", _("privacy request")),
)

#: The requester's chips.
REASONS: Final[Choices] = (
    ("reproduce_fault", _("Reproduce the fault")),
    ("check_settings", _("Check the settings")),
    ("contact_customer", _("Contact the customer")),
    ("check_payment", _("Check a payment")),
    ("answer_privacy", _("Answer a privacy question")),
    ("other", _("Other, as described")),
)

#: The approver's chips on a denial.
DENIALS: Final[Choices] = (
    ("not_needed", _("Not needed for this ticket")),
    ("too_wide", _("Ask for fewer categories")),
    ("unclear", _("The reason is not clear")),
    ("wrong_ticket", _("Wrong ticket or account")),
)

PLANS: Final[Choices] = (
    ("free", "free"),
    ("start", "start"),
    ("pro", "pro"),
    ("business", "business"),
    ("enterprise", "enterprise"),
)

MINUTES: Final = (30, 60, 90, 120)
OPEN_STATES: Final = frozenset({"open", "pending"})

#: The eight conditions in their order, each with its reason codes (gatekeeper/README.md, 'The conditions').
CONDITIONS: Final[dict[str, tuple[str, ...]]] = {
    "member": ("member_not_started", "member_suspended", "member_left", "role_missing"),
    "session": ("session_missing", "session_expired", "mfa_missing", "mfa_stale"),
    "nda": ("nda_missing", "nda_old_version", "nda_expired", "nda_withdrawn"),
    "ticket": (
        "ticket_missing",
        "ticket_closed",
        "ticket_not_yours",
        "ticket_other_account",
        "ticket_feed_stale",
    ),
    "approval": (
        "approval_missing",
        "approval_pending",
        "approval_denied",
        "category_not_covered",
        "view_limit_reached",
        "daily_budget_reached",
    ),
    "time": (
        "grant_not_started",
        "grant_start_lapsed",
        "grant_expired",
        "grant_revoked",
        "grant_ended",
    ),
    "consent": ("consent_missing", "consent_expired"),
    "account": ("account_unknown", "account_erased", "account_restricted"),
}
#: Beside the rows.
OTHER_REASONS: Final = ("record_failed", "check_failed", "clock_behind")
#: What a row reads when it holds or cannot be judged yet.
PASSED: Final = "passed"
NOT_REQUIRED: Final = "not_required"
CANNOT_START: Final = "cannot_start_yet"


def category_of(field: str) -> str:
    """The category of `contact.email` is `contact`; of `participants`, itself."""
    return field.partition(".")[0]


class Category(NamedTuple):
    """A category in words, with the names and labels of its fields."""

    code: str
    title: str
    fields: tuple[tuple[str, str], ...]


@lru_cache(maxsize=8)
def shown_by_field(_language: str | None) -> list[Category]:
    """In: the language in force. Out: the categories of which an account shows each field, in words."""
    return [
        Category(
            code,
            str(title),
            tuple((name, str(label)) for name, label in FIELDS.items() if category_of(name) == code),
        )
        for code, title in CATEGORIES
        if code != PARTICIPANTS
    ]
