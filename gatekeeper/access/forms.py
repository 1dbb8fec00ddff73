"""What people type and choose: asking, deciding, naming a deputy."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gatekeeper import catalogue
from gatekeeper.access import deputies, requests, typed_reasons
from staff.frame import times
from staff.frame.day_field import day_field
from staff.frame.names import is_said
from staff.frame.ticks import TicksField
from staff.models import Member

if TYPE_CHECKING:
    from gatekeeper.models import Ticket

STRETCHES = (("once", _("Once")), ("while_open", _("While the ticket is open")))
PERSONAL = {
    "email": _("Leave the e-mail address out: others read this."),
    "telephone": _("Leave the telephone number out: others read this."),
    "iban": _("Leave the bank account out: others read this."),
    "card": _("Leave the card number out: others read this."),
}


class AskForm(forms.Form):
    """A request. The choices are those that this ticket's kind and account admit."""

    reason = forms.ChoiceField(
        label=_("Reason"), choices=catalogue.REASONS, widget=forms.RadioSelect, initial="reproduce_fault"
    )
    text = forms.CharField(
        label=_("In a sentence"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What will be checked? No names, addresses or numbers of the customer."),
    )
    categories = TicksField(label=_("Data"), choices=catalogue.CATEGORIES)
    minutes = forms.TypedChoiceField(
        label=_("How long"),
        coerce=int,
        choices=[(minutes, _("%d min") % minutes) for minutes in catalogue.MINUTES],
        widget=forms.RadioSelect,
        initial=60,
    )
    stretch = forms.ChoiceField(
        label=_("How often"), choices=STRETCHES, widget=forms.RadioSelect, initial="once"
    )
    purpose = forms.ChoiceField(label=_("Purpose"), choices=catalogue.PURPOSES)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        privacy = ticket.kind == "privacy"
        self._choose("purpose", lambda code: (code == "privacy_request") == privacy)
        self._choose("reason", lambda code: code != "answer_privacy" or privacy)
        # Participants' data are touched for technical support only.
        self._choose("categories", lambda code: code != catalogue.PARTICIPANTS or not privacy)

    def _choose(self, name: str, admits: Any) -> None:
        field: Any = self.fields[name]
        field.choices = [choice for choice in field.choices if admits(choice[0])]

    def clean_text(self) -> str:
        """Refuse what looks like somebody's data; the text itself is repeated nowhere."""
        text: str = self.cleaned_data["text"]
        kind = typed_reasons.personal_in(text)
        if kind:
            raise forms.ValidationError(PERSONAL[kind])
        return text

    def clean(self) -> dict[str, Any]:
        """'Other' says nothing by itself; nor does a text without a letter or digit that is seen."""
        data = super().clean() or {}
        if (
            data.get("reason") == "other"
            and not is_said(data.get("text") or "")
            and "text" not in self.errors
        ):
            self.add_error("text", _("Say in a sentence what will be checked."))
        return data


class ApproveForm(forms.Form):
    """What an approval may change: shorter, narrower, once or while the ticket is open."""

    minutes = forms.TypedChoiceField(
        coerce=int, required=False, empty_value=None, choices=[(m, str(m)) for m in catalogue.MINUTES]
    )
    categories = TicksField(choices=catalogue.CATEGORIES)
    stretch = forms.ChoiceField(required=False, choices=STRETCHES)


class DenyForm(forms.Form):
    """Why a request is rejected: a chip."""

    denial = forms.ChoiceField(choices=catalogue.DENIALS)


class MoreForm(forms.Form):
    """More than the day's budget: from which access' page it was asked, to come back there."""

    grant = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)


class DeputyForm(forms.Form):
    """Who approves in one's stead, from one day to the end of another."""

    deputy = forms.ModelChoiceField(label=_("Deputy"), queryset=Member.objects.none(), to_field_name="number")
    begins = day_field(_("From"))
    ends = day_field(_("To, including"))

    def __init__(self, *args: Any, manager: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["deputy"]
        at_work = Member.objects.filter(~Member.suspended(), roles__contains=["manager"], left_on=None)
        field.queryset = at_work.exclude(pk=manager.pk)
        field.label_from_instance = lambda member: f"{member.name} ({member.number})"

    def clean(self) -> dict[str, Any]:
        """From–to, beforehand: a deputy named for the past would approve after the fact."""
        data = super().clean() or {}
        begins, ends = data.get("begins"), data.get("ends")
        today, most = timezone.localdate(), requests.limit("deputy_days")
        if begins and begins < today:
            self.add_error("begins", _("A deputy is named beforehand: from today at the earliest."))
        if begins and begins >= today + timedelta(days=deputies.MAX_DAYS_AHEAD):
            self.add_error("begins", _("A deputy is named at most a year beforehand."))
        elif begins and ends and ends < begins:
            self.add_error("ends", _("The last day is before the first."))
        elif begins and ends and ends >= begins + timedelta(days=most):
            self.add_error("ends", _at_most(most, begins))
        return data

    def span(self) -> tuple[datetime, datetime]:
        """Begin (now, if today) and end, aware; dates mean their end in the company's zone."""
        zone = timezone.get_default_timezone()
        begins = datetime.combine(self.cleaned_data["begins"], time.min, tzinfo=zone)
        ends = datetime.combine(self.cleaned_data["ends"] + timedelta(days=1), time.min, tzinfo=zone)
        return max(begins, timezone.now()), ends


def _at_most(most: int, begins: date) -> str:
    """For how long a deputy is named, and so to which day."""
    words = ngettext(
        "A deputy is named for at most %(n)d day: to %(day)s.",
        "A deputy is named for at most %(n)d days: to %(day)s.",
        most,
    )
    return words % {"n": most, "day": times.day(begins + timedelta(days=most - 1))}
