-- What rests on the word of whoever approves, and deputies: managers who approve in the stead of others
-- (gatekeeper/gate/sql/approvers.sql says whose word counts, and until when).

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
-- locked the members before. An approval shares the line with other approvals, and locks the times in which the
-- approver is a deputy; a change of managers or of the agreement has locked the line alone (staff.lock_line), and one
-- of a member locks the times of the deputies whom they named. No run-time role can lock these rows.
CREATE OR REPLACE FUNCTION gatekeeper.lock_authority(p_approver bigint, p_managers bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF p_approver IS NOT NULL THEN
        PERFORM staff.lock_line(true);
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
    d := staff.authorize(p_digest, 'approve');
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
    d := staff.authorize(p_digest, 'suspend');
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

REVOKE ALL ON FUNCTION gatekeeper.deputies(), gatekeeper.resting_on(bigint[], boolean), gatekeeper.lock_authority(bigint, bigint[]),
    gatekeeper.name_deputy(bytea, jsonb, text, timestamptz, timestamptz), gatekeeper.end_deputy(bytea, jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.deputies(),
    gatekeeper.name_deputy(bytea, jsonb, text, timestamptz, timestamptz), gatekeeper.end_deputy(bytea, jsonb, bigint) TO gatekeeper_web;
