"""The forms of a member's page, for the people officer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit import references
from staff.frame.day_field import day_field
from staff.frame.emails import is_plain, normalise
from staff.frame.names import is_readable
from staff.frame.ticks import TicksField
from staff.models import Role

#: What the list is narrowed by; as the badges say it.
STATES = (
    ("", _("all")),
    ("working", pgettext_lazy("member", "At work")),
    ("not_started", pgettext_lazy("member", "Not started")),
    ("suspended", pgettext_lazy("member", "Suspended")),
    ("left", pgettext_lazy("member", "Left")),
)


class SearchForm(forms.Form):
    """Finds members; sent in the body, because a name has no place in an address (ASVS 14.2.1)."""

    text = forms.CharField(
        label=_("Number or name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    role = forms.ChoiceField(label=_("Role"), choices=(("", _("all")), *Role.choices), required=False)
    page = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


class DayForm(forms.Form):
    """A first day or a last one; empty means none."""

    day = day_field(_("Day"), required=False)


def _roles() -> TicksField:
    return TicksField(label=_("Roles"), choices=Role.choices, required=False)


def _name() -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=_("Name"), max_length=200, widget=widget, validators=[_check_name])


def _check_name(name: str) -> None:
    if not is_readable(name):
        raise ValidationError(_("A name has letters, and no signs that are unseen or turn the text."))


def _email() -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": "off"})
    return forms.EmailField(label=_("E-mail"), max_length=254, widget=widget)


def _language() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


def _manager() -> forms.RegexField:
    return forms.RegexField(
        label=_("Manager’s number"), regex=f"^{references.MEMBER}$", required=False, empty_value=None
    )


class RolesForm(forms.Form):
    """Roles, or none; that they combine the database states."""

    roles = _roles()


class ManagerForm(forms.Form):
    """The manager's number; empty means none."""

    manager = _manager()


class NameForm(forms.Form):
    """What a member is called."""

    name = _name()


class EmailForm(forms.Form):
    """The address by which a member signs in, in the form in which addresses are stored."""

    email = _email()

    def clean_email(self) -> str:
        return _normal(self.cleaned_data["email"])


class LanguageForm(forms.Form):
    """The language of a member's pages and documents; they can change it themselves."""

    language = _language()


class MemberForm(forms.Form):
    """A new member. Roles that two people give are proposed with it."""

    number = forms.RegexField(
        label=_("Staff number"),
        regex=f"^{references.MEMBER}$",
        max_length=8,
        help_text=_("K-, then 4 to 6 digits."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )
    name = _name()
    email = _email()
    language = _language()
    starts_on = day_field(_("First day"), required=False)
    manager = _manager()
    roles = _roles()

    def clean_email(self) -> str:
        return _normal(self.cleaned_data["email"])

    def facts(self) -> dict[str, Any]:
        """What `people.add_member` takes."""
        day = self.cleaned_data["starts_on"]
        return self.cleaned_data | {"starts_on": day.isoformat() if day else None}


def _normal(email: str) -> str:
    normal = normalise(email)
    if len(normal) > 254 or not is_plain(email):  # folding can lengthen it
        raise ValidationError(_("This address cannot be taken: it is too long, or its letters mislead."))
    return normal


def ends_at_once(day: Any) -> bool:
    """Whether a last day has passed already, so that sessions and accesses end now."""
    return day is not None and day < timezone.localdate()
