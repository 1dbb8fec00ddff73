"""What of a form goes on to the database, which refuses and records a form that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django import forms


def usable(form: forms.Form) -> Mapping[str, Any]:
    """All that the form says, by field; nothing at all when one of its values cannot be taken.

    The view asks the database either way: the function that would have done the deed refuses what is not
    there, and writes the entry. So an attempt is recorded whatever was sent, and nothing typed is in it.
    """
    return form.cleaned_data if form.is_valid() else {}
