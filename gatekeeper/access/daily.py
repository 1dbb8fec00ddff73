"""What is left of a member's budget for the day, over all grants; SQL counts it, and judges by it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NEAR: Final = 0.8  # of either limit: from here on the account's page says what is left


@dataclass(frozen=True, slots=True)
class Day:
    """What a member has seen today, and may see; and what of it is one account's."""

    accounts: int  # different ones
    fields: int  # different pairs of account and field
    seen: Sequence[str]  # fields of the account, counted already
    participants_shown: int
    misses: int
    limits: Mapping[str, int]  # of one budget, by their names
    budgets: int  # the day's own, and those added

    @property
    def accounts_allowed(self) -> int:
        """How many different accounts may be seen on the day."""
        return self.limits.get("accounts_per_day", 0) * self.budgets

    @property
    def fields_allowed(self) -> int:
        """How many different pairs of account and field may be seen on the day."""
        return self.limits.get("fields_per_day", 0) * self.budgets

    @property
    def participants_per_grant(self) -> int:
        """How many records of participants one budget has, of each account."""
        return self.limits.get("participants_per_grant", 0)

    @property
    def accounts_left(self) -> int:
        """How many other accounts may still be seen today."""
        return max(self.accounts_allowed - self.accounts, 0)

    @property
    def fields_left(self) -> int:
        """How many more fields may still be seen today."""
        return max(self.fields_allowed - self.fields, 0)

    @property
    def participants_left(self) -> int:
        """Records of the account's participants; none after too many searches without a match."""
        if self.misses >= self.limits.get("misses", 0) * self.budgets:
            return 0
        return max(self.participants_per_grant * self.budgets - self.participants_shown, 0)

    def has_room_for(self, fields: Sequence[str]) -> bool:
        """Whether all of these fields of the account may be seen today."""
        return len(set(fields) - set(self.seen)) <= self.fields_left

    @property
    def words(self) -> str:
        """What is left, once most is used; '' before."""
        if self.accounts < NEAR * self.accounts_allowed and self.fields < NEAR * self.fields_allowed:
            return ""
        if not self.fields_left:  # of another account, too, each field would be a new one
            return _("Today’s limit is reached. What you have seen today can be shown again.")
        left = {
            "accounts": ngettext("%d other account", "%d other accounts", self.accounts_left)
            % self.accounts_left,
            "fields": ngettext("%d more field", "%d more fields", self.fields_left) % self.fields_left,
        }
        return _("Left today: %(accounts)s, %(fields)s. What you have seen today can be shown again.") % left


#: A column for a statement that has the open grant `g` and its account `a`, and the company's day `today`.
COLUMN: Final = """
    SELECT jsonb_build_array(coalesce(b.accounts, 0), coalesce(b.fields, 0), coalesce(u.fields, '{}'),
        coalesce(u.participants_shown, 0), coalesce(u.misses, 0),
        l.limits || jsonb_build_object('misses', gatekeeper.misses_allowed()),
        1 + gatekeeper.more_today(g.member_id, %(today)s::date))
    FROM (SELECT jsonb_object_agg(x.name, x.value::integer) FROM audit_limit x
            WHERE x.name IN ('accounts_per_day', 'fields_per_day', 'participants_per_grant')) l (limits)
        LEFT JOIN gatekeeper_dailybudget b ON b.member_id = g.member_id AND b.day = %(today)s
        LEFT JOIN gatekeeper_dailyaccount u
            ON u.member_id = b.member_id AND u.day = b.day AND u.account_id = a.id
"""


def read(column: str | None) -> Day:
    """The column's value as the database gave it; where it was not asked for, nothing is left."""
    return Day(*json.loads(column)) if column else Day(0, 0, (), 0, 0, {}, 1)
