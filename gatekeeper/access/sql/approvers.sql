-- Who may approve for a member, and until when, as things stand now: asked again at every use, so that what
-- was delegated is worth what whoever gave it is worth at that moment. In PL/pgSQL, which keeps its plans: a manager's
-- every page asks this for each member whose request waits.

-- Until when somebody is at work as a manager; NULL when they are not: started, neither suspended nor past the
-- last day, and with the role. Internal, and called for a few rows at a time.
CREATE OR REPLACE FUNCTION gatekeeper.manages_until(p_member bigint) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (SELECT x.until FROM (
        SELECT coalesce((m.left_on + 1)::timestamp AT TIME ZONE l.value, 'infinity') AS until
        FROM public.staff_member m JOIN public.gatekeeper_limit l ON l.name = 'time_zone'
        WHERE m.id = p_member AND 'manager' = ANY (m.roles)
            AND NOT staff.is_suspended(m.suspended_at, m.suspended_until)
            AND m.starts_on <= (clock_timestamp() AT TIME ZONE l.value)::date
    ) x WHERE x.until > clock_timestamp());
END $$;

-- The end of a deputy's time: as it was named, but never longer than the limit allows today, whatever stands
-- in the row. Without a limit it is over.
CREATE OR REPLACE FUNCTION gatekeeper.deputy_ends(p_begins timestamptz, p_ends timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN coalesce((
        SELECT least(p_ends, (p_begins AT TIME ZONE l.value + make_interval(days => n.value::int)) AT TIME ZONE l.value)
        FROM public.gatekeeper_limit l, public.gatekeeper_limit n WHERE l.name = 'time_zone' AND n.name = 'deputy_days'),
        '-infinity');
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

-- The live grants that rest on the word of one of these members: what they approved, what a deputy of theirs
-- approved, and, where who stands above them changes, what anybody approved for them and those below them.
CREATE OR REPLACE FUNCTION gatekeeper.resting_on(p_members bigint[], p_line boolean) RETURNS bigint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH RECURSIVE below AS (
        SELECT x.id FROM unnest(p_members) x (id) WHERE p_line
        UNION SELECT m.id FROM below JOIN public.staff_member m ON m.manager_id = below.id
    ), approving AS (
        SELECT x.id FROM unnest(p_members) x (id)
        UNION SELECT d.deputy_id FROM public.gatekeeper_deputy d WHERE d.manager_id = ANY (p_members)
    ), found AS (
        SELECT g.id FROM approving JOIN public.gatekeeper_grant g ON g.approver_id = approving.id AND g.ended_at IS NULL
        UNION SELECT g.id FROM below JOIN public.gatekeeper_grant g ON g.member_id = below.id AND g.ended_at IS NULL
    ) SELECT coalesce(array_agg(found.id), '{}') FROM found
$$;

-- Whoever approves, and whoever changes what an approval rests on, come one after the other here; both have
-- locked the members before. An approval shares the first row with other approvals, and locks the times in which
-- the approver is a deputy; a change of managers or of the agreement locks the first row alone, and one of a
-- member locks the times of the deputies whom they named. No run-time role can lock these rows.
CREATE OR REPLACE FUNCTION gatekeeper.lock_authority(p_approver bigint, p_managers bigint[], p_line boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF p_approver IS NOT NULL THEN
        PERFORM FROM public.gatekeeper_limit x WHERE x.name = 'time_zone' FOR SHARE;
    ELSIF p_line THEN
        PERFORM FROM public.gatekeeper_limit x WHERE x.name = 'time_zone' FOR NO KEY UPDATE;
    END IF;
    PERFORM FROM public.gatekeeper_deputy x WHERE x.deputy_id = p_approver OR x.manager_id = ANY (p_managers)
    ORDER BY x.id FOR NO KEY UPDATE;
END $$;

-- A manager names another manager who may approve in their stead, beforehand: from within a year, and for no
-- more days than the limit, as a calendar counts them in the company's time zone. Whoever cannot be one gets one
-- answer, so that nobody learns here who there is.
CREATE OR REPLACE FUNCTION gatekeeper.name_deputy(
    p_digest bytea, p_context jsonb, p_deputy text, p_begins timestamptz, p_ends timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    at timestamptz;
    other bigint := (SELECT m.id FROM public.staff_member m WHERE m.number = p_deputy);
    why text;
BEGIN
    d := gatekeeper.decide(p_digest, 'approve');
    at := clock_timestamp();
    why := CASE WHEN d.reason IS NOT NULL THEN d.reason
        WHEN p_deputy IS NULL THEN 'value_refused'  -- a form that cannot be used names nobody
        WHEN other = d.actor_id OR gatekeeper.manages_until(other) IS NULL THEN 'deputy_unfit'
        WHEN (p_begins >= at - interval '1 minute' AND p_begins < at + interval '1 year' AND p_ends > p_begins) IS NOT TRUE
            THEN 'deputy_span'
        WHEN (p_ends <= gatekeeper.deputy_ends(p_begins, p_ends)) IS NOT TRUE THEN 'deputy_span' END;
    IF why IS NULL THEN
        INSERT INTO public.gatekeeper_deputy (manager_id, deputy_id, begins_at, ends_at, named_at)
        VALUES (d.actor_id, other, p_begins, p_ends, at);
    END IF;
    PERFORM audit.write_entry('change', CASE WHEN why IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', why, 'details',
            jsonb_build_object('deputy', substring(p_deputy FROM '^K-[0-9]{4,6}$'), 'begins', p_begins, 'ends', p_ends)));
    RETURN coalesce(why, '');
END $$;

-- Ends a deputy's time now: whoever may suspend may do it, to anybody's.
CREATE OR REPLACE FUNCTION gatekeeper.end_deputy(p_digest bytea, p_context jsonb, p_deputy bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    x record;
    why text;
BEGIN
    d := gatekeeper.decide(p_digest, 'suspend');
    why := d.reason;
    IF why IS NULL THEN
        UPDATE public.gatekeeper_deputy y SET ends_at = greatest(clock_timestamp(), y.begins_at + interval '1 microsecond')
        WHERE y.id = p_deputy AND y.ends_at > clock_timestamp();
        why := CASE WHEN NOT FOUND THEN 'no_change' END;
    END IF;
    SELECT m.number AS manager, n.number AS deputy INTO x FROM public.gatekeeper_deputy y
        JOIN public.staff_member m ON m.id = y.manager_id JOIN public.staff_member n ON n.id = y.deputy_id
    WHERE y.id = p_deputy AND d.reason IS NULL;
    PERFORM audit.write_entry('change', CASE WHEN why IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', why, 'subject', x.deputy, 'details',
            jsonb_build_object('deputy', x.deputy, 'manager', x.manager, 'ended', p_deputy)));
    RETURN coalesce(why, '');
END $$;

-- Every deputy whose time has not ended, for the page of those who may end it: until when it runs, and whether it
-- counts at this moment.
CREATE OR REPLACE FUNCTION gatekeeper.deputies()
RETURNS TABLE (id bigint, manager_id bigint, deputy_id bigint, begins_at timestamptz, ends_at timestamptz, counts boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT d.id, d.manager_id, d.deputy_id, d.begins_at, x.over,
        gatekeeper.manages_until(d.manager_id) IS NOT NULL AND gatekeeper.manages_until(d.deputy_id) IS NOT NULL
    FROM public.gatekeeper_deputy d CROSS JOIN LATERAL gatekeeper.deputy_ends(d.begins_at, d.ends_at) x (over)
    WHERE d.ends_at > clock_timestamp() AND x.over > clock_timestamp()
$$;

REVOKE ALL ON FUNCTION gatekeeper.manages_until(bigint), gatekeeper.deputy_ends(timestamptz, timestamptz),
    gatekeeper.authorities(bigint), gatekeeper.approvers(bigint), gatekeeper.deputies(), gatekeeper.approval_ends(bigint, bigint),
    gatekeeper.resting_on(bigint[], boolean), gatekeeper.lock_authority(bigint, bigint[], boolean),
    gatekeeper.name_deputy(bytea, jsonb, text, timestamptz, timestamptz), gatekeeper.end_deputy(bytea, jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.approvers(bigint), gatekeeper.deputies(),
    gatekeeper.name_deputy(bytea, jsonb, text, timestamptz, timestamptz), gatekeeper.end_deputy(bytea, jsonb, bigint) TO gatekeeper_web;
