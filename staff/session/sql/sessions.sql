-- Sessions. Nobody that the application runs as may read a key's digest or write a row: whoever sends a
-- digest gets the one session that it opens, and each act on it is a function that records what it does.
-- Looking, touching and ending are the pages'; beginning, proving and renewing are signing in's.

-- The session whose key this was until its renewal, at most ten seconds ago: what a browser sent just before
-- it got the new key is under way with the old one. It answers what locks, writes and reveals nothing
-- (`staff.authorize` asks here only for what takes no lock), and ends with its session. Internal.
CREATE OR REPLACE FUNCTION staff.renewed_session(p_digest bytea) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT s.id FROM public.staff_session s
    WHERE s.old_digest = p_digest AND s.ended_at IS NULL
        AND clock_timestamp() < s.renewed_at + interval '10 seconds'
$$;

-- The session that a key opens, ended or not, without its digests: the only way that leads from a key to a
-- session. `outdated` says that the key is the one before its renewal.
CREATE OR REPLACE FUNCTION staff.session_by(p_digest bytea)
RETURNS TABLE (id bigint, member_id bigint, started_at timestamptz, last_seen_at timestamptz, verified_at timestamptz,
    factor text, ended_at timestamptz, remote_addr inet, user_agent text, data jsonb, outdated boolean)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    s public.staff_session;
BEGIN
    SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest;
    outdated := s.id IS NULL;
    IF outdated THEN
        SELECT x.* INTO s FROM public.staff_session x WHERE x.id = staff.renewed_session(p_digest);
    END IF;
    IF s.id IS NOT NULL THEN
        RETURN QUERY SELECT s.id, s.member_id, s.started_at, s.last_seen_at, s.verified_at, s.factor::text, s.ended_at,
            s.remote_addr, s.user_agent::text, s.data, outdated;
    END IF;
END $$;

