"""The reviewer's filter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit.models import Event, Outcome
from audit.reading import FORMS, Query

_ANY = ("", pgettext_lazy("filter", "any"))


def _token(label: Any, example: str) -> forms.CharField:
    attrs = {"placeholder": example, "autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(label=label, required=False, max_length=24, widget=forms.TextInput(attrs=attrs))


def _time(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(
        label=label, required=False, widget=widget, input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"]
    )


class QueryForm(forms.Form):
    """Member, account, ticket, event, reason, outcome, and a span of time."""

    member = _token(_("Member"), "K-0193")
    account = _token(_("Account"), "MOC-48213")
    ticket = _token(_("Ticket"), "ZD-10442")
    event = forms.ChoiceField(label=_("Event"), required=False, choices=[_ANY, *Event.choices])
    reason = _token(pgettext_lazy("code of a refusal", "Reason"), "ticket_closed")
    outcome = forms.ChoiceField(label=_("Outcome"), required=False, choices=[_ANY, *Outcome.choices])
    since = _time(_("Since"))
    until = _time(_("Until"))

    def clean(self) -> dict[str, Any]:
        """Refuse what is no known form of a token: free text is never searched, and never kept."""
        data = super().clean() or {}
        for name, form in FORMS.items():
            value = data.get(name, "")
            data[name] = value.strip().lower() if name == "reason" else value.strip()
            if name in ("member", "account", "ticket"):
                data[name] = data[name].upper()
            if data[name] and not form.match(data[name]):
                self.add_error(name, _("This is not the form of such a number or code."))
        return data

    def query(self) -> Query:
        """The filter as the log is asked. Only after `is_valid()`."""
        known = Query.__dataclass_fields__
        return Query(**{name: value for name, value in self.cleaned_data.items() if name in known and value})
