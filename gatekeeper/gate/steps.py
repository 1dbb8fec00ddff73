"""What the viewer may do about a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Step:
    """What the viewer may do about a code: `kind` is the key of its address."""

    kind: str
    label: Promise
    method: Literal["get", "post"] = "get"


_SIGN_IN = Step("sign_in", _("Sign in"))
_VERIFY = Step("verify", _("Enter the code"))
_ASK = Step("request", _("Request access"))
_AGAIN = Step("request", _("Request access again"))
_SIGN = Step("sign", _("Sign the NDA"))
STEPS: Final[dict[str, Step]] = {
    "session_missing": _SIGN_IN,
    "session_expired": _SIGN_IN,
    "mfa_missing": _VERIFY,
    "mfa_stale": _VERIFY,
    "nda_missing": _SIGN,
    "nda_old_version": _SIGN,
    "nda_expired": _SIGN,
    "nda_withdrawn": _SIGN,
    "approval_missing": _ASK,
    "approval_denied": _AGAIN,
    "category_not_covered": Step("request", _("Request more data")),
    "view_limit_reached": _AGAIN,
    "daily_budget_reached": Step("more", _("Ask for more today"), "post"),
    "grant_not_started": Step("open", _("Open the account"), "post"),
    "grant_start_lapsed": _AGAIN,
    "grant_expired": _AGAIN,
    "grant_revoked": _AGAIN,
    "grant_ended": _AGAIN,
}
