"""Days in forms: how a browser sends them, and which are plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from datetime import date

EARLIEST_YEAR = 2000
FURTHEST_YEARS = 20


def is_plausible(day: date) -> bool:
    """Not so far away that it can only be a slip, or that reckoning with it would fail."""
    return EARLIEST_YEAR <= day.year <= timezone.localdate().year + FURTHEST_YEARS


def day_field(label: Any, *, required: bool = True) -> forms.DateField:
    """A day, and a plausible one. Every form that asks for days has them from here."""
    # Browsers send dates of this kind in ISO form in every language.
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label,
        required=required,
        widget=widget,
        input_formats=["%Y-%m-%d"],
        validators=[_check],
    )


def _check(day: date) -> None:
    if not is_plausible(day):
        raise ValidationError(_("This date is too far away."))
