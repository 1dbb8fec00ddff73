-- Asking, deciding, opening, ending. Each checks, acts and records in one transaction; a refusal is a
-- value and an entry. Ids and categories come from the caller; who it is comes from the session.

CREATE OR REPLACE FUNCTION gatekeeper.ask(
    p_digest bytea, p_context jsonb, p_account text, p_ticket text, p_purpose text, p_categories text[],
    p_minutes integer, p_while_open boolean, p_reason text, p_text bytea,
    OUT request bigint, OUT reason text, OUT codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    over text;
    hours integer := audit.limit_of('request_hours')::int;
BEGIN
    d := gatekeeper.decide(p_digest, 'request', p_account, p_ticket, p_categories => p_categories);
    reason := CASE
        WHEN d.reason IS NOT NULL THEN d.reason
        WHEN (cardinality(p_categories) BETWEEN 1 AND cardinality(gatekeeper.known_categories())
            AND p_categories <@ gatekeeper.known_categories() AND p_minutes BETWEEN 1 AND 1440 AND p_while_open IS NOT NULL
            AND p_purpose ~ '^[a-z_]{1,20}$' AND p_reason ~ '^[a-z_]{1,20}$') IS NOT TRUE THEN 'value_refused'
        WHEN 'participants' = ANY (p_categories) AND d.ticket_kind <> 'support' THEN 'category_not_covered'
        WHEN (p_purpose = 'privacy_request') <> (d.ticket_kind = 'privacy') THEN 'ticket_missing' END;
    codes := d.codes;
    IF reason IS NULL THEN
        SELECT x.id INTO request FROM public.gatekeeper_accessrequest x
        WHERE x.member_id = d.actor_id AND x.account_id = d.account_id AND x.ticket_id = d.ticket_id AND x.state = 'pending';
        SELECT CASE WHEN x.expires_at <= clock_timestamp() THEN 'lapsed'
                    WHEN (x.purpose, x.minutes, x.while_open, x.reason) IS DISTINCT FROM (p_purpose, p_minutes, p_while_open, p_reason)
                        OR NOT (x.categories::text[] <@ p_categories AND p_categories <@ x.categories::text[])
                        OR num_nonnulls(x.reason_text, p_text) > 0 THEN 'replaced' END
        INTO over FROM public.gatekeeper_accessrequest x WHERE x.id = request;
        IF request IS NOT NULL AND over IS NULL THEN
            RETURN;  -- asked twice: the one that waits is the one
        END IF;
        PERFORM gatekeeper.expire_requests(ARRAY[request], over);  -- an edited request is a new one
        INSERT INTO public.gatekeeper_accessrequest (member_id, account_id, ticket_id, assignment_id, purpose,
            categories, minutes, while_open, reason, reason_text, requested_at, expires_at, state, denial)
        VALUES (d.actor_id, d.account_id, d.ticket_id, d.assignment_id, p_purpose, p_categories, p_minutes,
            p_while_open, p_reason, p_text, clock_timestamp(), clock_timestamp() + make_interval(hours => hours), 'pending', '')
        RETURNING id INTO request;
    END IF;
    PERFORM audit.write_entry('request', CASE WHEN reason IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', reason, 'request_id', request,
            'account', coalesce(nullif(p_account, ''), '?'), 'ticket', p_ticket, 'purpose', p_purpose, 'categories',
            ARRAY(SELECT x FROM unnest(gatekeeper.known_categories()) x WHERE x = ANY (p_categories)),
            'details', jsonb_build_object('minutes', p_minutes, 'while_open', p_while_open, 'why', p_reason)));
END $$;

