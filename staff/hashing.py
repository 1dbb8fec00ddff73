"""Which text of a password is hashed: OpaqueString (RFC 8265), so that it is one whatever keyboard types it.

A keyboard writes `é` as one letter or as two, and a space as one of many; the profile has one form for
each. Passwords that were set before are hashed as they were typed, so both are tried; the number of
hashes depends on what was typed alone, and tells nobody whether an account exists.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from precis_i18n import get_profile

_PROFILE: Final = get_profile("OpaqueString")


class UnpreparedError(ValueError):
    """The password holds a letter that OpaqueString does not allow: a control, or one without a form."""


def prepared(password: str) -> str:
    """The password's one form, which is hashed. Raises UnpreparedError."""
    try:
        return str(_PROFILE.enforce(password))
    except UnicodeEncodeError as error:
        raise UnpreparedError from error


def is_right(password: str, encoded: str) -> bool:
    """Whether the password is the one that was hashed. All its forms are tried, whichever is right."""
    return True in [check_password(one, encoded) for one in _forms(password)]


def hash_in_vain(password: str) -> None:
    """The same work where there is nothing to compare with."""
    for one in _forms(password):
        make_password(one)


def renewed(password: str, encoded: str) -> str:
    """What to hash anew of a right password: its one form where it was hashed as typed, or at a cost that
    is no longer ours; '' when it is well as it is."""
    form = _forms(password)[0]
    outdated = identify_hasher(encoded).must_update(encoded)
    return form if outdated or (form != password and not check_password(form, encoded)) else ""


def _forms(password: str) -> list[str]:
    """All that is tried, the one form first."""
    try:
        return list(dict.fromkeys((prepared(password), password)))
    except UnpreparedError:
        return [password]
