"""The reason that a requester typed: encrypted with the account, and free of personal data."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from gatekeeper.frame import numbers
from gatekeeper.gate import vault
from gatekeeper.gate.cipher import AccountCipher
from gatekeeper.models import AccessRequest

if TYPE_CHECKING:
    pass


REASON_FIELD = "request.reason"  # under which a typed reason is encrypted

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


def of(request: AccessRequest) -> str:
    """The requester's own words; empty when there are none, or they went with the account."""
    if not request.reason_text:
        return ""
    wrapped = vault.wrapped_key(request.account.reference)
    if wrapped is None:
        return ""
    cipher = AccountCipher.unwrap(request.account.reference, wrapped)
    return str(cipher.decrypt(REASON_FIELD, bytes(request.reason_text)))