-- Whether a request could be approved as it stands: the requester's conditions, and that the ticket is
-- still theirs by the same assignment. Of the conditions, whose rows it returns, the reason is the first that
-- fails, NULL when all hold; the rest are facts. Internal: gatekeeper.judge_request asks it for the pages.
CREATE OR REPLACE FUNCTION gatekeeper.judge_asked(p_request bigint, p_categories text[], p_lock boolean,
    OUT reason text, OUT codes text[], OUT signature bigint, OUT ticket_kind text, OUT ticket_state text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    r record;
    q record;
BEGIN
    SELECT x.member_id, x.assignment_id, b.reference, k.number INTO r FROM public.gatekeeper_accessrequest x
        JOIN public.gatekeeper_account b ON b.id = x.account_id JOIN public.gatekeeper_ticket k ON k.id = x.ticket_id
    WHERE x.id = p_request;
    q := gatekeeper.decide(NULL, 'request', r.reference, r.number, p_categories => p_categories, p_lock => p_lock,
        p_member => r.member_id);
    codes := q.codes; signature := q.signature; ticket_kind := q.ticket_kind; ticket_state := q.ticket_state;
    reason := coalesce(q.reason, CASE WHEN q.assignment_id IS DISTINCT FROM r.assignment_id THEN 'ticket_not_yours' END);
    IF q.reason IS NULL AND reason IS NOT NULL THEN
        codes[4] := reason;  -- given away meanwhile, and given back
    END IF;
END $$;

-- The same for the pages, without locks, of all that was asked for: what a manager reads before they decide.
CREATE OR REPLACE FUNCTION gatekeeper.judge_request(p_request bigint, OUT reason text, OUT codes text[])
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT j.reason, j.codes FROM public.gatekeeper_accessrequest x,
        gatekeeper.judge_asked(x.id, x.categories::text[], false) j WHERE x.id = p_request
$$;

-- Approves, denies or (by the requester) withdraws. Judged once, under lock: of two at the same moment
-- the second finds it decided. An approval may shorten and narrow what was asked, and stretch it over
-- the time the ticket is open; it never widens the categories.
CREATE OR REPLACE FUNCTION gatekeeper.decide_request(
    p_digest bytea, p_context jsonb, p_request bigint, p_verdict text, p_categories text[], p_minutes integer,
    p_while_open boolean, p_denial text, OUT reason text, OUT "grant" bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;  -- who decides
    q record;  -- who asked, as they stand now
    r record;
    stead bigint;  -- the manager for whom a deputy decides
    limits jsonb := audit.limits_of('');
BEGIN
    SELECT x.*, b.reference, k.number AS ticket_number, k.kind, k.state AS ticket_state, m.number AS holder INTO r
    FROM public.gatekeeper_accessrequest x JOIN public.gatekeeper_account b ON b.id = x.account_id
        JOIN public.gatekeeper_ticket k ON k.id = x.ticket_id JOIN public.staff_member m ON m.id = x.member_id
    WHERE x.id = p_request;
    -- Both members first, in one order, or two who decide about each other would wait for ever.
    PERFORM FROM public.staff_member m WHERE m.id = r.member_id
        OR m.id = (SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest)
        ORDER BY m.id FOR NO KEY UPDATE;
    PERFORM gatekeeper.lock_authority((SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest), NULL);
    d := staff.authorize(p_digest, CASE WHEN p_verdict = 'withdraw' THEN 'own' ELSE 'approve' END);
    SELECT * INTO q FROM gatekeeper.judge_asked(r.id, p_categories, true) WHERE p_verdict = 'approve';  -- else all of it is NULL
    SELECT x.state, x.expires_at INTO r.state, r.expires_at FROM public.gatekeeper_accessrequest x WHERE x.id = p_request FOR NO KEY UPDATE;
    reason := CASE
        WHEN d.reason IS NOT NULL THEN d.reason
        WHEN r.id IS NULL THEN 'role_missing'  -- as of another's: nobody learns which numbers there are
        WHEN p_verdict = 'withdraw' AND d.actor_id <> r.member_id THEN 'role_missing'
        WHEN p_verdict <> 'withdraw' AND d.actor_id NOT IN (SELECT gatekeeper.approvers(r.member_id)) THEN 'role_missing'
        WHEN r.state <> 'pending' OR r.expires_at <= clock_timestamp() THEN 'already_decided'
        WHEN p_verdict = 'withdraw' THEN NULL
        -- A code, or nothing at all: what the pages send where a form was none, so that its refusal is recorded.
        WHEN p_verdict = 'deny' THEN CASE WHEN (p_denial ~ '^[a-z_]{1,20}$') IS NOT TRUE THEN 'value_refused' END
        WHEN p_verdict IS DISTINCT FROM 'approve' THEN 'check_failed'
        WHEN (cardinality(p_categories) > 0) IS NOT TRUE THEN 'value_refused'
        WHEN q.reason IS NOT NULL THEN q.reason
        WHEN (p_categories <@ r.categories::text[] AND cardinality(p_categories) > 0
              AND p_minutes <= r.minutes) IS NOT TRUE THEN 'category_not_covered' END;
    IF reason IS NULL THEN
        stead := (SELECT x.stead FROM gatekeeper.authorities(r.member_id) x WHERE x.id = d.actor_id AND p_verdict <> 'withdraw');
        UPDATE public.gatekeeper_accessrequest x SET decided_at = clock_timestamp(), decided_by_id = d.actor_id,
            in_stead_of_id = stead,
            state = CASE p_verdict WHEN 'approve' THEN 'approved' WHEN 'deny' THEN 'denied' ELSE 'withdrawn' END,
            denial = coalesce(p_denial, '') WHERE x.id = p_request;
    END IF;
    IF reason IS NULL AND p_verdict = 'approve' THEN
        INSERT INTO public.gatekeeper_grant (request_id, member_id, account_id, ticket_id, assignment_id, signature_id,
            approver_id, purpose, categories, minutes, while_open, approved_at, open_before, openings, views,
            participants_shown, misses, end_reason)
        VALUES (r.id, r.member_id, r.account_id, r.ticket_id, r.assignment_id, q.signature, d.actor_id, r.purpose,
            p_categories, p_minutes, p_while_open, clock_timestamp(), clock_timestamp() + CASE WHEN p_while_open
                THEN make_interval(days => (limits->>'stretch_days')::int)
                ELSE make_interval(hours => (limits->>'start_hours')::int) END, 0, 0, 0, 0, '')
        RETURNING id INTO "grant";
        INSERT INTO public.gatekeeper_accountpermission (user_id, content_object_id, permission_id)
        SELECT r.member_id, r.account_id, p.id FROM public.auth_permission p
            JOIN public.django_content_type c ON c.id = p.content_type_id
        WHERE p.codename = 'view_personal_data' AND c.app_label = 'gatekeeper' AND c.model = 'account'
        -- The row that stands is locked: whoever is about to take it away sees this grant, or was first.
        ON CONFLICT (user_id, permission_id, content_object_id) DO UPDATE SET user_id = excluded.user_id;
    END IF;
    PERFORM audit.write_entry(
        CASE p_verdict WHEN 'approve' THEN 'approve' WHEN 'deny' THEN 'deny' ELSE 'withdraw' END,
        CASE WHEN reason IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', reason, 'subject', r.holder,
            'account', r.reference, 'ticket', r.ticket_number, 'ticket_kind', coalesce(q.ticket_kind, r.kind),
            'ticket_state', coalesce(q.ticket_state, r.ticket_state), 'purpose', r.purpose, 'request_id', r.id,
            'categories', CASE WHEN p_categories <@ r.categories::text[] THEN p_categories ELSE r.categories END, 'grant_id', "grant", 'details', jsonb_build_object(
                'minutes', p_minutes, 'while_open', p_while_open, 'denial', p_denial, 'holders_signature', q.signature)
                || jsonb_build_object('in_stead_of', (SELECT m.number FROM public.staff_member m WHERE m.id = stead))));
END $$;

CREATE OR REPLACE FUNCTION gatekeeper.open_grant(
    p_digest bytea, p_context jsonb, p_grant bigint, p_account text, OUT reason text, OUT codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
BEGIN
    -- Where no account is named, it is the grant's, if that is the member's own.
    d := gatekeeper.decide(p_digest, 'open', coalesce(p_account, (
        SELECT a.reference FROM public.gatekeeper_grant g JOIN public.gatekeeper_account a ON a.id = g.account_id
            JOIN public.staff_session s ON s.member_id = g.member_id AND s.digest = p_digest
        WHERE g.id = p_grant)), p_grant => p_grant);
    reason := d.reason;
    codes := d.codes;
    IF reason IS NOT NULL THEN
        PERFORM audit.write_entry('start', 'refused', audit.context(p_context) || to_jsonb(d));
    ELSIF (d.window_ends_at > clock_timestamp()) IS NOT TRUE THEN  -- open already: nothing to do
        PERFORM gatekeeper.start_window(p_grant, audit.context(p_context) || to_jsonb(d));
    END IF;
END $$;

-- One's own, or anybody's: a manager, a reviewer or a people officer may end any grant.
CREATE OR REPLACE FUNCTION gatekeeper.end_grant(p_digest bytea, p_context jsonb, p_grant bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    own boolean := EXISTS (SELECT FROM public.gatekeeper_grant g JOIN public.staff_session s ON s.member_id = g.member_id
                           WHERE g.id = p_grant AND s.digest = p_digest);
BEGIN
    d := staff.authorize(p_digest, CASE WHEN own THEN 'own' ELSE 'end' END);
    IF d.reason IS NOT NULL THEN
        PERFORM audit.write_entry(CASE WHEN own THEN 'end' ELSE 'revoke' END, 'refused',
            audit.context(p_context) || to_jsonb(d) || jsonb_build_object('grant_id', p_grant));
        RETURN d.reason;
    END IF;
    PERFORM gatekeeper.end_grants(ARRAY[p_grant], CASE WHEN own THEN 'ended' ELSE 'revoked' END, d.actor_id,
        audit.context(p_context) || to_jsonb(d));
    RETURN '';
END $$;

REVOKE ALL ON FUNCTION
    gatekeeper.ask(bytea, jsonb, text, text, text, text[], integer, boolean, text, bytea),
    gatekeeper.decide_request(bytea, jsonb, bigint, text, text[], integer, boolean, text),
    gatekeeper.judge_asked(bigint, text[], boolean), gatekeeper.judge_request(bigint),
    gatekeeper.open_grant(bytea, jsonb, bigint, text), gatekeeper.end_grant(bytea, jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    gatekeeper.ask(bytea, jsonb, text, text, text, text[], integer, boolean, text, bytea),
    gatekeeper.decide_request(bytea, jsonb, bigint, text, text[], integer, boolean, text),
    gatekeeper.judge_request(bigint),
    gatekeeper.open_grant(bytea, jsonb, bigint, text), gatekeeper.end_grant(bytea, jsonb, bigint) TO gatekeeper_web;
