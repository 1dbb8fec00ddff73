"""A member's own settings."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ProfileForm(forms.Form):
    """A member's own settings; nothing else of the member is reachable through it."""

    language = forms.ChoiceField(label=_("Language"), choices=(("en", "English"), ("pl", "polski")))
    theme = forms.ChoiceField(
        label=_("Theme"),
        choices=(
            ("auto", pgettext_lazy("theme", "auto")),
            ("light", pgettext_lazy("theme", "light")),
            ("dark", pgettext_lazy("theme", "dark")),
        ),
    )
