"""The forms of standing authorisations."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from staff.frame.day_field import day_field
from staff.frame.names import is_said


class AuthorisationForm(forms.Form):
    """What a member is authorised to, and for how long."""

    scope = forms.CharField(
        label=_("Scope"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Which personal data, and what may be done with it. It is printed in the document, in Polish."
        ),
    )
    starts_on = day_field(_("From"))
    ends_on = day_field(_("To"), required=False)

    def clean_scope(self) -> str:
        scope = str(self.cleaned_data["scope"])
        if not is_said(scope):
            raise ValidationError(_("Say it in words."))
        return scope

    def clean_starts_on(self) -> date:
        day: date = self.cleaned_data["starts_on"]
        if day < timezone.localdate():
            raise ValidationError(_("It begins today at the earliest."))
        return day

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        starts, ends = data.get("starts_on"), data.get("ends_on")
        if starts and ends and ends < starts:
            self.add_error("ends_on", ValidationError(_("It ends before it begins.")))
        return data


class OnForm(forms.Form):
    """The day as of which the register is shown; none means today."""

    on = day_field(_("As of"), required=False)

    def clean_on(self) -> date:
        day: date = self.cleaned_data["on"] or timezone.localdate()
        return day
