"""The one grammar of references: how accounts, participants, members and tickets are named everywhere.

Addresses, forms, feeds, commands and the log's search build on it. SQL has no share in Python's constants: a
test compares what it says with this.
"""

from __future__ import annotations

import re
from typing import Final

#: MOC-48213
ACCOUNT: Final = "MOC-[0-9]{5,9}"
#: MOC-48213-P17
PARTICIPANT: Final = f"{ACCOUNT}-P[1-9][0-9]{{0,8}}"
#: K-0193
MEMBER: Final = "K-[0-9]{4,6}"
#: ZD-10442
TICKET: Final = "ZD-[0-9]{1,12}"

#: What text processors make of a plain dash.
_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
#: Signs that are not seen, and come along with what is copied: soft hyphens, no width, directions.
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

#: What each of them begins with.
PREFIXES: Final = tuple(form.partition("-")[0] for form in (ACCOUNT, MEMBER, TICKET))


def is_account(text: str) -> bool:
    """Whether this names an account."""
    return re.fullmatch(ACCOUNT, text) is not None


def is_member(text: str) -> bool:
    """Whether this names a member."""
    return re.fullmatch(MEMBER, text) is not None


def participant(text: str) -> tuple[str, int] | None:
    """The account and the number of the participant whom this names, if it names one."""
    if not re.fullmatch(PARTICIPANT, text):
        return None
    account, _dash, number = text.rpartition("-P")
    return account, int(number)


def dashed(text: str) -> str:
    """With plain dashes."""
    return _DASHES.sub("-", text)


def pasted(text: str) -> str:
    """What was typed or pasted, with plain dashes and without signs that nobody sees."""
    return dashed(_UNSEEN.sub("", text))


def typed(text: str) -> tuple[str, str] | None:
    """What somebody means who types this alone, in letters of any case: ("ticket", "ZD-10442").

    Digits alone are an account's.
    """
    name = pasted(text).upper()
    for kind, form in (("account", ACCOUNT), ("member", MEMBER), ("ticket", TICKET)):
        if re.fullmatch(form, name):
            return kind, name
    account = f"{PREFIXES[0]}-{name}"
    return ("account", account) if is_account(account) else None
