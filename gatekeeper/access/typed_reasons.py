"""The reason that a requester typed: encrypted with the account, and free of personal data."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from gatekeeper.frame import numbers
from gatekeeper.gate import typed_texts
from gatekeeper.models import AccessRequest

_FIELD: Final = "request.reason"

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def personal_in(text: str) -> str:
    """What kind of personal data a typed reason seems to hold: `email`, `iban`, `card`, `telephone`
    or nothing (''). Better one refusal too many: the reason is read by others."""
    # A sign of double width, as keyboards of East Asia type it, is the same sign.
    if _EMAIL.search(unicodedata.normalize("NFKC", text)):
        return "email"
    if numbers.bank_account_in(text):
        return "iban"
    if numbers.card_in(text):
        return "card"
    return "telephone" if numbers.telephone_in(text) else ""


def encrypted(account: str, text: str) -> bytes | None:
    """The text for a request; None where nothing was typed, and for no account: such a request will be
    refused, and its text is not kept."""
    return typed_texts.encrypt(text.strip(), field=_FIELD, account=account) if text.strip() else None


def of(request: AccessRequest) -> str:
    """The requester's own words; empty when there are none, or they went with the account."""
    if not request.reason_text:
        return ""
    return typed_texts.decrypt(request.reason_text, field=_FIELD, account=request.account.reference)
