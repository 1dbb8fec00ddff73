"""The reviewer's question, as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.explorer import search

if TYPE_CHECKING:
    from datetime import datetime


def _time(label: Any) -> forms.DateTimeField:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(
        label=label,
        required=False,
        widget=widget,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d"],
        validators=[_check],
    )


def _check(moment: datetime) -> None:
    """In the years that the line's own tokens have: the first of all has no form in another zone."""
    if moment.year // 100 != search.CENTURY:
        raise forms.ValidationError(_("This date is too far away."))


class SearchForm(forms.Form):
    """The one line, and two times that take the place of its own. `words`: the values of other tokens."""

    line = forms.CharField(
        label=_("Search the log"),
        required=False,
        max_length=search.LONGEST_LINE,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "autocomplete": "off",
                "autocapitalize": "off",
                "spellcheck": "false",
                "placeholder": "MOC-48213 event:view -reason:ticket_closed member:K-0193 since:7d",
            }
        ),
    )
    since = _time(_("From"))
    until = _time(_("Until"))

    def __init__(self, *args: Any, words: search.Words, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._words = words
        self.query = search.Query()

    def clean(self) -> dict[str, Any]:
        """Refuse what is no known token: free text is never searched, and never kept."""
        data = super().clean() or {}
        try:
            self.query = search.parse(data.get("line", ""), self._words)
            since, until = (self._token(data, name) for name in search.TIMES)
            self.query = self.query.between(since, until)
        except search.SearchError as error:
            self.add_error("line", str(error))
        return data

    def _token(self, data: dict[str, Any], name: str) -> str:
        given: datetime | None = data.get(name)
        return search.token_of(given) if given else str(getattr(self.query, name))
