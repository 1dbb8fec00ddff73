"""What a privacy officer asks for: whose data, which month or days, in whose time and language."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.dateformat import format as dateformat
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit import references
from gatekeeper.models import Account
from gatekeeper.reports.scope import Scope
from staff.frame.day_field import day_field

MOST_ACCOUNTS: Final = 50
MONTHS: Final = 24
KINDS: Final = ("page", "pdf", "csv", "zip")
#: The language of the account, where there is none of the two: English.
_OF_ACCOUNT: Final = ""


def _months() -> list[tuple[str, str]]:
    """The months, the last whole one first, and then the one that runs."""
    this = timezone.localdate().replace(day=1)
    found, month = [], this
    for _number in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        found.append(month)
    found.insert(1, this)
    return [(f"{month:%Y-%m}", dateformat(month, "F Y")) for month in found]


def _zones() -> list[tuple[str, str]]:
    """The company's first, UTC, and those of Europe."""
    own = settings.TIME_ZONE
    others = sorted(name for name in available_timezones() if name.startswith("Europe/") and name != own)
    return [(name, name) for name in (own, *({"UTC"} - {own}), *others)]


class ReportForm(forms.Form):
    """One line for accounts or a participant, a month, and what seldom changes."""

    about = forms.CharField(
        label=_("Account, accounts of one customer, or participant"),
        max_length=800,
        help_text=_("MOC-48213 · MOC-48213, MOC-48214 · MOC-48213-P17"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    month = forms.ChoiceField(label=_("Month"), required=False, choices=_months)
    since = day_field(pgettext_lazy("day", "From"), required=False)
    until = day_field(pgettext_lazy("day", "To"), required=False)
    zone = forms.ChoiceField(label=_("Time zone"), required=False, choices=_zones)
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[(_OF_ACCOUNT, _("The account’s")), ("pl", "Polski"), ("en", "English")],
    )
    kind = forms.ChoiceField(required=False, choices=[(kind, kind) for kind in KINDS])

    def clean_about(self) -> tuple[tuple[str, ...], int | None]:
        """The accounts, and the participant's number. What was typed is repeated in no message."""
        parts = re.split(r"[\s,;]+", references.pasted(self.cleaned_data["about"]).strip().upper())
        found = references.participant(parts[0])
        if found and len(parts) == 1:
            account, number = found
            return (account,), number
        if any(map(references.participant, parts)):
            raise forms.ValidationError(_("One participant at a time, and no account beside it."))
        accounts = tuple(dict.fromkeys(filter(None, parts)))
        if not accounts or not all(map(references.is_account, accounts)):
            raise forms.ValidationError(
                _("Type numbers of accounts (MOC-48213), or of one participant (MOC-48213-P17).")
            )
        if len(accounts) > MOST_ACCOUNTS:
            raise forms.ValidationError(_("At most %(n)d accounts.") % {"n": MOST_ACCOUNTS})
        return accounts, None

    def clean(self) -> dict[str, Any]:
        """Days, where they are given, are both given, and count instead of the month."""
        data = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if (since is None) != (until is None) and not {"since", "until"} & self.errors.keys():
            self.add_error("until" if until is None else "since", _("Give the first day and the last."))
        elif since and until and until < since:
            self.add_error("until", _("The last day is before the first."))
        elif not self.errors and _midnight(self._days()[0], self._zone()) > timezone.now():
            self.add_error("since" if since else "month", _("These days are still to come."))
        return data

    def scope(self) -> Scope:
        """What was asked for, up to this moment at most. Only after `is_valid()`."""
        accounts, participant = self.cleaned_data["about"]
        zone = self._zone()
        first, last = self._days()
        # Of what is still to come no report may say that nobody viewed it.
        until = min(_midnight(last + timedelta(days=1), zone), timezone.now())
        return Scope(accounts, participant, _midnight(first, zone), until, zone)

    def report_language(self) -> str:
        """The language chosen; the account's own, or English."""
        chosen: str = self.cleaned_data["language"]
        if chosen:
            return chosen
        own = Account.objects.filter(reference__in=self.cleaned_data["about"][0]).exclude(language="")
        return "pl" if "pl" in own.values_list("language", flat=True)[:1] else "en"

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.cleaned_data["zone"] or settings.TIME_ZONE)

    def _days(self) -> tuple[date, date]:
        if self.cleaned_data["since"]:
            return self.cleaned_data["since"], self.cleaned_data["until"]
        first = date.fromisoformat(f"{self.cleaned_data['month'] or _months()[0][0]}-01")
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
