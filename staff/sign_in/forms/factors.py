"""The forms of a member's second factors."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

NAME_LENGTH = 64


def name_of(text: object) -> str:
    """A factor's name as it is kept: one line of what can be printed; '' for what is no text."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:NAME_LENGTH]


class FactorNameForm(forms.Form):
    """What the member calls a factor, to tell it from another."""

    name = forms.CharField(
        label=pgettext_lazy("factor", "Name"),
        required=False,
        max_length=NAME_LENGTH,
        help_text=_("So that you can tell it from another: “blue key”, “old telephone”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        return name_of(self.cleaned_data["name"])


class TotpForm(FactorNameForm):
    """The first code of a new application; white space in it does not count."""

    code = forms.CharField(
        label=_("Code from your application"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class RemovalForm(forms.Form):
    """Which of the member's own factors."""

    kind = forms.ChoiceField(choices=(("passkey", "passkey"), ("totp", "totp")))
    pk = forms.IntegerField(min_value=1, max_value=2**63 - 1)
