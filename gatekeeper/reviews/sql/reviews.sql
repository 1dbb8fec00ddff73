-- Reviewing: what the rules flagged and what was drawn is queued, verdicts and answers are added, and each
-- is recorded in its transaction. Nobody reviews their own, and nothing is overwritten.

-- The grant in whose unit an entry stands: what its holder did under it, and what was decided about it. That
-- somebody else named its number (and was refused), read about it or printed it says nothing of the holder:
-- such an entry appears in the day of whoever did it. So of every number that a caller can choose.
CREATE OR REPLACE FUNCTION gatekeeper.grant_of(p_grant bigint, p_account text, p_actor bigint, p_event text, p_outcome text)
RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT g.id FROM public.gatekeeper_grant g JOIN public.gatekeeper_account a ON a.id = g.account_id
    WHERE g.id = p_grant AND a.reference = p_account
        AND (g.member_id = p_actor OR (p_outcome = 'allowed' AND p_event IN ('approve', 'end', 'revoke')))
$$;

-- Queues what these flagged entries belong to: the grant, or the actor's day where they belong to none. What
-- nobody did who was signed in (a password tried by somebody unknown) is nobody's. What is open already is told the new
-- rules; what was closed is queued again, for this was found after its verdict. What is not flagged is not
-- queued. Returns how many units it were. Internal: gatekeeper.flag.
CREATE OR REPLACE FUNCTION gatekeeper.queue_reviews(p_entries bigint[], p_source text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    zone text := audit.limit_of('time_zone');
    due timestamptz := at + make_interval(days => audit.limit_of('review_due_days')::int);
    units integer;
    days integer;
BEGIN
    INSERT INTO public.gatekeeper_review AS v (grant_id, member_id, rules, sampled, queued_at, due_at, state)
    SELECT g.id, g.member_id, array_agg(DISTINCT f.rule), false, at, due, 'waiting'
    FROM public.audit_flag f JOIN public.audit_entry e ON e.id = f.entry
        JOIN public.gatekeeper_grant g ON g.id = gatekeeper.grant_of(e.grant_id, e.account, e.actor_id, e.event, e.outcome)
    WHERE f.entry = ANY (p_entries) GROUP BY g.id ORDER BY g.id
    ON CONFLICT (grant_id) WHERE closed_at IS NULL DO UPDATE
        SET rules = ARRAY(SELECT unnest(v.rules) UNION SELECT unnest(excluded.rules) ORDER BY 1);
    GET DIAGNOSTICS units = ROW_COUNT;
    INSERT INTO public.gatekeeper_review AS v (member_id, day, rules, sampled, queued_at, due_at, state)
    SELECT m.id, (e."timestamp" AT TIME ZONE zone)::date, array_agg(DISTINCT f.rule), false, at, due, 'waiting'
    FROM public.audit_flag f JOIN public.audit_entry e ON e.id = f.entry
        JOIN public.staff_member m ON m.id = e.actor_id
    WHERE f.entry = ANY (p_entries)
        AND gatekeeper.grant_of(e.grant_id, e.account, e.actor_id, e.event, e.outcome) IS NULL
    GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (member_id, day) WHERE closed_at IS NULL AND day IS NOT NULL DO UPDATE
        SET rules = ARRAY(SELECT unnest(v.rules) UNION SELECT unnest(excluded.rules) ORDER BY 1);
    GET DIAGNOSTICS days = ROW_COUNT;
    units := units + days;
    IF units > 0 THEN
        PERFORM audit.write_entry('review', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'results', units, 'details', '{"act": "queue"}'::jsonb));
    END IF;
    RETURN units;
END $$;

