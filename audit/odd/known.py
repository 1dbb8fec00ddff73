"""The rules that the log alone can answer. Each is a name, words, a reason, a query, thresholds.

A query yields the numbers of entries to flag. It reads `fresh`, the entries to be judged, which has the
log's columns, and the log behind them; thresholds stand in it as %(name)s, the company's time zone as
%(zone)s. It may see an entry twice: flagging twice changes nothing. A new rule is a few lines here, and
its test.

What looks back must cost the same in a long log. So it says `account <> ''`, without which the index of
accounts cannot be used, and OFFSET 0 where it asks whether something is there, without which PostgreSQL
may read the whole log at once instead of a few rows for each entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import Promise


@dataclass(frozen=True)
class Rule:
    """`name` is the token's (odd:name), at most 24 letters; `words` and `matters` may name thresholds."""

    name: str
    words: Promise
    matters: Promise
    query: str
    thresholds: dict[str, int] = field(default_factory=dict)

    def said(self) -> str:
        """What it found, in words."""
        return str(self.words) % self.thresholds

    def why(self) -> str:
        """Why it matters, in a sentence."""
        return str(self.matters) % self.thresholds


RULES: Final[tuple[Rule, ...]] = (
    Rule(
        "new_pair",
        _("First look of this member at this account in %(days)d days"),
        _("Who never worked with a customer has the least reason to look; most curiosity begins so."),
        """
        SELECT e.id FROM fresh e
        WHERE e.event IN ('view', 'search') AND e.outcome = 'allowed' AND e.account <> '' AND NOT EXISTS (
            SELECT FROM public.audit_entry x
            WHERE x.account = e.account AND x.account <> '' AND x.member = e.member
                AND x.event IN ('view', 'search') AND x.outcome = 'allowed' AND x.id < e.id
                AND e.timestamp - x.timestamp <= make_interval(days => %(days)s::int)
            OFFSET 0)
        """,
        {"days": 30},
    ),
    Rule(
        "hours",
        _("Outside working hours (%(begins)d to %(ends)d o’clock)"),
        _("Who looks when nobody else is there is seen by nobody; tickets are answered in working hours."),
        """
        SELECT e.id FROM fresh e CROSS JOIN LATERAL (SELECT e.timestamp AT TIME ZONE %(zone)s::text) AS l (at)
        WHERE e.event IN ('start', 'view', 'search') AND e.outcome = 'allowed' AND e.account <> ''
            AND (extract(hour FROM l.at) < %(begins)s::int OR extract(hour FROM l.at) >= %(ends)s::int
                OR extract(isodow FROM l.at) > %(days)s::int)
        """,
        {"begins": 7, "ends": 19, "days": 5},
    ),
    Rule(
        "volume",
        _("More views in a day than this member has on 99 of 100 days"),
        _("Who gathers data looks far more often than the same person’s work ever asked for."),
        """
        WITH days AS MATERIALIZED (
            SELECT DISTINCT e.member, date_trunc('day', e.timestamp, %(zone)s::text) AS day FROM fresh e
            WHERE e.event = 'view' AND e.outcome = 'allowed'
        ), counted AS (  -- one pass over those days, whoever looked
            SELECT x.id, d.member, d.day,
                row_number() OVER (PARTITION BY d.member, d.day ORDER BY x.id) AS nth
            FROM public.audit_entry x JOIN days d ON d.member = x.member
                AND d.day = date_trunc('day', x.timestamp, %(zone)s::text)
            WHERE x.event = 'view' AND x.outcome = 'allowed'
                AND x.timestamp >= (SELECT min(y.day) FROM days y)
        ), crowded AS MATERIALIZED (
            SELECT c.* FROM counted c JOIN fresh e ON e.id = c.id WHERE c.nth > %(least)s::int
        )
        SELECT c.id FROM (SELECT DISTINCT y.member, y.day FROM crowded y) d
            CROSS JOIN LATERAL (
                SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY h.views) AS usual, count(*) AS days FROM (
                    SELECT count(*) AS views FROM public.audit_entry x
                    WHERE x.member = d.member AND x.event = 'view' AND x.outcome = 'allowed'
                        -- The member's index by number, and not that of everybody's times.
                        AND x.id >= (SELECT y.id FROM public.audit_entry y
                            WHERE y.timestamp >= d.day - make_interval(days => %(days)s::int)
                            ORDER BY y.timestamp LIMIT 1)
                        AND date_trunc('day', x.timestamp, %(zone)s::text) < d.day
                    GROUP BY date_trunc('day', x.timestamp, %(zone)s::text)) h) p
            JOIN crowded c ON c.member = d.member AND c.day = d.day
        WHERE p.days >= %(history)s::int AND c.nth = 1 + greatest(p.usual, %(least)s::int)
        """,
        {"days": 90, "history": 10, "least": 10},
    ),
    Rule(
        "refusals",
        _("%(count)d refusals within %(minutes)d minutes"),
        _("A door tried again and again is being tested, by the member or somebody with their session."),
        """
        SELECT e.id FROM fresh e
        WHERE e.member <> '' AND (e.outcome = 'refused' OR e.event = 'sign_in_failed') AND (
            SELECT count(*) FROM public.audit_entry x
            WHERE x.member = e.member AND (x.outcome = 'refused' OR x.event = 'sign_in_failed')
                AND x.id <= e.id AND x.timestamp <= e.timestamp
                AND x.timestamp > e.timestamp - make_interval(mins => %(minutes)s::int)) = %(count)s::int
        """,
        {"count": 5, "minutes": 10},
    ),
    Rule(
        "same_pair",
        _("%(count)d approvals of the same pair within %(days)d days"),
        _("Where one always asks and the same one always approves, two people have become one."),
        """
        SELECT e.id FROM fresh e
        WHERE e.event = 'approve' AND e.outcome = 'allowed' AND (
            SELECT count(*) FROM public.audit_entry x
            WHERE x.member = e.member AND x.subject = e.subject AND x.event = 'approve'
                AND x.outcome = 'allowed' AND x.id <= e.id
                AND e.timestamp - x.timestamp < make_interval(days => %(days)s::int)
            ) %% %(count)s::int = 0
        """,
        {"count": 20, "days": 7},
    ),
    Rule(
        "new_network",
        _("From a network that this member has not used in %(days)d days"),
        _("A stolen password or session comes from elsewhere; so does work from a place not agreed."),
        """
        WITH seen AS (
            SELECT e.id, e.member, e.event, e.timestamp,
                network(set_masklen(e.remote_addr,
                    CASE family(e.remote_addr) WHEN 4 THEN 24 ELSE 48 END)) AS net
            FROM fresh e
            WHERE e.event IN ('sign_in', 'view') AND e.outcome = 'allowed' AND e.member <> ''
                AND e.remote_addr IS NOT NULL
        )
        -- Newest first, by the member's index: where the network is known, the search ends at once.
        SELECT s.id FROM seen s
            LEFT JOIN LATERAL (
                SELECT x.timestamp FROM public.audit_entry x
                WHERE x.member = s.member AND x.event = s.event AND x.outcome = 'allowed' AND x.id < s.id
                    AND x.remote_addr <<= s.net
                ORDER BY x.id DESC LIMIT 1) known ON true
            LEFT JOIN LATERAL (
                SELECT x.timestamp FROM public.audit_entry x
                WHERE x.member = s.member AND x.event = s.event AND x.outcome = 'allowed' AND x.id < s.id
                    AND x.remote_addr IS NOT NULL
                ORDER BY x.id DESC LIMIT 1) earlier ON true
        WHERE earlier.timestamp IS NOT NULL
            AND (s.timestamp - known.timestamp <= make_interval(days => %(days)s::int)) IS NOT TRUE
        """,
        {"days": 90},
    ),
    Rule(
        "unopened",
        _("Approved and never opened"),
        _("An access that nobody needed was asked for in advance, or approved without a question."),
        """
        SELECT e.id FROM fresh e
        WHERE e.event IN ('end', 'revoke') AND e.outcome = 'allowed' AND e.grant_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM public.audit_entry x
                WHERE x.account = e.account AND x.account <> '' AND x.grant_id = e.grant_id
                    AND x.event = 'start' AND x.outcome = 'allowed' OFFSET 0)
        """,
    ),
    Rule(
        "everything",
        _("%(categories)d or more categories of an account at once"),
        _("One question seldom needs everything; all at once is what a copy of a customer looks like."),
        """
        SELECT e.id FROM fresh e
        WHERE e.event IN ('approve', 'view') AND e.outcome = 'allowed'
            AND cardinality(e.categories) >= %(categories)s::int
        """,
        {"categories": 5},
    ),
    Rule(
        "participants",
        _("More than %(count)d participants under one approval"),
        _("Participants never dealt with support themselves: a list of them is the data of strangers."),
        """
        SELECT e.id FROM fresh e CROSS JOIN LATERAL (
            SELECT sum(cardinality(x.records)) AS shown FROM public.audit_entry x
            WHERE x.account = e.account AND x.account <> '' AND x.grant_id = e.grant_id
                AND x.event IN ('view', 'search') AND x.outcome = 'allowed' AND x.id <= e.id) h
        WHERE e.event IN ('view', 'search') AND e.outcome = 'allowed' AND e.grant_id IS NOT NULL
            AND h.shown > %(count)s::int AND h.shown - cardinality(e.records) <= %(count)s::int
        """,
        {"count": 100},
    ),
    Rule(
        "export",
        _("Taken out as a file"),
        _("What has left as a file is under nobody’s control any more."),
        "SELECT e.id FROM fresh e WHERE e.event = 'export' AND e.outcome = 'allowed' AND e.member <> ''",
    ),
)
