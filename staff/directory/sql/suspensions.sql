-- Suspending: it closes at once, whoever it is about, and its power has limits. What one person does alone to
-- somebody above them, or to one of the last two able people officers, reviewers or administrators, holds for
-- some hours; the last one who is able to act is not suspended by one person at all. A second person may make
-- it hold until it is lifted. Such a suspension is a proposal (proposals.sql) that holds already: the fact it
-- was made against is the hour until which it holds. Time alone ends it, here and at each use; what it had
-- ended stays ended.

-- Whether a suspension counts at this moment.
CREATE OR REPLACE FUNCTION staff.is_suspended(p_since timestamptz, p_until timestamptz) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT p_since IS NOT NULL AND (p_until IS NULL OR clock_timestamp() < p_until)
$$;

-- The member's role without which nobody could undo what was closed, each of which is held alone; or NULL.
CREATE OR REPLACE FUNCTION staff.guarded_role(p_member bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT x FROM public.staff_member m, unnest(m.roles) x
    WHERE m.id = p_member AND x IN ('people', 'reviewer', 'administrator')
$$;

-- Whether the member has a second factor in use. Recovery codes alone are none.
CREATE OR REPLACE FUNCTION staff.has_factor(p_member bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (SELECT FROM public.staff_totpdevice x WHERE x.user_id = p_member AND x.confirmed)
        OR EXISTS (SELECT FROM public.django_otp_webauthn_webauthncredential x WHERE x.user_id = p_member AND x.confirmed)
$$;

-- Who of a guarded role is able to act: started, not suspended, not left, with the role and an NDA in force, all as
-- the gate judges it, and with a second factor in use.
CREATE OR REPLACE FUNCTION staff.able(p_role text) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN QUERY SELECT m.id FROM public.staff_member m
        CROSS JOIN LATERAL staff.authorize(NULL, CASE p_role WHEN 'people' THEN 'people' WHEN 'reviewer' THEN 'review'
            WHEN 'administrator' THEN 'administer' END, p_lock => false, p_member => m.id) d
    WHERE p_role = ANY (m.roles) AND d.codes[1] = 'passed' AND d.codes[3] = 'passed' AND staff.has_factor(m.id);
END $$;

-- Locks members in the one order. With the holder of a guarded role everybody else who holds it: of two who would
-- take the last two at once, the second counts what the first has left.
CREATE OR REPLACE FUNCTION staff.lock_members(p_subjects bigint[], p_others bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM FROM public.staff_member m WHERE m.id = ANY (p_subjects || p_others)
        OR m.roles::text[] && ARRAY(SELECT staff.guarded_role(x) FROM unnest(p_subjects) x)
    ORDER BY m.id FOR NO KEY UPDATE;
END $$;

-- How far a suspension by this person alone goes: '' until it is lifted, 'held' for some hours, 'proposed' not at
-- all before a second person. Who is not able to act (yet) is held too where their role is that short of people.
-- The same person does it alone once in the days that the limit says, and then only with a second person.
CREATE OR REPLACE FUNCTION staff.reach_of_suspension(p_by bigint, p_subject bigint) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    role text := staff.guarded_role(p_subject);
    able bigint[] := ARRAY(SELECT staff.able(role));
    others bigint[] := array_remove(able, p_subject);
    days integer := audit.limit_of('suspension_repeat_days')::int;
BEGIN
    RETURN CASE
        WHEN able = ARRAY[p_subject] THEN 'proposed'
        WHEN NOT (staff.stands_above(p_subject, p_by) OR (role IS NOT NULL AND cardinality(others) <= 1)) THEN ''
        WHEN days IS NULL OR EXISTS (SELECT FROM public.staff_proposal x
            WHERE x.subject_id = p_subject AND x.proposed_by_id = p_by AND x.fact = 'suspended' AND x.value = 'true'
                AND jsonb_typeof(x.before) = 'string'  -- it held
                AND x.proposed_at > clock_timestamp() - make_interval(days => days)) THEN 'proposed'
        ELSE 'held' END;
END $$;

-- Suspends a member, about whom an officer was judged before, under locks. Returns '' when it holds until it is
-- lifted, 'held' when it holds for some hours, 'proposed' when it waits, or the reason for which nothing was done.
CREATE OR REPLACE FUNCTION staff.suspend(p_judged jsonb, p_context jsonb, p_details jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := p_judged;
    subject bigint := (j->>'subject_id')::bigint;
    actor bigint := (j->>'actor_id')::bigint;
    reach text;
    before jsonb;
    written bigint;
BEGIN
    PERFORM staff.expire_suspensions(subject);
    PERFORM staff.expire_proposals(subject);
    reach := staff.reach_of_suspension(actor, subject);
    PERFORM staff.drop_proposals(subject, 'suspended', 'false');  -- to lift what was before this
    IF reach = 'proposed' THEN
        RETURN staff.propose(j, p_context, 'suspended', 'true');
    END IF;
    before := staff.fact_of(subject, 'suspended');
    IF reach = 'held' AND EXISTS (SELECT FROM public.staff_proposal x
            WHERE x.subject_id = subject AND x.fact = 'suspended' AND x.state = 'pending') THEN
        j := j || '{"reason": "proposal_waits"}';
    ELSE
        j := j || jsonb_build_object('reason', staff.apply_change(subject, actor, 'suspended', 'true'));
    END IF;
    IF j->>'reason' = '' AND reach = 'held' THEN
        written := staff.hold(subject, actor);
    END IF;
    PERFORM staff.record_act('change', j, p_context, p_details || jsonb_strip_nulls(jsonb_build_object('proposal', written,
        'suspended', CASE WHEN j->>'reason' = '' THEN staff.change_of_fact(subject, 'suspended', before) ELSE '"refused"' END)));
    RETURN coalesce(nullif(j->>'reason', ''), reach);
END $$;

-- Limits a suspension that was just made to the hours that one person has, and asks for a second. Returns the number
-- of what waits.
CREATE OR REPLACE FUNCTION staff.hold(p_member bigint, p_by bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    until timestamptz := clock_timestamp() + make_interval(hours => audit.limit_of('suspension_hours')::int);
    written bigint;
BEGIN
    IF until IS NULL THEN
        RAISE 'the limit suspension_hours is not set: apply_settings';
    END IF;
    UPDATE public.staff_member m SET suspended_until = until WHERE m.id = p_member;
    INSERT INTO public.staff_proposal (subject_id, fact, before, value, source, proposed_by_id, proposed_at, expires_at, state)
    VALUES (p_member, 'suspended', staff.fact_of(p_member, 'suspended'), 'true', '', p_by, clock_timestamp(), until, 'pending')
    RETURNING id INTO written;
    RETURN written;
END $$;

-- What a change of the same fact has made pointless is over, with its entry.
CREATE OR REPLACE FUNCTION staff.drop_proposals(p_member bigint, p_fact text, p_value jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    dropped bigint;
BEGIN
    UPDATE public.staff_proposal x SET state = 'lapsed', decided_at = clock_timestamp()
    WHERE x.subject_id = p_member AND x.fact = p_fact AND x.value = p_value AND x.state = 'pending' RETURNING x.id INTO dropped;
    IF dropped IS NOT NULL THEN
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', 'gatekeeper',
            'subject', (SELECT m.number FROM public.staff_member m WHERE m.id = p_member),
            'details', jsonb_build_object('proposal', dropped, 'fact', p_fact, 'decision', 'lapsed')));
    END IF;
END $$;

-- Tidies suspensions whose time is over: of one member, or of all. Nothing waits for it.
CREATE OR REPLACE FUNCTION staff.expire_suspensions(p_member bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    m record;
    expired integer := 0;
BEGIN
    FOR m IN SELECT x.id, x.number, x.suspended_until FROM public.staff_member x
        WHERE x.suspended_until <= clock_timestamp() AND (p_member IS NULL OR x.id = p_member)
        ORDER BY x.id FOR NO KEY UPDATE
    LOOP
        UPDATE public.staff_member x SET suspended_at = NULL, suspended_until = NULL, suspended_by_id = NULL WHERE x.id = m.id;
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', 'gatekeeper', 'subject', m.number,
            'details', jsonb_build_object('suspended', jsonb_build_array(m.suspended_until, false), 'why', 'lapsed')));
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END $$;

-- Whether a change other than a suspension takes the power to act from one of the last two of a guarded role, or a
-- role or the place at work from somebody above: then a second person confirms it (p_by: NULL for a command).
CREATE OR REPLACE FUNCTION staff.weakens_guarded_role(p_member bigint, p_fact text, p_value jsonb, p_by bigint) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    able bigint[];
BEGIN
    IF (SELECT CASE p_fact WHEN 'roles' THEN NOT p_value @> to_jsonb(m.roles)
            WHEN 'left_on' THEN p_value <> 'null'
            WHEN 'starts_on' THEN coalesce(audit.end_of_day((p_value #>> '{}')::date - 1) > clock_timestamp(), true)
            END FROM public.staff_member m WHERE m.id = p_member) IS NOT TRUE THEN
        RETURN false;
    END IF;
    able := ARRAY(SELECT staff.able(staff.guarded_role(p_member)));
    RETURN (p_member = ANY (able) AND cardinality(able) <= 2) OR staff.stands_above(p_member, p_by);
END $$;

-- For the page that asks before: how far a suspension by the caller would go at this moment, as
-- staff.reach_of_suspension says it; what waits already, for which it would be the second person; and the hours.
CREATE OR REPLACE FUNCTION staff.foresee_suspension(p_digest bytea, p_number text, OUT reach text, OUT waits bigint, OUT hours integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record := staff.authorize(p_digest, 'suspend', p_lock => false);
    subject bigint := (SELECT m.id FROM public.staff_member m WHERE m.number = p_number);
BEGIN
    IF d.reason IS NULL AND subject IS NOT NULL THEN
        reach := staff.reach_of_suspension(d.actor_id, subject);
        waits := staff.waiting_suspension(subject, d.actor_id);
        hours := audit.limit_of('suspension_hours')::int;
    END IF;
END $$;

-- The suspension of a member that another person began, and that waits for a second.
CREATE OR REPLACE FUNCTION staff.waiting_suspension(p_subject bigint, p_by bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT x.id FROM public.staff_proposal x WHERE x.subject_id = p_subject AND x.fact = 'suspended' AND x.value = 'true'
        AND x.state = 'pending' AND x.expires_at > clock_timestamp() AND x.proposed_by_id <> p_by
$$;

REVOKE ALL ON FUNCTION staff.is_suspended(timestamptz, timestamptz), staff.guarded_role(bigint), staff.has_factor(bigint),
    staff.able(text), staff.lock_members(bigint[], bigint[]), staff.reach_of_suspension(bigint, bigint),
    staff.suspend(jsonb, jsonb, jsonb), staff.hold(bigint, bigint), staff.drop_proposals(bigint, text, jsonb),
    staff.expire_suspensions(bigint), staff.weakens_guarded_role(bigint, text, jsonb, bigint),
    staff.foresee_suspension(bytea, text), staff.waiting_suspension(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.able(text), staff.foresee_suspension(bytea, text) TO gatekeeper_web;
