"""Days in forms: how a browser sends them, and which are plausible."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

EARLIEST_YEAR = 2000


def day_field(label: Any, *, required: bool = True) -> forms.DateField:
    # Browsers send dates of this kind in ISO form in every language.
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, input_formats=["%Y-%m-%d"])


def plausible(day: Any) -> Any:
    if day is not None and not EARLIEST_YEAR <= day.year <= timezone.localdate().year + 20:
        raise ValidationError(_("This date is too far away."))
    return day
