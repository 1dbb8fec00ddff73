"""Several of a list, by ticks: what is all unticked is nothing, and what did not come at all is refused.

Browsers send neither an empty list nor an absent one. So a page sends an empty value along with the ticks,
by a hidden field of the same name (templates put it there); where even that is missing, the form is not ours,
or not whole, and nobody knows what was wished.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class Ticks(forms.CheckboxSelectMultiple):
    """Checkboxes, with the hidden field before them."""

    marked = True  # read by templates

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """None where nothing came, which is not the same as an empty list."""
        came = super().value_from_datadict(data, files, name)
        return [value for value in came if value] if came else None


class TicksField(forms.MultipleChoiceField):
    """Which of the choices were ticked; a required one has at least one."""

    widget = Ticks

    def clean(self, value: Any) -> list[str]:
        """Raises ValidationError where nothing came at all."""
        if value is None:
            raise ValidationError(_("This was not received in full. Reload the page, and send it again."))
        ticked: list[str] = super().clean(value)
        return ticked
