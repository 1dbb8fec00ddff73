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
from gatekeeper.gate import vault
from gatekeeper.gate.cipher import AccountCipher
from staff.secrets.keyring import ring

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
        kind = typed_reasons.personal_in(text)
        if kind:
            raise forms.ValidationError(PERSONAL[kind])
        return text


def sealed(review: Review, text: str) -> bytes | None:
    """The text, encrypted for this review; None when the account's key is gone, for then nothing is kept."""
    if review.grant is None:
        return ring().seal(text.encode(), about=_about(review))
    wrapped = vault.wrapped_key(review.grant.account.reference)
    if wrapped is None:
        return None
    return AccountCipher.unwrap(review.grant.account.reference, wrapped).encrypt(FIELD, text)


def opened(remark: Remark) -> str:
    """What was typed; empty when nothing was, or when it went with the account."""
    if not remark.text:
        return ""
    review = remark.review
    if review.grant is None:
        return ring().open(bytes(remark.text), about=_about(review)).decode()
    wrapped = vault.wrapped_key(review.grant.account.reference)
    if wrapped is None:
        return ""
    cipher = AccountCipher.unwrap(review.grant.account.reference, wrapped)
    return str(cipher.decrypt(FIELD, bytes(remark.text)))


def _about(review: Review) -> str:
    return f"{FIELD} {review.pk}"
