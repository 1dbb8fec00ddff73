-- The gate: every condition of DESIGN §3, evaluated in one place.
-- Python presents what this returns and never decides again.

-- Evaluates all conditions for an act. Returns a code for each of the eight rows, in order: 'passed',
-- 'not_required', 'cannot_start_yet' or the reason; `reason` is the first that fails, NULL when all
-- hold. The other columns are the facts on which it rested, under the names that the log has for them;
-- `shut` has the grant's categories that stay shut while others are open, each with its reason. `day` is the one
-- whose budget a view is counted in (budget.sql), `another` whether the account is new there, `uncounted` which of
-- its fields are, and `details` what the budget is where it refuses.
--
-- p_digest names the session, and the session names the member: no caller says who they are.
-- p_member is for this schema alone: it judges the requester when somebody else approves.
-- p_lock takes the rows in the one order (member, session, signature, account, ticket, grant), so that
-- what holds here holds until the transaction ends. FOR NO KEY UPDATE: FOR SHARE starves the closing,
-- FOR KEY SHARE does not stop it. Guardian's row is read, not locked: whoever deletes it goes on to the
-- grant by trigger and waits there; with a lock on both, remove_perm and a reveal would deadlock.
-- A row at a time and by its key: that is what PL/pgSQL does fastest, and each reveal decides twice. A join
-- of two tables takes longer than three such reads, a query within a query costs its start even where it is
-- not asked, and so does each operator; the search path and the time zone are the callers'.
-- Each WHEN asks 'is it not true', so that an unknown fails.
CREATE OR REPLACE FUNCTION vault.decide(
    p_digest bytea, p_act text, p_account text DEFAULT NULL, p_ticket text DEFAULT NULL,
    p_grant bigint DEFAULT NULL, p_categories text[] DEFAULT NULL, p_lock boolean DEFAULT true,
    p_member bigint DEFAULT NULL, p_fields text[] DEFAULT NULL, p_recorded_at timestamptz DEFAULT NULL,
    OUT reason text, OUT codes text[], OUT failed text[],
    OUT actor_id bigint, OUT member text, OUT member_name text, OUT role text,
    OUT session bigint, OUT factor text, OUT signature bigint, OUT nda_version int, OUT nda_ends timestamptz,
    OUT account text, OUT account_id bigint, OUT ticket text, OUT ticket_id bigint, OUT ticket_kind text,
    OUT ticket_state text, OUT assignment_id bigint, OUT purpose text, OUT categories text[],
    OUT request_id bigint, OUT grant_id bigint, OUT approver text, OUT consent text, OUT window_ends_at timestamptz,
    OUT shut text[], OUT day date, OUT another boolean, OUT uncounted text[], OUT details jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz;
    today date;
    l vault.limits;
    m public.staff_member;
    s public.staff_session;
    a public.gatekeeper_account;
    t public.gatekeeper_ticket;
    r public.gatekeeper_accessrequest;
    g public.gatekeeper_grant;
    version integer;  -- of the agreement that is required, and of the one before it within the grace
    version_from timestamptz;
    grace_days integer;
    version_before integer;
    heard_at timestamptz;
    latest_entry timestamptz;
    claimed boolean;
    listed boolean;
    signature_runs boolean;  -- the one under which the grant was approved
    covered text[];
    field text;
    counted text[];  -- the account's fields that the day's budget has
    support text;  -- whether each category's own condition holds
    participants text;
    consents text[];
    about_an_account boolean := p_act IN ('gate', 'view', 'search', 'open', 'request');
    roles_needed text[] := '{consultant}';
    c_member text; c_session text; c_nda text; c_ticket text := 'not_required'; c_approval text := 'not_required';
    c_time text := 'not_required'; c_consent text := 'not_required'; c_account text := 'not_required';
BEGIN
    IF NOT about_an_account THEN
        roles_needed := CASE
            WHEN p_act = 'own' THEN ARRAY['consultant']
            WHEN p_act IN ('manage', 'approve') THEN ARRAY['manager']
            WHEN p_act IN ('end', 'suspend') THEN ARRAY['manager', 'reviewer', 'people']
            WHEN p_act IN ('review', 'export') THEN ARRAY['reviewer']
            WHEN p_act IN ('people', 'privacy') THEN ARRAY[p_act]
            WHEN p_act = 'administer' THEN ARRAY['administrator']
            WHEN p_act = 'countersign' THEN ARRAY['people']
            WHEN p_act = 'confirm' THEN ARRAY['people', 'administrator']
            ELSE ARRAY[]::text[] END;
    END IF;

    -- Who, and under what. A grant that is not this member's, or of another account, is no grant.
    SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest;
    IF s.id IS NULL AND NOT p_lock THEN
        SELECT x.* INTO s FROM public.staff_session x WHERE x.id = vault.renewed_session(p_digest);
    END IF;
    actor_id := coalesce(p_member, s.member_id);
    IF about_an_account THEN
        SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.reference = p_account;
        IF p_grant IS NOT NULL THEN
            SELECT x.* INTO g FROM public.gatekeeper_grant x WHERE x.id = p_grant AND x.member_id = actor_id
                AND (p_account IS NULL OR x.account_id = a.id);
        END IF;
        grant_id := g.id;
        account_id := coalesce(g.account_id, a.id);
        IF grant_id IS NOT NULL THEN
            ticket_id := g.ticket_id;
        ELSIF p_ticket IS NOT NULL AND p_grant IS NULL THEN
            -- One that was never the member's is none: nobody learns which numbers there are, and how they stand.
            SELECT x.id INTO ticket_id FROM public.gatekeeper_ticket x WHERE x.number = p_ticket AND EXISTS (
                SELECT FROM public.gatekeeper_assignment y WHERE y.ticket_id = x.id AND y.member_id = actor_id);
        ELSE  -- the ticket nearest to opening this account
            SELECT x.ticket_id INTO ticket_id FROM public.gatekeeper_assignment x
            WHERE x.member_id = actor_id AND x.accounts @> ARRAY[p_account]::varchar[]
            ORDER BY x.ended_at IS NOT NULL, (
                    SELECT max(coalesce(y.window_ends_at, '-infinity')) FROM public.gatekeeper_grant y
                    WHERE y.member_id = actor_id AND y.account_id = a.id AND y.ended_at IS NULL AND y.assignment_id = x.id
                ) DESC NULLS LAST, x.id DESC LIMIT 1;
        END IF;
    END IF;

    -- A lock that was waited for gives the row as it then stands. All the rest is read by statements that
    -- begin when every lock is held.
    IF p_lock THEN
        SELECT x.* INTO m FROM public.staff_member x WHERE x.id = actor_id FOR NO KEY UPDATE;
        SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest FOR NO KEY UPDATE;
        PERFORM FROM public.staff_signature x WHERE x.member_id = actor_id ORDER BY x.id FOR NO KEY UPDATE;
        SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.id = account_id FOR NO KEY UPDATE;
        SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.id = ticket_id FOR NO KEY UPDATE;
        SELECT x.* INTO g FROM public.gatekeeper_grant x WHERE x.id = grant_id FOR NO KEY UPDATE;
    ELSE
        SELECT x.* INTO m FROM public.staff_member x WHERE x.id = actor_id;
        SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.id = ticket_id;
        IF a.id IS DISTINCT FROM account_id THEN  -- it was named by its grant alone
            SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.id = account_id;
        END IF;
    END IF;
    account := coalesce(p_account, a.reference);

    at := clock_timestamp();  -- not now(), which is the start of the transaction
    SELECT x.* INTO l FROM vault.limits x;
    IF (l IS NOT NULL) IS NOT TRUE THEN  -- that is: if any of them is null
        RAISE 'limits are missing: run apply_settings';
    END IF;
    today := (at AT TIME ZONE l.time_zone)::date;
    -- The signature in force: of the version required, or of the one before it within the grace, not
    -- withdrawn, not past its end; of several the one that lasts longest.
    SELECT x.number, x.effective_at, x.grace_days INTO version, version_from, grace_days FROM public.staff_ndaversion x
    WHERE x.effective_at <= at AND x.recalled_at IS NULL ORDER BY x.effective_at DESC LIMIT 1;
    IF at < version_from + make_interval(days => grace_days) THEN
        SELECT x.number INTO version_before FROM public.staff_ndaversion x
        WHERE x.effective_at < version_from AND x.recalled_at IS NULL ORDER BY x.effective_at DESC LIMIT 1;
    END IF;
    SELECT x.id, x.version_id, x.valid_until INTO signature, nda_version, nda_ends FROM public.staff_signature x
    WHERE x.member_id = actor_id AND x.withdrawn_at IS NULL AND x.counts_from <= at AND x.valid_until > at
        AND (x.form = 'founding' OR x.version_id = version OR x.version_id = version_before)
    ORDER BY CASE WHEN x.version_id = version_before THEN least(x.valid_until, version_from + make_interval(days => grace_days))
        ELSE x.valid_until END DESC, x.id DESC LIMIT 1;
    -- The newest entry of the future: the refusals that follow it have the clock's own time. The time at
    -- which the call began is no later than `at`; it bounds what is read of the index, and unlike a variable
    -- it lets the plan be kept.
    SELECT x."timestamp" INTO latest_entry FROM public.audit_entry x
    WHERE x."timestamp" > statement_timestamp() + interval '5 seconds' ORDER BY x."timestamp" DESC LIMIT 1;
    IF about_an_account THEN
        -- From the first doubt on, hearing the helpdesk makes its tickets no younger.
        SELECT least(x.heard_at, x.doubted_at) INTO heard_at FROM public.gatekeeper_feed x
        WHERE x.name = 'tickets' AND x.heard_at IS NOT NULL;
        SELECT x.id, x.accounts @> ARRAY[account]::varchar[] INTO assignment_id, claimed
        FROM public.gatekeeper_assignment x
        WHERE x.ticket_id = t.id AND x.member_id = actor_id AND x.ended_at IS NULL;
        IF grant_id IS NULL AND p_grant IS NULL THEN  -- asking for more never closes what is open, or may be opened
            SELECT x.* INTO g FROM public.gatekeeper_grant x
            WHERE x.member_id = actor_id AND x.account_id = a.id AND x.ended_at IS NULL AND x.ticket_id = t.id
                AND (x.assignment_id = decide.assignment_id OR decide.assignment_id IS NULL)
                AND (x.window_ends_at > at OR (x.open_before > at AND (x.opened_at IS NULL OR x.while_open)))
            ORDER BY greatest(x.window_ends_at, at) DESC, x.id DESC LIMIT 1;
        END IF;
        IF g.id IS NULL THEN  -- the newest request says how far it came; it opens nothing
            SELECT x.* INTO r FROM public.gatekeeper_accessrequest x
            WHERE x.member_id = actor_id AND x.account_id = a.id AND x.ticket_id = t.id
                AND (x.assignment_id = decide.assignment_id OR decide.assignment_id IS NULL)
            ORDER BY x.id DESC LIMIT 1;
            SELECT x.* INTO g FROM public.gatekeeper_grant x WHERE x.request_id = r.id AND p_grant IS NULL;
        END IF;
        IF claimed IS NOT TRUE THEN  -- then it was hers once, or she asked for it
            -- First the account's few assignments, then whose: the planner would walk all the member ever had.
            claimed := EXISTS (
                    WITH named AS MATERIALIZED (SELECT x.member_id FROM public.gatekeeper_assignment x
                                                WHERE x.accounts @> ARRAY[account]::varchar[])
                    SELECT FROM named WHERE named.member_id = actor_id)
                OR EXISTS (SELECT FROM public.gatekeeper_accessrequest x
                           WHERE x.member_id = actor_id AND x.account_id = a.id);
        END IF;
        SELECT EXISTS (SELECT FROM public.gatekeeper_accountpermission x
                       WHERE x.user_id = actor_id AND x.content_object_id = a.id),
            (SELECT x.number FROM public.staff_member x WHERE x.id = g.approver_id)
        INTO listed, approver;
        signature_runs := g.signature_id = signature;
        IF signature_runs IS NOT TRUE AND g.id IS NOT NULL THEN
            SELECT x.withdrawn_at IS NULL AND vault.signature_ends(x.id) > at INTO signature_runs
            FROM public.staff_signature x WHERE x.id = g.signature_id;
        END IF;
    END IF;
    categories := coalesce(p_categories, g.categories, r.categories);
    IF g.id IS NOT NULL AND p_act <> 'request' THEN  -- the budget of the day on which the view is counted, or was
        day := CASE WHEN p_recorded_at IS NULL THEN today ELSE (p_recorded_at AT TIME ZONE l.time_zone)::date END;
        IF p_fields IS NULL THEN
            details := vault.beyond_any_field(l, actor_id, day, a.id, categories);
        ELSE
            SELECT x.fields INTO counted FROM public.gatekeeper_dailyaccount x
            WHERE x.member_id = actor_id AND x.day = decide.day AND x.account_id = a.id;
            another := counted IS NULL;
            uncounted := '{}';
            IF (p_fields <@ counted) IS NOT TRUE THEN
                FOREACH field IN ARRAY p_fields LOOP
                    IF NOT field = ANY (uncounted || coalesce(counted, '{}')) THEN
                        uncounted := uncounted || field;
                    END IF;
                END LOOP;
                details := vault.beyond_budget(l, actor_id, day, another::integer, cardinality(uncounted));
            END IF;
        END IF;
    END IF;

    -- 1 member
    FOREACH role IN ARRAY coalesce(m.roles, '{}') LOOP
        EXIT WHEN role = ANY (roles_needed);
        role := NULL;
    END LOOP;
    c_member := CASE
        WHEN m.id IS NULL THEN 'cannot_start_yet'
        WHEN p_act <> 'sign' AND (m.starts_on <= today) IS NOT TRUE THEN 'member_not_started'
        WHEN m.suspended_at IS NOT NULL AND vault.is_suspended(m.suspended_at, m.suspended_until) THEN 'member_suspended'
        WHEN m.left_on < today THEN 'member_left'
        WHEN p_act <> 'sign' AND role IS NULL THEN 'role_missing'
        ELSE 'passed' END;

    -- 2 session; how recent the second factor must be depends on the act
    c_session := CASE
        WHEN p_member IS NOT NULL THEN 'not_required'
        WHEN (s.member_id = actor_id AND s.ended_at IS NULL) IS NOT TRUE THEN 'session_missing'
        WHEN (at < s.last_seen_at + l.session_idle
              AND at < s.started_at + l.session_whole) IS NOT TRUE
            THEN 'session_expired'
        WHEN s.verified_at IS NULL THEN 'mfa_missing'
        WHEN p_act IN ('gate', 'view', 'search', 'open', 'approve', 'people', 'confirm')
            AND (at < s.verified_at + l.factor) IS NOT TRUE
            THEN 'mfa_stale'
        WHEN p_act IN ('sign', 'countersign', 'export')
            AND (at < s.verified_at + l.factor_signing) IS NOT TRUE
            THEN 'mfa_stale'
        ELSE 'passed' END;

    -- 3 nda: where none is in force, the newest says why. A lapsed one still lets its holder sign anew, and
    -- a people officer countersign.
    IF p_act IN ('sign', 'countersign') THEN
        c_nda := 'not_required';
    ELSIF signature IS NOT NULL THEN
        c_nda := 'passed';
    ELSIF m.id IS NULL THEN
        c_nda := 'cannot_start_yet';
    ELSE
        c_nda := coalesce((
            SELECT CASE WHEN x.withdrawn_at IS NOT NULL THEN 'nda_withdrawn'
                        WHEN x.valid_until <= at THEN 'nda_expired'
                        WHEN x.counts_from <= at THEN 'nda_old_version' END
            FROM public.staff_signature x WHERE x.member_id = actor_id
                AND NOT EXISTS (SELECT FROM public.staff_ndaversion y WHERE y.number = x.version_id
                                AND (y.effective_at > at OR y.recalled_at IS NOT NULL))  -- it says nothing yet
            ORDER BY x.signed_at DESC, x.id DESC LIMIT 1), 'nda_missing');
    END IF;

    IF about_an_account AND m.id IS NULL THEN
        c_ticket := 'cannot_start_yet'; c_approval := 'cannot_start_yet'; c_time := 'cannot_start_yet';
        c_consent := 'cannot_start_yet'; c_account := 'cannot_start_yet';
    ELSIF about_an_account THEN
        -- 4 ticket; without any claim the answer is the same for a known and an unknown account
        c_ticket := CASE
            WHEN NOT claimed OR t.id IS NULL THEN 'ticket_missing'
            WHEN (t.state IN ('open', 'pending')) IS NOT TRUE THEN 'ticket_closed'
            WHEN t.assignee_id IS DISTINCT FROM actor_id OR assignment_id IS NULL THEN 'ticket_not_yours'
            WHEN (t.accounts @> ARRAY[account]::varchar[]) IS NOT TRUE THEN 'ticket_other_account'
            WHEN l.feed_age > '0' AND (at < heard_at + l.feed_age) IS NOT TRUE THEN 'ticket_feed_stale'
            ELSE 'passed' END;

        IF p_act <> 'request' THEN
            -- 5 approval; guardian's row must stand while the grant lives
            c_approval := CASE
                WHEN g.id IS NULL AND c_ticket <> 'passed' THEN 'cannot_start_yet'
                WHEN g.id IS NULL AND r.state = 'pending' AND at < r.lapses_at THEN 'approval_pending'
                WHEN g.id IS NULL AND r.state = 'denied' THEN 'approval_denied'
                WHEN g.id IS NULL OR (g.ended_at IS NULL AND listed IS NOT TRUE) THEN 'approval_missing'
                WHEN (categories <@ g.categories::text[]) IS NOT TRUE
                    OR ('participants' = ANY (categories) AND t.kind <> 'support') THEN 'category_not_covered'
                WHEN g.views >= l.views_per_grant THEN 'view_limit_reached'
                WHEN details IS NOT NULL THEN 'daily_budget_reached'
                ELSE 'passed' END;
            IF details IS NOT NULL AND c_approval <> 'daily_budget_reached' THEN
                details := NULL;
            END IF;
            -- 6 time; a window while the ticket is open can be followed by another
            c_time := CASE
                WHEN g.id IS NULL THEN 'cannot_start_yet'
                WHEN g.ended_at IS NOT NULL AND g.ended_by_id <> g.member_id THEN 'grant_revoked'
                WHEN g.ended_at IS NOT NULL OR g.assignment_id IS DISTINCT FROM assignment_id
                    OR signature_runs IS NOT TRUE THEN 'grant_ended'
                WHEN at < g.window_ends_at THEN 'passed'
                WHEN at < g.open_before AND (g.opened_at IS NULL OR g.while_open)
                    -- The written end of a window has this in it; whatever changes it later ends the grant.
                    THEN CASE WHEN (vault.approval_ends(g.member_id, g.approver_id) > at) IS NOT TRUE THEN 'grant_ended'
                              WHEN p_act = 'open' THEN 'passed' ELSE 'grant_not_started' END
                WHEN g.opened_at IS NULL THEN 'grant_start_lapsed'
                ELSE 'grant_expired' END;
        END IF;

        -- 7 consent, where a category asks for it; 8 account
        IF NOT claimed THEN
            c_consent := 'cannot_start_yet'; c_account := 'cannot_start_yet';
        ELSE
            c_account := CASE
                WHEN a.id IS NULL THEN 'account_unknown'
                WHEN a.erased_at IS NOT NULL THEN 'account_erased'
                WHEN a.restricted_at IS NOT NULL THEN 'account_restricted'
                ELSE 'passed' END;
            covered := coalesce(g.categories::text[], categories);
            IF a.id IS NOT NULL AND a.erased_at IS NULL AND (covered || categories) && ARRAY['support', 'participants'] THEN
                support := CASE WHEN (a.support_since <= at) IS NOT TRUE THEN 'consent_missing'
                                WHEN a.support_until <= at THEN 'consent_expired' ELSE 'passed' END;
                participants := CASE WHEN (a.participants_since <= at) IS NOT TRUE THEN 'consent_missing'
                                     WHEN a.participants_until <= at THEN 'consent_expired' ELSE 'passed' END;
                IF categories && ARRAY['support', 'participants']
                    -- Asked for nothing in particular, a category that needs no consent is enough.
                    AND (p_categories IS NOT NULL OR categories <@ ARRAY['support', 'participants'])
                THEN
                    consents := array_remove(ARRAY[CASE WHEN 'support' = ANY (categories) THEN support END,
                        CASE WHEN 'participants' = ANY (categories) THEN participants END], NULL);
                    -- All that were asked for must hold; asked for nothing in particular, one is enough.
                    c_consent := CASE WHEN p_categories IS NULL AND 'passed' = ANY (consents) THEN 'passed'
                                      ELSE coalesce((array_remove(consents, 'passed'))[1], 'passed') END;
                END IF;
                shut := CASE WHEN 'support' = ANY (covered) AND support <> 'passed'
                             THEN ARRAY[['support', support]] ELSE '{}' END
                    || CASE WHEN 'participants' = ANY (covered) AND t.kind <> 'support'
                            THEN ARRAY[['participants', 'category_not_covered']]
                            WHEN 'participants' = ANY (covered) AND participants <> 'passed'
                            THEN ARRAY[['participants', participants]] ELSE '{}' END;
            END IF;
        END IF;
    END IF;

    codes := ARRAY[c_member, c_session, c_nda, c_ticket, c_approval, c_time, c_consent, c_account];
    failed := array_remove(array_remove(array_remove(array_remove(
        codes, 'passed'), 'not_required'), 'cannot_start_yet'), NULL);
    reason := failed[1];
    IF latest_entry > at + interval '5 seconds' THEN
        IF EXISTS (SELECT FROM public.audit_entry x WHERE x."timestamp" > at + interval '5 seconds'
                AND x.id > coalesce((SELECT max(y.accepted_entry) FROM vault.clock y), 0)) THEN
            reason := 'clock_behind';
        END IF;
    END IF;
    IF reason IS NULL AND (array_position(codes, NULL) IS NOT NULL OR 'cannot_start_yet' = ANY (codes)) THEN
        reason := 'check_failed';  -- what could not be judged has failed
    END IF;

    -- One statement: each assignment would cost a third of it.
    SELECT m.number, m.name, s.id, s.factor, a.id, t.number, t.id, t.kind, t.state,
        coalesce(g.request_id, r.id), g.id, coalesce(g.purpose, r.purpose), c_consent, g.window_ends_at
    INTO member, member_name, session, factor, account_id, ticket, ticket_id,
        ticket_kind, ticket_state, request_id, grant_id, purpose, consent, window_ends_at;
END $$;

-- The same answer for the pages, without locks and without an entry. The web role may ask it. Of several
-- grants that run, one of which the gate is open is enough: the others' limits and categories shut it not.
CREATE OR REPLACE FUNCTION vault.gate(
    p_digest bytea, p_account text, p_ticket text, p_grant bigint, p_categories text[],
    OUT reason text, OUT codes text[], OUT signature bigint, OUT account_id bigint, OUT ticket_id bigint,
    OUT request_id bigint, OUT grant_id bigint, OUT shut text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    other record;
    next_grant bigint;
BEGIN
    d := vault.decide(p_digest, 'gate', p_account, p_ticket, p_grant, p_categories, false);
    IF d.reason IS NOT NULL AND p_grant IS NULL THEN
        FOR next_grant IN
            SELECT x.id FROM public.gatekeeper_grant x
            WHERE x.member_id = d.actor_id AND x.account_id = d.account_id AND x.ended_at IS NULL
                AND x.window_ends_at > clock_timestamp() AND x.id IS DISTINCT FROM d.grant_id
                AND (p_ticket IS NULL OR x.ticket_id = d.ticket_id)
            ORDER BY x.window_ends_at DESC, x.id DESC
        LOOP
            other := vault.decide(p_digest, 'gate', p_account, p_ticket, next_grant, p_categories, false);
            IF other.reason IS NULL THEN
                d := other;
                EXIT;
            END IF;
        END LOOP;
    END IF;
    reason := d.reason; codes := d.codes; signature := d.signature; account_id := d.account_id;
    ticket_id := d.ticket_id; request_id := d.request_id; grant_id := d.grant_id; shut := d.shut;
END $$;

-- Whether an officer's act is theirs at this moment: member, session and nda. Empty when it is. An
-- attempt without the role is recorded (ASVS 16.3.2).
CREATE OR REPLACE FUNCTION vault.officer(p_digest bytea, p_context jsonb, p_act text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
BEGIN
    d := vault.decide(p_digest, p_act, p_lock => false);
    IF d.reason = 'role_missing' THEN
        PERFORM vault.write_entry('change', 'refused', vault.context(p_context) || to_jsonb(d)
            || jsonb_build_object('details', jsonb_build_object('act', left(p_act, 12))));
    END IF;
    RETURN coalesce(d.reason, '');
END $$;

REVOKE ALL ON FUNCTION
    vault.decide(bytea, text, text, text, bigint, text[], boolean, bigint, text[], timestamptz),
    vault.gate(bytea, text, text, bigint, text[]), vault.officer(bytea, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.gate(bytea, text, text, bigint, text[]), vault.officer(bytea, jsonb, text)
    TO gatekeeper_web;