-- Draws the sample of each week that has ended and has none yet. Nobody can choose it: the order is that of
-- SHA-256 over the root of the first checkpoint sealed after the week's end and the grant's number, and
-- everybody can draw it again. Without such a checkpoint it waits. Returns how many were queued.
CREATE OR REPLACE FUNCTION gatekeeper.draw_reviews(p_source text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    limits jsonb := audit.limits_of('');
    today date := (at AT TIME ZONE (limits->>'time_zone'))::date;
    newest date := date_trunc('week', today)::date - 7;
    monday date := coalesce((SELECT max(x.week) + 7 FROM public.gatekeeper_draw x), newest);
    at_work integer := (SELECT greatest(1, count(*)) FROM public.staff_member m WHERE 'reviewer' = ANY (m.roles)
        AND NOT staff.is_suspended(m.suspended_at, m.suspended_until) AND m.starts_on <= today AND (m.left_on IS NULL OR m.left_on >= today));
    most integer := at_work * (limits->>'review_weekly_cap')::int;
    c record;
    opened bigint[];
    chosen bigint[];
    made integer;
    queued integer := 0;
BEGIN
    WHILE monday <= newest LOOP
        SELECT x.size, decode(split_part(x.note, E'\n', 3), 'base64') AS root INTO c FROM public.audit_checkpoint x
        WHERE x.sealed_at >= audit.end_of_day(monday + 6) ORDER BY x.size LIMIT 1;
        EXIT WHEN c.size IS NULL;
        opened := ARRAY(SELECT DISTINCT e.grant_id FROM public.audit_entry e
                JOIN public.gatekeeper_grant g ON g.id = e.grant_id
            WHERE e.event = 'start' AND e.outcome = 'allowed'
                AND e."timestamp" >= audit.end_of_day(monday - 1) AND e."timestamp" < audit.end_of_day(monday + 6));
        chosen := ARRAY(SELECT x FROM unnest(opened) x ORDER BY sha256(c.root || int8send(x))
            LIMIT least(ceil(cardinality(opened) * (limits->>'review_sample_percent')::int / 100.0), most));
        INSERT INTO public.gatekeeper_draw (week, checkpoint, percent, cap, reviewers, population, drawn, drawn_at)
        VALUES (monday, c.size, (limits->>'review_sample_percent')::int, (limits->>'review_weekly_cap')::int, at_work,
            cardinality(opened), cardinality(chosen), at)
        ON CONFLICT DO NOTHING;
        EXIT WHEN NOT FOUND;  -- another is drawing at this moment
        -- What is open already counts as drawn, and what was reviewed in the meantime has been.
        INSERT INTO public.gatekeeper_review AS v (grant_id, member_id, rules, sampled, queued_at, due_at, state)
        SELECT g.id, g.member_id, '{}', true, at, at + make_interval(days => (limits->>'review_due_days')::int), 'waiting'
        FROM public.gatekeeper_grant g WHERE g.id = ANY (chosen)
            AND NOT EXISTS (SELECT FROM public.gatekeeper_review y WHERE y.grant_id = g.id AND y.closed_at IS NOT NULL)
        ON CONFLICT (grant_id) WHERE closed_at IS NULL DO UPDATE SET sampled = true;
        GET DIAGNOSTICS made = ROW_COUNT;
        PERFORM audit.write_entry('review', 'allowed', jsonb_build_object('source', left(p_source, 80), 'results', made,
            'details', jsonb_build_object('act', 'draw', 'week', monday, 'checkpoint', c.size,
                'population', cardinality(opened), 'drawn', cardinality(chosen))));
        queued := queued + made;
        monday := monday + 7;
    END LOOP;
    RETURN queued;
END $$;

-- The facts of a review under the names that the log has for them; all of it NULL for none.
CREATE OR REPLACE FUNCTION gatekeeper.review_facts(p_review bigint) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('account', b.reference, 'ticket', k.number, 'ticket_kind', k.kind,
        'ticket_state', k.state, 'purpose', g.purpose, 'categories', g.categories, 'request_id', g.request_id,
        'grant_id', g.id, 'approver', y.number))
    FROM public.gatekeeper_review v
        JOIN public.gatekeeper_grant g ON g.id = v.grant_id
        JOIN public.gatekeeper_account b ON b.id = g.account_id
        JOIN public.gatekeeper_ticket k ON k.id = g.ticket_id
        JOIN public.staff_member y ON y.id = g.approver_id
    WHERE v.id = p_review
$$;

