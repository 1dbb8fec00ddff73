"""The forms of references and numbers in addresses and forms: what has none of them names nothing."""

from __future__ import annotations

from typing import Final

from audit import references

#: What the columns of numbers hold at most.
LARGEST: Final = 2**63 - 1
_DIGITS: Final = len(str(LARGEST))


def whole_number(text: str | None) -> int | None:
    """The number that an address or a form holds; None for what is not one, or beyond the columns."""
    if not text or len(text) > _DIGITS or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number <= LARGEST else None


class Reference:
    """An account: MOC-48213."""

    regex = references.ACCOUNT

    def to_python(self, value: str) -> str:
        """The reference itself."""
        return value

    def to_url(self, value: str) -> str:
        """The reference itself."""
        return value


class TicketNumber(Reference):
    """A ticket: ZD-10442."""

    regex = references.TICKET


class MemberNumber(Reference):
    """A member: K-0193."""

    regex = references.MEMBER


class Number:
    """What the database numbers by itself: no number beyond its columns reaches it."""

    regex = "[0-9]{1,19}"
    most = LARGEST

    def to_python(self, value: str) -> int:
        """The number. Raises ValueError for one that is too large: then there is no such page."""
        number = int(value)
        if number > self.most:
            raise ValueError("beyond the column")
        return number

    def to_url(self, value: int) -> str:
        """Its digits."""
        return str(value)


class VersionNumber(Number):
    """A version of the agreement, in a smaller column."""

    most = 2**31 - 1
