-- Who may approve for a member, and until when, as things stand now: asked again at every use, so that what
-- was delegated is worth what whoever gave it is worth at that moment. In PL/pgSQL, which keeps its plans: a manager's
-- every page asks this for each member whose request waits.

-- Until when somebody is at work as a manager; NULL when they are not: started, neither suspended nor past the
-- last day, and with the role. Internal, and called for a few rows at a time.
CREATE OR REPLACE FUNCTION gatekeeper.manages_until(p_member bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (SELECT x.until FROM (
        SELECT coalesce((m.left_on + 1)::timestamp AT TIME ZONE l.time_zone, 'infinity') AS until
        FROM public.staff_member m, staff.limits l
        WHERE m.id = p_member AND 'manager' = ANY (m.roles)
            AND NOT staff.is_suspended(m.suspended_at, m.suspended_until)
            AND m.starts_on <= (clock_timestamp() AT TIME ZONE l.time_zone)::date
    ) x WHERE x.until > clock_timestamp());
END $$;

-- The end of a deputy's time: as it was named, but never longer than the limit allows today, whatever stands
-- in the row. Without a limit it is over.
CREATE OR REPLACE FUNCTION gatekeeper.deputy_ends(p_begins timestamptz, p_ends timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN coalesce((
        SELECT least(p_ends, (p_begins AT TIME ZONE l.time_zone
            + make_interval(days => audit.limit_of('deputy_days')::int)) AT TIME ZONE l.time_zone)
        FROM staff.limits l WHERE audit.limit_of('deputy_days') IS NOT NULL), '-infinity');
END $$;

-- The managers above a member, and the deputies they named: each at work, and a deputy only while the manager
-- who named them is at work too. `until` is when time alone ends it, as far as is known; `stead` the manager in
-- whose stead a deputy approves (of several the one whose word lasts longest), NULL for who stands above themselves.
-- Never the member.
CREATE OR REPLACE FUNCTION gatekeeper.authorities(p_member bigint) RETURNS TABLE (id bigint, until timestamptz, stead bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE above AS (
        SELECT m.manager_id AS id FROM public.staff_member m WHERE m.id = p_member
        UNION  -- not ALL: a circle ends
        SELECT m.manager_id FROM above JOIN public.staff_member m ON m.id = above.id
    ), line AS (
        SELECT above.id, gatekeeper.manages_until(above.id) AS until FROM above
    ), might AS (
        SELECT line.id, line.until, NULL::bigint AS stead FROM line
        UNION ALL
        SELECT d.deputy_id, least(line.until, gatekeeper.deputy_ends(d.begins_at, d.ends_at), gatekeeper.manages_until(d.deputy_id)), line.id
        FROM line JOIN public.gatekeeper_deputy d ON d.manager_id = line.id
        WHERE line.until IS NOT NULL AND clock_timestamp() >= d.begins_at
            AND gatekeeper.manages_until(d.deputy_id) IS NOT NULL
    )
    SELECT might.id, max(might.until), CASE WHEN bool_and(might.stead IS NOT NULL)
        THEN (array_agg(might.stead ORDER BY might.until DESC, might.stead))[1] END FROM might
    WHERE might.id <> p_member AND might.until > clock_timestamp() GROUP BY might.id;
END $$;

CREATE OR REPLACE FUNCTION gatekeeper.approvers(p_member bigint) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN QUERY SELECT x.id FROM gatekeeper.authorities(p_member) x;
END $$;

-- Until when an approver's word counts for a member, as things stand now: while they may approve for them, and
-- an agreement of their own is in force. '-infinity' when it does not count.
CREATE OR REPLACE FUNCTION gatekeeper.approval_ends(p_member bigint, p_approver bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN coalesce((SELECT least(x.until, staff.agreement_ends(p_approver))
                     FROM gatekeeper.authorities(p_member) x WHERE x.id = p_approver), '-infinity');
END $$;

REVOKE ALL ON FUNCTION gatekeeper.manages_until(bigint), gatekeeper.deputy_ends(timestamptz, timestamptz),
    gatekeeper.authorities(bigint), gatekeeper.approvers(bigint), gatekeeper.approval_ends(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.approvers(bigint) TO gatekeeper_web;