-- A reviewer's verdict: in_order, question (with a note) or serious. Nobody decides about what they did, or
-- approved. Serious stands above in order, and suspends the member in the same transaction, as far as one person
-- may; after it nothing is decided any more. Both members are locked first, so of two reviewers the second sees the first.
CREATE OR REPLACE FUNCTION gatekeeper.decide_review(
    p_digest bytea, p_context jsonb, p_review bigint, p_verdict text, p_text bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz;
    j jsonb;
    v public.gatekeeper_review;
    actor bigint;
    known boolean := coalesce(p_verdict IN ('in_order', 'question', 'serious'), false);
    details jsonb := jsonb_build_object('review', p_review, 'verdict', CASE WHEN known THEN p_verdict END);
BEGIN
    j := staff.authorize_officer(p_digest, 'review', (SELECT m.number FROM public.gatekeeper_review x
        JOIN public.staff_member m ON m.id = x.member_id WHERE x.id = p_review));
    actor := (j->>'actor_id')::bigint;
    SELECT x.* INTO v FROM public.gatekeeper_review x WHERE x.id = p_review FOR NO KEY UPDATE;
    j := j || coalesce(gatekeeper.review_facts(p_review), '{}') || jsonb_build_object('reason', CASE
        WHEN j->>'reason' <> '' THEN j->>'reason'
        WHEN v.id IS NULL THEN 'review_unknown'
        WHEN EXISTS (SELECT FROM public.gatekeeper_grant g WHERE g.id = v.grant_id AND g.approver_id = actor)
            THEN 'not_yourself'
        WHEN NOT known THEN 'value_refused'
        WHEN p_verdict = 'question' AND p_text IS NULL THEN 'value_refused'
        WHEN v.state = 'serious' OR (v.state = 'in_order' AND p_verdict <> 'serious') THEN 'already_decided'
        ELSE '' END);
    IF j->>'reason' = '' THEN
        at := clock_timestamp();
        INSERT INTO public.gatekeeper_remark (review_id, kind, by_id, at, text)
        VALUES (p_review, p_verdict, actor, at, p_text);
        UPDATE public.gatekeeper_review x SET
            state = CASE p_verdict WHEN 'question' THEN 'asked' ELSE p_verdict END,
            closed_at = coalesce(x.closed_at, CASE WHEN p_verdict <> 'question' THEN at END),
            serious_at = CASE WHEN p_verdict = 'serious' THEN at END
        WHERE x.id = p_review;
        IF p_verdict = 'serious' AND NOT staff.is_current(v.member_id, 'suspended', 'true') THEN
            PERFORM staff.suspend(j, p_context, jsonb_build_object('review', p_review));
        END IF;
    END IF;
    RETURN staff.record_act('review', j, p_context, details);
END $$;

-- An answer to a question, by the member whom it is about or by their manager. To everybody else a review
-- that is there and one that is not are the same.
CREATE OR REPLACE FUNCTION gatekeeper.answer_review(p_digest bytea, p_context jsonb, p_review bigint, p_text bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    v record;
    facts jsonb;
    why text;
BEGIN
    -- Who answers only has to be at work: whichever role they hold is the one that is asked for.
    SELECT x.* INTO d FROM staff.authorize(p_digest, (
        SELECT CASE WHEN 'consultant' = ANY (m.roles) THEN 'own' WHEN 'manager' = ANY (m.roles) THEN 'manage'
            WHEN 'reviewer' = ANY (m.roles) THEN 'review' WHEN 'administrator' = ANY (m.roles) THEN 'administer'
            ELSE m.roles[1] END
        FROM public.staff_session s JOIN public.staff_member m ON m.id = s.member_id WHERE s.digest = p_digest)) x;
    SELECT x.id, x.state, m.number AS subject INTO v FROM public.gatekeeper_review x
        JOIN public.staff_member m ON m.id = x.member_id
    WHERE x.id = p_review AND d.actor_id IN (m.id, m.manager_id)
        AND EXISTS (SELECT FROM public.gatekeeper_remark y WHERE y.review_id = x.id AND y.kind = 'question')
    FOR NO KEY UPDATE OF x;
    why := coalesce(d.reason, CASE WHEN v.id IS NULL THEN 'review_unknown'
        WHEN v.state NOT IN ('asked', 'answered') THEN 'already_decided'
        WHEN p_text IS NULL THEN 'value_refused' ELSE '' END);
    facts := audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', why,
        'details', jsonb_build_object('review', p_review, 'verdict', 'answer'));
    IF why = '' THEN
        INSERT INTO public.gatekeeper_remark (review_id, kind, by_id, at, text)
        VALUES (p_review, 'answer', d.actor_id, clock_timestamp(), p_text);
        UPDATE public.gatekeeper_review x SET state = 'answered' WHERE x.id = p_review;
        facts := facts || coalesce(gatekeeper.review_facts(p_review), '{}') || jsonb_build_object('subject', v.subject);
    END IF;
    PERFORM audit.write_entry('review', CASE why WHEN '' THEN 'allowed' ELSE 'refused' END, facts);
    RETURN why;
END $$;

REVOKE ALL ON FUNCTION gatekeeper.grant_of(bigint, text, bigint, text, text), gatekeeper.queue_reviews(bigint[], text), gatekeeper.draw_reviews(text), gatekeeper.review_facts(bigint),
    gatekeeper.decide_review(bytea, jsonb, bigint, text, bytea), gatekeeper.answer_review(bytea, jsonb, bigint, bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.draw_reviews(text) TO gatekeeper_watch;
GRANT EXECUTE ON FUNCTION gatekeeper.grant_of(bigint, text, bigint, text, text),
    gatekeeper.decide_review(bytea, jsonb, bigint, text, bytea), gatekeeper.answer_review(bytea, jsonb, bigint, bytea) TO gatekeeper_web;
