"""Which text of a password is hashed: OpaqueString (RFC 8265), so that it is one whatever keyboard types it.

A keyboard writes `é` as one letter or as two, and a space as one of many; the profile has one form for
each. Passwords that were set before are hashed as they were typed, so both are tried; the number of
hashes depends on what was typed alone, and tells nobody whether an account exists. All of them are made
in their turn (hash_queue), and raise BusyError where it does not come.
"""

from __future__ import annotations

from typing import Final

from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from precis_i18n import get_profile

from staff.sign_in import hash_queue

_PROFILE: Final = get_profile("OpaqueString")


class UnpreparedError(ValueError):
    """The password holds a letter that OpaqueString does not allow: a control, or one without a form."""


def prepared(password: str) -> str:
    """The password's one form, which is hashed. Raises UnpreparedError."""
    try:
        return str(_PROFILE.enforce(password))
    except UnicodeEncodeError as error:
        raise UnpreparedError from error


def made(password: str) -> str:
    """The hash of a new password's one form. Raises UnpreparedError."""
    return hash_queue.run(make_password, prepared(password))


def is_right(password: str, encoded: str) -> bool:
    """Whether the password is the one that was hashed. All its forms are tried, whichever is right."""
    forms = _forms(password)
    return hash_queue.run(lambda: True in [check_password(one, encoded) for one in forms])


def hash_in_vain(password: str) -> None:
    """The same work where there is nothing to compare with."""
    forms = _forms(password)
    hash_queue.run(lambda: [make_password(one) for one in forms])


def renewed(password: str, encoded: str) -> str:
    """A new hash of a right password: of its one form where it was hashed as typed, or at a cost that
    is no longer ours; '' when it is well as it is."""
    return hash_queue.run(_renewed, _forms(password)[0], password, encoded)


def _renewed(form: str, password: str, encoded: str) -> str:
    outdated = identify_hasher(encoded).must_update(encoded)
    if outdated or (form != password and not check_password(form, encoded)):
        return make_password(form)
    return ""


def _forms(password: str) -> list[str]:
    """All that is tried, the one form first."""
    try:
        return list(dict.fromkeys((prepared(password), password)))
    except UnpreparedError:
        return [password]
