"""Questions and answers: typed, so encrypted, and never in the log.

Under the data key of the account that a grant is about, so that they go when the account goes; of a
member's day without a grant, under the key ring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from gatekeeper.access import typed_reasons
from gatekeeper.access.forms import PERSONAL
from gatekeeper.gate import typed_texts
from staff.frame.names import is_said

if TYPE_CHECKING:
    from gatekeeper.models import Remark, Review

FIELD: Final = "review.remark"


class TextForm(forms.Form):
    """A question, or an answer to it."""

    text = forms.CharField(
        label=_("In a sentence"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("No names, addresses or numbers of the customer."),
    )

    def __init__(self, *args: Any, label: Any = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if label:
            self.fields["text"].label = label

    def clean_text(self) -> str:
        """Refuse what looks like somebody's data; the text itself is repeated nowhere."""
        text = str(self.cleaned_data["text"]).strip()
        if not is_said(text):
            raise forms.ValidationError(_("Say it in words."))
        kind = typed_reasons.personal_in(text)
        if kind:
            raise forms.ValidationError(PERSONAL[kind])
        return text


def encrypted(review: Review, text: str) -> bytes | None:
    """The text, encrypted for this review; None when the account's key is gone, for then nothing is kept."""
    field, account = _place(review)
    return typed_texts.encrypt(text, field=field, account=account)


def opened(remark: Remark) -> str:
    """What was typed; empty when nothing was, or when it went with the account."""
    field, account = _place(remark.review)
    return typed_texts.decrypt(remark.text, field=field, account=account)


def _place(review: Review) -> tuple[str, str | None]:
    """Where its texts stand, and with which account."""
    if review.grant is None:
        return f"{FIELD} {review.pk}", None
    return FIELD, review.grant.account.reference
