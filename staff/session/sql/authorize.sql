-- Whether somebody may act at all: at work and with the role, in a session that runs, under a signed agreement. Staff's
-- own officers are judged by this, and the gate takes its first three conditions from here
-- (gatekeeper/gate/sql/gate.sql). Each of the three is one expression over facts that staff.authorize has found:
-- 'passed', 'not_required', 'cannot_start_yet', or the reason why it does not hold. They read nothing and have no
-- settings, so that PostgreSQL makes each a part of the statement that asks it. A row that is not there is NULL, and so
-- is each of its columns. Each WHEN asks 'is it not true', so NULL counts as failure.

-- In which role a member does an act: the first that fits. NULL when none does.
CREATE OR REPLACE FUNCTION staff.role_for(p_act text, p_roles text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_act IN ('gate', 'view', 'search', 'open', 'request', 'own') AND 'consultant' = ANY (p_roles) THEN 'consultant'
        WHEN p_act IN ('manage', 'approve', 'end', 'suspend') AND 'manager' = ANY (p_roles) THEN 'manager'
        WHEN p_act IN ('review', 'export', 'end', 'suspend') AND 'reviewer' = ANY (p_roles) THEN 'reviewer'
        WHEN p_act IN ('people', 'countersign', 'confirm', 'end', 'suspend') AND 'people' = ANY (p_roles) THEN 'people'
        WHEN p_act IN ('administer', 'confirm') AND 'administrator' = ANY (p_roles) THEN 'administrator'
        WHEN p_act = 'privacy' AND 'privacy' = ANY (p_roles) THEN 'privacy' END
$$;

-- 1: at work, and with the role. Whoever signs need not have begun.
CREATE OR REPLACE FUNCTION staff.member_code(
    p_act text, m public.staff_member, p_suspended boolean, p_role text, p_today date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN m.id IS NULL THEN 'cannot_start_yet'
        WHEN p_act <> 'sign' AND (m.starts_on <= p_today) IS NOT TRUE THEN 'member_not_started'
        WHEN p_suspended IS NOT FALSE THEN 'member_suspended'
        WHEN m.left_on < p_today THEN 'member_left'
        WHEN p_act <> 'sign' AND p_role IS NULL THEN 'role_missing'
        ELSE 'passed' END
$$;

-- 2: the member's session runs; how recent the second factor must be depends on the act. Whoever is judged by
-- somebody else (p_other) needs none.
CREATE OR REPLACE FUNCTION staff.session_code(
    p_act text, p_other boolean, s public.staff_session, p_member bigint, l staff.limits, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_other THEN 'not_required'
        WHEN (s.member_id = p_member AND s.ended_at IS NULL) IS NOT TRUE THEN 'session_missing'
        WHEN (p_at < s.last_seen_at + l.session_idle AND p_at < s.started_at + l.session_whole) IS NOT TRUE
            THEN 'session_expired'
        WHEN s.verified_at IS NULL THEN 'mfa_missing'
        WHEN p_act IN ('gate', 'view', 'search', 'open', 'approve', 'people', 'confirm')
            AND (p_at < s.verified_at + l.factor) IS NOT TRUE THEN 'mfa_stale'
        WHEN p_act IN ('sign', 'countersign', 'export')
            AND (p_at < s.verified_at + l.factor_signing) IS NOT TRUE THEN 'mfa_stale'
        ELSE 'passed' END
$$;

-- 3: a signature is in force; where none is, the newest says why. An expired one still lets its holder sign again, and
-- a people officer countersign.
CREATE OR REPLACE FUNCTION staff.nda_code(
    p_act text, p_member bigint, p_in_force bigint, newest public.staff_signature, p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_act IN ('sign', 'countersign') THEN 'not_required'
        WHEN p_in_force IS NOT NULL THEN 'passed'
        WHEN p_member IS NULL THEN 'cannot_start_yet'
        WHEN newest.withdrawn_at IS NOT NULL THEN 'nda_withdrawn'
        WHEN newest.valid_until <= p_at THEN 'nda_expired'
        WHEN newest.counts_from <= p_at THEN 'nda_old_version'
        ELSE 'nda_missing' END
$$;

-- The codes that keep an act from being done, of those that were given.
CREATE OR REPLACE FUNCTION staff.failing(p_codes text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_codes <@ '{passed,not_required}' THEN '{}' ELSE array_remove(array_remove(array_remove(array_remove(
        p_codes, 'passed'), 'not_required'), 'cannot_start_yet'), NULL) END
$$;

-- The version before one, which is accepted within its grace. Internal, as are the next two; none has settings of its
-- own, as staff.authorize, which calls them.
CREATE OR REPLACE FUNCTION staff.version_before(p_version integer) RETURNS integer
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT x.number FROM public.staff_ndaversion x WHERE x.recalled_at IS NULL AND x.effective_at
            < (SELECT y.effective_at FROM public.staff_ndaversion y WHERE y.number = p_version)
        ORDER BY x.effective_at DESC LIMIT 1);
END $$;

-- A member's newest signature, save of a version that says nothing yet.
CREATE OR REPLACE FUNCTION staff.newest_signature(p_member bigint, p_at timestamptz) RETURNS public.staff_signature
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT x FROM public.staff_signature x
        WHERE x.member_id = p_member AND NOT EXISTS (SELECT FROM public.staff_ndaversion y
            WHERE y.number = x.version_id AND (y.effective_at > p_at OR y.recalled_at IS NOT NULL))
        ORDER BY x.signed_at DESC, x.id DESC LIMIT 1);
END $$;

-- Whether the log has an entry of the future, later than a person has accepted: a clock went back since.
CREATE OR REPLACE FUNCTION staff.is_clock_behind(p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.audit_entry x WHERE x."timestamp" > p_at + interval '5 seconds'
        AND x.id > coalesce((SELECT max(y.accepted_entry) FROM staff.clock y), 0));
END $$;

-- Judges member, session and agreement for an act: a code for each of the three, in this order; `reason` is the first
-- that fails, NULL when all hold; the other columns are the facts on which it rests, under the names that the log has
-- for them. p_digest names the session, and the session names the member: no caller says who they are. p_member judges
-- somebody else, who needs no session. p_lock takes the rows first, in the one order (member, session, signatures), so
-- that what holds here holds until the transaction ends; without it also the key before a renewal is taken. Who has
-- locked and read already, because there was more to lock, gives the rows (m, s, l) and the moment.
CREATE OR REPLACE FUNCTION staff.authorize(
    p_digest bytea, p_act text, p_lock boolean DEFAULT true, p_member bigint DEFAULT NULL,
    m public.staff_member DEFAULT NULL, s public.staff_session DEFAULT NULL, l staff.limits DEFAULT NULL,
    at timestamptz DEFAULT NULL,
    OUT reason text, OUT codes text[], OUT failed text[], OUT actor_id bigint, OUT member text, OUT member_name text,
    OUT role text, OUT session bigint, OUT factor text, OUT signature bigint, OUT nda_version int, OUT nda_ends timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    n public.staff_signature;  -- the newest, where none is in force
    version integer;  -- of the agreement that is required, and of the one before it within the grace
    grace_ends timestamptz;
    version_before integer;
    latest_entry timestamptz;
BEGIN
    IF at IS NULL THEN
        SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest;
        IF s.id IS NULL AND NOT p_lock AND p_member IS NULL THEN
            SELECT x.* INTO s FROM public.staff_session x WHERE x.id = staff.renewed_session(p_digest);
        END IF;
        actor_id := coalesce(p_member, s.member_id);
        IF p_lock THEN
            PERFORM FROM public.staff_member x WHERE x.id = actor_id FOR NO KEY UPDATE;
            SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest FOR NO KEY UPDATE;
            PERFORM FROM public.staff_signature x WHERE x.member_id = actor_id ORDER BY x.id FOR NO KEY UPDATE;
        END IF;
        -- Every fact is read by a statement that begins when every lock is held, and by the clock of that moment.
        at := clock_timestamp();  -- not now(), which is the start of the transaction
        SELECT x.* INTO m FROM public.staff_member x WHERE x.id = actor_id;
        SELECT x.* INTO l FROM staff.limits x;
    END IF;
    IF (l IS NOT NULL) IS NOT TRUE THEN  -- that is: if any of them is null
        RAISE 'limits are missing: run apply_settings';
    END IF;
    actor_id := coalesce(p_member, s.member_id);
    -- The newest entry of the future: the refusals that follow it have the clock's own time. The call began no later
    -- than `at`: that bounds what is read of the index, and unlike a variable lets the plan be kept.
    SELECT x."timestamp" INTO latest_entry FROM public.audit_entry x
    WHERE x."timestamp" > statement_timestamp() + interval '5 seconds' ORDER BY x."timestamp" DESC LIMIT 1;
    -- The signature in force: of the version required, or of the one before it within the grace, not
    -- withdrawn, not past its end; of several the one that lasts longest.
    SELECT x.number, x.effective_at + make_interval(days => x.grace_days) INTO version, grace_ends FROM public.staff_ndaversion x
    WHERE x.effective_at <= at AND x.recalled_at IS NULL ORDER BY x.effective_at DESC LIMIT 1;
    IF at < grace_ends THEN
        version_before := staff.version_before(version);
    END IF;
    SELECT x.id, x.version_id, x.valid_until INTO signature, nda_version, nda_ends FROM public.staff_signature x
    WHERE x.member_id = actor_id AND x.withdrawn_at IS NULL AND x.counts_from <= at AND x.valid_until > at
        AND (x.form = 'founding' OR x.version_id = version OR x.version_id = version_before)
    ORDER BY least(x.valid_until, CASE WHEN x.version_id = version_before THEN grace_ends END) DESC, x.id DESC LIMIT 1;
    IF signature IS NULL THEN
        n := staff.newest_signature(actor_id, at);
    END IF;
    role := staff.role_for(p_act, m.roles);
    codes := ARRAY[
        staff.member_code(p_act, m, m.suspended_at IS NOT NULL AND staff.is_suspended(m.suspended_at, m.suspended_until), role,
            (at AT TIME ZONE l.time_zone)::date),
        staff.session_code(p_act, p_member IS NOT NULL, s, actor_id, l, at),
        staff.nda_code(p_act, m.id, signature, n, at)];
    member := m.number; member_name := m.name; session := s.id; factor := s.factor;
    failed := staff.failing(codes);
    reason := CASE WHEN CASE WHEN latest_entry > at + interval '5 seconds' THEN staff.is_clock_behind(at) END THEN 'clock_behind'
        WHEN failed[1] IS NOT NULL THEN failed[1]
        WHEN NOT codes <@ '{passed,not_required}' THEN 'check_failed' END;  -- what could not be judged has failed
END $$;

-- Whether an officer's act is theirs at this moment: member, session and nda. Empty when it is. An
-- attempt without the role is recorded (ASVS 16.3.2).
CREATE OR REPLACE FUNCTION staff.officer(p_digest bytea, p_context jsonb, p_act text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
BEGIN
    d := staff.authorize(p_digest, p_act, p_lock => false);
    IF d.reason = 'role_missing' THEN
        PERFORM audit.write_entry('change', 'refused', audit.context(p_context) || to_jsonb(d)
            || jsonb_build_object('details', jsonb_build_object('act', left(p_act, 12))));
    END IF;
    RETURN coalesce(d.reason, '');
END $$;

REVOKE ALL ON FUNCTION staff.role_for(text, text[]),
    staff.member_code(text, public.staff_member, boolean, text, date),
    staff.session_code(text, boolean, public.staff_session, bigint, staff.limits, timestamptz),
    staff.nda_code(text, bigint, bigint, public.staff_signature, timestamptz), staff.failing(text[]),
    staff.version_before(integer), staff.newest_signature(bigint, timestamptz), staff.is_clock_behind(timestamptz),
    staff.authorize(bytea, text, boolean, bigint, public.staff_member, public.staff_session, staff.limits, timestamptz),
    staff.officer(bytea, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.officer(bytea, jsonb, text) TO gatekeeper_web;
