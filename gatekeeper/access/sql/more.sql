-- Asking for more on a day whose budget is used up, and deciding it. As with access: whoever is above the member, or
-- is a deputy, decides, nobody their own, and the word of somebody counts only while it does
-- (gatekeeper/gate/sql/approvers.sql).

-- What the log says of a member's day.
CREATE OR REPLACE FUNCTION gatekeeper.day_figures(p_member bigint, p_day date, p_request bigint) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object('request', p_request, 'day', p_day, 'accounts', coalesce(max(b.accounts), 0),
        'fields', coalesce(max(b.fields), 0), 'added', gatekeeper.more_today(p_member, p_day))
    FROM public.gatekeeper_dailybudget b WHERE b.member_id = p_member AND b.day = p_day
$$;

-- Asks, for today, unless the form could not be used. Asked twice, the request that waits is the one.
CREATE OR REPLACE FUNCTION gatekeeper.ask_more(
    p_digest bytea, p_context jsonb, p_usable boolean, OUT request bigint, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    today date;
BEGIN
    d := staff.authorize(p_digest, 'own');
    today := audit.today();
    reason := coalesce(d.reason, CASE WHEN p_usable IS NOT TRUE THEN 'value_refused'
        WHEN (gatekeeper.more_today(d.actor_id, today) < (SELECT l.more_per_day FROM staff.limits l)) IS NOT TRUE
            THEN 'no_more_today' END);
    IF reason IS NULL THEN
        SELECT x.id INTO request FROM public.gatekeeper_moretoday x
        WHERE x.member_id = d.actor_id AND x.day = today AND x.state = 'pending';
        IF request IS NOT NULL THEN
            RETURN;
        END IF;
        INSERT INTO public.gatekeeper_moretoday (member_id, day, requested_at, state)
        VALUES (d.actor_id, today, clock_timestamp(), 'pending') RETURNING id INTO request;
    END IF;
    PERFORM audit.write_entry('change', CASE WHEN reason IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', reason, 'subject', d.member,
            'details', jsonb_build_object('more_today', gatekeeper.day_figures(d.actor_id, today, request) || '{"asked": true}')));
END $$;

-- Approves, denies or (by the member) withdraws; until the company's midnight, and once. Approved, one more budget is
-- added to that day, up to the limit.
CREATE OR REPLACE FUNCTION gatekeeper.decide_more(p_digest bytea, p_context jsonb, p_request bigint, p_verdict text)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;  -- who decides
    q record;  -- who asked, as they stand now
    r public.gatekeeper_moretoday;
    l staff.limits;
    decider bigint := (SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest);
    reason text;
BEGIN
    SELECT x.* INTO r FROM public.gatekeeper_moretoday x WHERE x.id = p_request;
    PERFORM FROM public.staff_member m WHERE m.id IN (r.member_id, decider) ORDER BY m.id FOR NO KEY UPDATE;
    PERFORM gatekeeper.lock_authority(decider, NULL);
    d := staff.authorize(p_digest, CASE WHEN p_verdict = 'withdraw' THEN 'own' ELSE 'approve' END);
    q := staff.authorize(NULL, 'own', p_member => r.member_id);
    -- As it is now: whoever changes a request has locked its member.
    SELECT x.* INTO r FROM public.gatekeeper_moretoday x WHERE x.id = p_request;
    SELECT x.* INTO l FROM staff.limits x;
    reason := CASE
        WHEN d.reason IS NOT NULL THEN d.reason
        WHEN r.id IS NULL THEN 'role_missing'  -- as of another's: nobody learns which numbers there are
        WHEN p_verdict = 'withdraw' AND d.actor_id <> r.member_id THEN 'role_missing'
        WHEN p_verdict <> 'withdraw' AND d.actor_id NOT IN (SELECT gatekeeper.approvers(r.member_id)) THEN 'role_missing'
        WHEN r.state <> 'pending' OR r.day <> audit.today() THEN 'already_decided'
        WHEN p_verdict IN ('deny', 'withdraw') THEN NULL
        WHEN p_verdict IS DISTINCT FROM 'approve' THEN 'check_failed'
        WHEN q.reason IS NOT NULL THEN q.reason
        WHEN (gatekeeper.more_today(r.member_id, r.day) < l.more_per_day) IS NOT TRUE THEN 'no_more_today' END;
    IF reason IS NULL THEN
        UPDATE public.gatekeeper_moretoday x SET decided_at = clock_timestamp(), decided_by_id = d.actor_id,
            state = CASE p_verdict WHEN 'approve' THEN 'approved' WHEN 'deny' THEN 'denied' ELSE 'withdrawn' END
        WHERE x.id = p_request;
    END IF;
    PERFORM audit.write_entry('change', CASE WHEN reason IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', reason,
            'subject', (SELECT m.number FROM public.staff_member m WHERE m.id = r.member_id),
            'details', jsonb_build_object('more_today', gatekeeper.day_figures(r.member_id, r.day, p_request)
                || jsonb_build_object('in_stead_of', (SELECT m.number FROM gatekeeper.authorities(r.member_id) x
                    JOIN public.staff_member m ON m.id = x.stead WHERE x.id = d.actor_id AND p_verdict <> 'withdraw'),
                    'verdict', CASE WHEN p_verdict IN ('approve', 'deny', 'withdraw') THEN p_verdict END))));
    RETURN coalesce(reason, '');
END $$;

REVOKE ALL ON FUNCTION gatekeeper.day_figures(bigint, date, bigint),
    gatekeeper.ask_more(bytea, jsonb, boolean), gatekeeper.decide_more(bytea, jsonb, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.ask_more(bytea, jsonb, boolean), gatekeeper.decide_more(bytea, jsonb, bigint, text) TO gatekeeper_web;