-- Whether a member is barred from being signed in: suspended, or past the last day. Internal.
CREATE OR REPLACE FUNCTION staff.is_barred(p_member bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT staff.is_suspended(m.suspended_at, m.suspended_until) OR coalesce(audit.end_of_day(m.left_on) <= clock_timestamp(), false)
    FROM public.staff_member m WHERE m.id = p_member
$$;

-- Writes an entry about a session of a member's, with who it is as the database knows it. Internal.
CREATE OR REPLACE FUNCTION staff.record_session(
    p_event text, p_session bigint, p_context jsonb, p_facts jsonb) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT audit.write_entry(p_event, 'allowed', audit.context(p_context) || jsonb_build_object('actor_id', m.id,
        'member', m.number, 'member_name', m.name, 'session', s.id, 'factor', s.factor) || p_facts)
    FROM public.staff_session s JOIN public.staff_member m ON m.id = s.member_id WHERE s.id = p_session
$$;

-- Forgets counts of attempts to sign in of which none is of use any more: none reaches back more than an hour
-- (staff/sign_in/lockout.py). Internal: called by gatekeeper.tidy.
CREATE OR REPLACE FUNCTION staff.forget_attempts() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    DELETE FROM public.staff_attemptcount a WHERE a.last_at < clock_timestamp() - interval '2 hours'
$$;

-- The pages' part

-- The member is active. Not where the session is locked meanwhile: only a proof unlocks it.
CREATE OR REPLACE FUNCTION staff.touch_session(p_digest bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    UPDATE public.staff_session s SET last_seen_at = clock_timestamp() FROM staff.limits l
    WHERE s.digest = p_digest AND s.ended_at IS NULL AND clock_timestamp() < s.last_seen_at + l.session_idle
        AND s.last_seen_at < clock_timestamp();
    RETURN FOUND;
END $$;

-- Ends the session of a key, also of the key before; ended is ended. A member's is an entry, with a reason of
-- ours, or empty when the member signs out. Returns whether there was one to end.
CREATE OR REPLACE FUNCTION staff.end_session(p_digest bytea, p_context jsonb, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    ended bigint;
BEGIN
    UPDATE public.staff_session s SET ended_at = clock_timestamp()
    WHERE s.ended_at IS NULL AND (s.digest = p_digest OR s.id = staff.renewed_session(p_digest)) RETURNING s.id INTO ended;
    PERFORM staff.record_session('sign_out', ended, p_context, jsonb_build_object('reason',
        CASE WHEN p_reason IN ('session_ended', 'session_expired', 'member_suspended', 'member_left', 'link_followed')
            THEN p_reason ELSE '' END));
    RETURN ended IS NOT NULL;
END $$;

-- Ends other sessions of one's own: these, or all. Each is an entry, which names it. Returns how many it were.
CREATE OR REPLACE FUNCTION staff.end_own_sessions(p_digest bytea, p_context jsonb, p_numbers bigint[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    own public.staff_session;
    other bigint;
    ended integer := 0;
BEGIN
    SELECT s.* INTO own FROM public.staff_session s
    WHERE s.digest = p_digest AND s.ended_at IS NULL AND s.verified_at IS NOT NULL;
    FOR other IN
        SELECT s.id FROM public.staff_session s, staff.limits l WHERE s.member_id = own.member_id AND s.id <> own.id
            AND s.ended_at IS NULL AND clock_timestamp() < s.started_at + l.session_whole
            AND (p_numbers IS NULL OR s.id = ANY (p_numbers))
        ORDER BY s.id FOR NO KEY UPDATE OF s
    LOOP
        UPDATE public.staff_session s SET ended_at = clock_timestamp() WHERE s.id = other;
        PERFORM staff.record_session('sign_out', own.id, p_context,
            jsonb_build_object('reason', 'ended_by_member', 'object_pk', other));
        ended := ended + 1;
    END LOOP;
    RETURN ended;
END $$;

-- Ends what has run out: of one key, or everywhere. Every reader judges for itself; this only tidies. Half a
-- sign-in that was idle has nothing to come back to.
CREATE OR REPLACE FUNCTION staff.end_overdue_sessions(p_digest bytea) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    ended integer;
BEGIN
    UPDATE public.staff_session s SET ended_at = at FROM staff.limits l
    WHERE s.ended_at IS NULL AND (p_digest IS NULL OR s.digest = p_digest)
        AND (at >= s.started_at + l.session_whole OR at >= s.last_seen_at + l.session_idle
            AND (s.verified_at IS NULL OR staff.is_barred(s.member_id)));
    GET DIAGNOSTICS ended = ROW_COUNT;
    RETURN ended;
END $$;

-- Signing in's part

-- Begins a session of a member's who has proved a password or a link, with its entry; the one that the browser
-- had before ends. Nobody else makes one. Returns its number, NULL where the member is barred.
CREATE OR REPLACE FUNCTION staff.begin_session(
    p_digest bytea, p_context jsonb, p_member bigint, p_stage text, p_data jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    begun bigint;
BEGIN
    PERFORM FROM public.staff_member m WHERE m.id = p_member FOR NO KEY UPDATE;  -- who suspends them comes after, or was first
    IF NOT FOUND OR staff.is_barred(p_member) OR (p_stage IN ('password', 'invitation')) IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.staff_session (digest, member_id, started_at, last_seen_at, factor, remote_addr, user_agent, data)
    VALUES (p_digest, p_member, at, at, '', (p_context->>'remote_addr')::inet,
        coalesce(left(p_context->>'user_agent', 200), ''), p_data) RETURNING id INTO begun;
    PERFORM staff.record_session('sign_in', begun, p_context, jsonb_build_object('object_repr', p_stage));
    RETURN begun;
END $$;

-- A second factor was proved: the session is verified under a new key, with its entry. The factor must be one
-- that the member has in use. A locked session is unlocked by this, and by nothing else. The key before is
-- kept for `staff.renewed_session` where it was as good a key: one that had not proved both factors, or was
-- locked, answers nothing from now on. Whoever has signed in with both factors needs no link: all of theirs are
-- over. Returns whether it was done.
CREATE OR REPLACE FUNCTION staff.verify_session(
    p_digest bytea, p_fresh bytea, p_context jsonb, p_factor text, p_device bigint, p_stage text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    s public.staff_session;
    l staff.limits;
    awake boolean;
BEGIN
    SELECT x.* INTO l FROM staff.limits x;
    SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest AND x.ended_at IS NULL FOR NO KEY UPDATE;
    IF (at < s.started_at + l.session_whole AND NOT staff.is_barred(s.member_id)
            AND staff.is_in_use(s.member_id, p_factor, p_device)
            AND p_stage IN ('code', 'step-up', 'unlock')) IS NOT TRUE THEN
        RETURN false;
    END IF;
    awake := at < s.last_seen_at + l.session_idle;
    UPDATE public.staff_session x SET digest = p_fresh, renewed_at = at, verified_at = at, last_seen_at = at, factor = p_factor,
        old_digest = CASE WHEN awake AND s.verified_at IS NOT NULL THEN s.digest END
    WHERE x.id = s.id;
    IF p_stage <> 'step-up' THEN
        PERFORM staff.end_links(s.member_id);
    END IF;
    PERFORM staff.record_session('sign_in', s.id, p_context, jsonb_build_object('object_repr', p_stage));
    RETURN true;
END $$;

-- A new key for a session of a member's, as after a change of password. Returns whether it was done.
CREATE OR REPLACE FUNCTION staff.renew_session(p_digest bytea, p_fresh bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    UPDATE public.staff_session s SET digest = p_fresh, renewed_at = clock_timestamp(),
        old_digest = CASE WHEN s.verified_at IS NOT NULL THEN s.digest END
    FROM staff.limits l
    WHERE s.digest = p_digest AND s.ended_at IS NULL AND clock_timestamp() < s.last_seen_at + l.session_idle;
    RETURN FOUND;
END $$;

-- Whether this is a second factor that the member has in use. Internal.
CREATE OR REPLACE FUNCTION staff.is_in_use(p_member bigint, p_factor text, p_device bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_factor
        WHEN 'totp' THEN EXISTS (SELECT FROM public.staff_totpdevice d
            WHERE d.id = p_device AND d.user_id = p_member AND d.confirmed)
        WHEN 'passkey' THEN EXISTS (SELECT FROM public.django_otp_webauthn_webauthncredential d
            WHERE d.id = p_device AND d.user_id = p_member AND d.confirmed)
        WHEN 'recovery' THEN EXISTS (SELECT FROM public.staff_recoverydevice d
            WHERE d.id = p_device AND d.user_id = p_member AND d.confirmed) END
$$;

-- Keeps what signing in remembers between its steps. Under a key that was renewed meanwhile nothing is kept:
-- the request that renewed it has kept its own. Returns whether the session still runs.
CREATE OR REPLACE FUNCTION staff.keep_session(p_session bigint, p_digest bytea, p_data jsonb) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    UPDATE public.staff_session s SET data = p_data WHERE s.id = p_session AND s.digest = p_digest AND s.ended_at IS NULL;
    RETURN FOUND OR EXISTS (SELECT FROM public.staff_session s WHERE s.id = p_session AND s.ended_at IS NULL);
END $$;

-- Takes one thing out of what signing in remembers, for the one time that it may be used: of two that ask at
-- once, one gets nothing.
CREATE OR REPLACE FUNCTION staff.take_remembered(p_digest bytea, p_name text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    s public.staff_session;
BEGIN
    SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest AND x.ended_at IS NULL FOR NO KEY UPDATE;
    UPDATE public.staff_session x SET data = s.data - p_name WHERE x.id = s.id AND s.data ? p_name;
    RETURN s.data->p_name;
END $$;

-- A member's password or factors have changed: their other sessions end, and the one at hand, if any, is asked
-- for a proof again where p_doubt says so.
CREATE OR REPLACE FUNCTION staff.end_sessions_of(p_member bigint, p_but bigint, p_doubt boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    UPDATE public.staff_session s SET ended_at = CASE WHEN s.id IS DISTINCT FROM p_but THEN clock_timestamp() END,
        verified_at = CASE WHEN NOT p_doubt THEN s.verified_at END
    WHERE s.member_id = p_member AND s.ended_at IS NULL
$$;

-- What signing in writes by itself changes only together with an entry of the same transaction about the same
-- member: a password, a link, a factor in use. Deferred to the transaction's end, so that the order is free.
-- A definer function, for signing in may not read the log.
CREATE OR REPLACE FUNCTION staff.require_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    changed jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
    sheet public.staff_recoverydevice;
    about bigint;
BEGIN
    SELECT d.* INTO sheet FROM public.staff_recoverydevice d WHERE d.id = (changed->>'device_id')::bigint;
    IF TG_TABLE_NAME = 'staff_recoverycode' AND sheet.confirmed IS NOT TRUE THEN
        RETURN NULL;  -- its code is no factor; of one that is gone, that it went was asked for
    END IF;
    about := coalesce(changed->>'user_id', changed->>'member_id', sheet.user_id::text, changed->>'id')::bigint;
    IF NOT EXISTS (SELECT FROM public.audit_entry e JOIN public.staff_member m ON m.number = e.member
            WHERE e."timestamp" >= transaction_timestamp() AND e.xid = pg_current_xact_id() AND m.id = about
                AND e.event IN ('change', 'sign_in') AND e.outcome = 'allowed') THEN
        RAISE insufficient_privilege USING MESSAGE = 'a password, a link or a factor changes with its entry alone';
    END IF;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION staff.renewed_session(bytea), staff.session_by(bytea), staff.is_barred(bigint),
    staff.record_session(text, bigint, jsonb, jsonb), staff.touch_session(bytea), staff.end_session(bytea, jsonb, text),
    staff.end_own_sessions(bytea, jsonb, bigint[]), staff.end_overdue_sessions(bytea),
    staff.begin_session(bytea, jsonb, bigint, text, jsonb),
    staff.verify_session(bytea, bytea, jsonb, text, bigint, text), staff.renew_session(bytea, bytea),
    staff.is_in_use(bigint, text, bigint), staff.keep_session(bigint, bytea, jsonb), staff.take_remembered(bytea, text),
    staff.end_sessions_of(bigint, bigint, boolean), staff.require_entry(), staff.forget_attempts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.session_by(bytea), staff.touch_session(bytea), staff.end_session(bytea, jsonb, text),
    staff.end_own_sessions(bytea, jsonb, bigint[]), staff.end_overdue_sessions(bytea) TO gatekeeper_web;
GRANT EXECUTE ON FUNCTION staff.begin_session(bytea, jsonb, bigint, text, jsonb),
    staff.verify_session(bytea, bytea, jsonb, text, bigint, text), staff.renew_session(bytea, bytea),
    staff.keep_session(bigint, bytea, jsonb), staff.take_remembered(bytea, text),
    staff.end_sessions_of(bigint, bigint, boolean) TO gatekeeper_signin;
