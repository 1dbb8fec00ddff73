-- Who has signed what, and what it is worth: as of any moment, as it was then known. Pages, the register
-- and reminders ask these functions; the gate has the same question for one member at one moment, in
-- fewer steps (staff.authorize), and the agreements' life cycle in the tests holds the two together.
-- What follows reads alone, and runs with its caller's rights.

-- The moment at which a signature is over, withdrawal aside: its own end, or the end of the grace after
-- the next version, or the version after that. Numbers and moments only grow and nothing is recalled
-- after its moment, so that what is over stays over: the grants bound to it are ended for good.
CREATE OR REPLACE FUNCTION staff.signature_ends(p_signature bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (SELECT least(s.valid_until,
            (SELECT n.effective_at + make_interval(days => n.grace_days) FROM public.staff_ndaversion n
             WHERE n.effective_at > v.effective_at AND n.recalled_at IS NULL ORDER BY n.effective_at LIMIT 1),
            (SELECT n.effective_at FROM public.staff_ndaversion n
             WHERE n.effective_at > v.effective_at AND n.recalled_at IS NULL ORDER BY n.effective_at OFFSET 1 LIMIT 1))
        FROM public.staff_signature s LEFT JOIN public.staff_ndaversion v ON v.number = s.version_id
        WHERE s.id = p_signature);
END $$;

-- Whether a signature is not withdrawn and has not ended, as things stand now.
CREATE OR REPLACE FUNCTION staff.signature_runs(p_signature bigint, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (SELECT s.withdrawn_at IS NULL AND staff.signature_ends(s.id) > p_at
            FROM public.staff_signature s WHERE s.id = p_signature);
END $$;

-- The moment at which a member's agreement ends, as things stand now: each signature of theirs runs to its own end,
-- and one that takes over without a gap carries on. '-infinity' when none is in force.
CREATE OR REPLACE FUNCTION staff.agreement_ends(p_member bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    over timestamptz := at;
    later timestamptz;
BEGIN
    LOOP
        SELECT max(staff.signature_ends(s.id)) INTO later
        FROM public.staff_signature s LEFT JOIN public.staff_ndaversion v ON v.number = s.version_id
        WHERE s.member_id = p_member AND s.withdrawn_at IS NULL AND s.counts_from <= over
            AND (s.form = 'founding' OR (v.effective_at <= over AND v.recalled_at IS NULL));
        EXIT WHEN (later > over) IS NOT TRUE;
        over := later;
    END LOOP;
    RETURN CASE WHEN over > at THEN over ELSE '-infinity' END;
END $$;

-- The signatures that were known at a moment, each with its end (withdrawal aside) and whether it was in
-- force, was withdrawn, or waited for a second person; `tells` is false while its version is still to come,
-- or was recalled: then it says nothing yet, or never will, and waits for nobody. One taken over from elsewhere may count from before it was
-- entered. Of all members, or of those who are named.
CREATE OR REPLACE FUNCTION staff.signatures_at(p_at timestamptz, p_members bigint[])
RETURNS TABLE (id bigint, member bigint, version int, signed_at timestamptz, ends timestamptz, withdrawn boolean,
    counts boolean, tells boolean, runs boolean, waits boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH known AS (
        SELECT v.number, v.effective_at, lead(v.effective_at, 2) OVER later AS next_but_one,
            lead(v.effective_at) OVER later + make_interval(days => lead(v.grace_days) OVER later) AS grace_ends
        FROM public.staff_ndaversion v
        WHERE least(v.published_at, v.effective_at) <= p_at AND (v.recalled_at <= p_at) IS NOT TRUE
        WINDOW later AS (ORDER BY v.effective_at)
    ), given AS (
        SELECT s.id, s.member_id, s.version_id, s.signed_at, s.valid_until,
            least(s.valid_until, k.grace_ends, k.next_but_one) AS ends,
            coalesce(s.withdrawn_at <= p_at, false) AS withdrawn, coalesce(s.counts_from <= p_at, false) AS counts,
            s.version_id IS NULL OR coalesce(k.effective_at <= p_at, false) AS tells,
            s.version_id IS NULL OR k.number IS NOT NULL AS stands
        FROM public.staff_signature s LEFT JOIN known k ON k.number = s.version_id
        WHERE s.signed_at <= p_at AND least(s.counts_from, s.entered_at) <= p_at
            AND (p_members IS NULL OR s.member_id = ANY (p_members))
    )
    SELECT g.id, g.member_id, g.version_id, g.signed_at, g.ends, g.withdrawn, g.counts, g.tells,
        g.tells AND g.counts AND NOT g.withdrawn AND g.ends > p_at,
        NOT g.withdrawn AND NOT g.counts AND g.stands AND g.valid_until > p_at
    FROM given g
$$;

-- How members stood at a moment: the signature that was in force longest, else the newest, with the gate's
-- reason; `ends` is when that one was, or will be, over (NULL: it never counted); `required` whether it is of
-- the version that was required; `waits` whether some signature waited for a second person.
CREATE OR REPLACE FUNCTION staff.nda_status_at(p_at timestamptz, p_members bigint[])
RETURNS TABLE (member bigint, signature bigint, reason text, ends timestamptz, required boolean, waits boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH given AS MATERIALIZED (
        SELECT x.* FROM staff.signatures_at(p_at, p_members) x
    ), telling AS (
        SELECT DISTINCT ON (g.member) g.* FROM given g WHERE g.tells
        ORDER BY g.member, g.runs DESC, CASE WHEN g.runs THEN g.ends END DESC, g.signed_at DESC, g.id DESC
    )
    SELECT m.id, t.id,
        CASE WHEN t.runs THEN '' WHEN t.withdrawn THEN 'nda_withdrawn' WHEN s.valid_until <= p_at THEN 'nda_expired'
             WHEN t.counts THEN 'nda_old_version' ELSE 'nda_missing' END,
        CASE WHEN t.counts THEN least(t.ends, CASE WHEN t.withdrawn THEN s.withdrawn_at END) END,
        t.id IS NOT NULL AND (t.version IS NULL OR t.version = (
            SELECT v.number FROM public.staff_ndaversion v WHERE v.effective_at <= p_at AND (v.recalled_at <= p_at) IS NOT TRUE
            ORDER BY v.effective_at DESC LIMIT 1)),
        EXISTS (SELECT FROM given g WHERE g.member = m.id AND g.waits)
    FROM public.staff_member m LEFT JOIN telling t ON t.member = m.id LEFT JOIN public.staff_signature s ON s.id = t.id
    WHERE p_members IS NULL OR m.id = ANY (p_members)
$$;

-- Whom a new version would block unless they sign it: the moments and how many at each. Counted are members
-- whose right would have run longer without it, and who are not to leave before. It is newer than all others.
CREATE OR REPLACE FUNCTION staff.blocked_by_version(p_effective_at timestamptz, p_grace_days int)
RETURNS TABLE (at timestamptz, members bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH kept AS (
        SELECT s.member_id, staff.signature_ends(s.id) AS ends, CASE WHEN s.version_id IS NOT NULL THEN (
            SELECT count(*) FROM public.staff_ndaversion n JOIN public.staff_ndaversion v ON v.number = s.version_id
            WHERE n.effective_at > v.effective_at AND n.recalled_at IS NULL) END AS newer
        FROM public.staff_signature s WHERE s.counts_from IS NOT NULL AND s.withdrawn_at IS NULL
    ), cut AS (
        SELECT k.member_id, max(k.ends) AS before, max(least(k.ends, CASE k.newer
            WHEN 0 THEN p_effective_at + make_interval(days => p_grace_days) WHEN 1 THEN p_effective_at END)) AS after
        FROM kept k GROUP BY k.member_id
    )
    SELECT c.after, count(*) FROM cut c JOIN staff.nda_status_at(clock_timestamp(), NULL) x ON x.member = c.member_id
        JOIN public.staff_member m ON m.id = c.member_id
    WHERE x.reason = '' AND c.after < c.before AND (m.left_on IS NULL OR audit.end_of_day(m.left_on - 1) >= c.after)
    GROUP BY c.after ORDER BY c.after
$$;

-- Whether this member's signature would wait for a second person: the version is countersigned, or the
-- company had revoked the one before: opening up again takes a second person.
CREATE OR REPLACE FUNCTION staff.waits_for_second(p_member bigint, p_version int) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT v.countersigned OR coalesce((SELECT s.withdrawn_why = 'revoked' FROM public.staff_signature s
        WHERE s.member_id = p_member AND (s.counts_from IS NOT NULL OR s.withdrawn_at IS NOT NULL)
        ORDER BY s.signed_at DESC, s.id DESC LIMIT 1), false)
    FROM public.staff_ndaversion v WHERE v.number = p_version
$$;

-- Whether this member has signed a version, so that a second signature is worth nothing. One signature a
-- version: another is taken in its last 30 days alone, and not twice in a day.
CREATE OR REPLACE FUNCTION staff.has_signed(p_member bigint, p_version int, p_at timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (SELECT FROM public.staff_signature s WHERE s.member_id = p_member AND s.version_id = p_version
        AND s.withdrawn_at IS NULL AND s.valid_until > p_at AND (s.counts_from IS NOT NULL OR s.form = 'documentary')
        AND (s.valid_until > p_at + interval '30 days' OR s.signed_at > p_at - interval '1 day'))
$$;

-- What this member may sign now: the version required, else the next to come. NULL: neither.
CREATE OR REPLACE FUNCTION staff.to_sign(p_member bigint) RETURNS int
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH published AS (
        SELECT v.number, v.effective_at, v.effective_at <= clock_timestamp() AS is_required
        FROM public.staff_ndaversion v WHERE v.recalled_at IS NULL
    ), offered AS (
        (SELECT x.* FROM published x WHERE x.is_required ORDER BY x.effective_at DESC LIMIT 1)
        UNION ALL
        (SELECT x.* FROM published x WHERE NOT x.is_required ORDER BY x.effective_at LIMIT 1)
    )
    SELECT o.number FROM offered o WHERE NOT staff.has_signed(p_member, o.number, clock_timestamp())
    ORDER BY o.effective_at LIMIT 1
$$;

REVOKE ALL ON FUNCTION staff.signature_ends(bigint), staff.signature_runs(bigint, timestamptz), staff.agreement_ends(bigint), staff.signatures_at(timestamptz, bigint[]),
    staff.nda_status_at(timestamptz, bigint[]), staff.blocked_by_version(timestamptz, int), staff.waits_for_second(bigint, int),
    staff.has_signed(bigint, int, timestamptz), staff.to_sign(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.signature_ends(bigint), staff.agreement_ends(bigint), staff.signatures_at(timestamptz, bigint[]),
    staff.nda_status_at(timestamptz, bigint[]), staff.blocked_by_version(timestamptz, int), staff.waits_for_second(bigint, int),
    staff.has_signed(bigint, int, timestamptz), staff.to_sign(bigint) TO gatekeeper_web;
