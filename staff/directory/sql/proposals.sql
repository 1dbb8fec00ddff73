-- What opens something up takes two people (staff/README.md, 'Two persons'): one proposes, another confirms. Neither is the
-- one concerned, and nothing changes before.

-- Whether an act is still a member's, as far as roles, days, suspension and agreement say: only then their half of what
-- takes two people counts, and their links.
CREATE OR REPLACE FUNCTION staff.still_may(p_member bigint, p_act text) RETURNS boolean
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT d.codes[1] = 'passed' AND d.codes[3] = 'passed'
    FROM staff.authorize(NULL, p_act, p_lock => false, p_member => p_member) d
$$;

-- What nobody decided within its time is over. Nothing waits for this: deciding looks at the time itself.
CREATE OR REPLACE FUNCTION staff.expire_proposals(p_member bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    p record;
    expired integer := 0;
BEGIN
    FOR p IN SELECT x.id, x.fact, m.number FROM public.staff_proposal x JOIN public.staff_member m ON m.id = x.subject_id
        WHERE x.state = 'pending' AND x.expires_at <= clock_timestamp() AND (p_member IS NULL OR x.subject_id = p_member)
        ORDER BY x.id FOR NO KEY UPDATE OF x
    LOOP
        UPDATE public.staff_proposal x SET state = 'lapsed', decided_at = clock_timestamp() WHERE x.id = p.id;
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', 'gatekeeper', 'subject', p.number,
            'details', jsonb_build_object('proposal', p.id, 'fact', p.fact, 'decision', 'lapsed')));
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END $$;

-- Writes a proposal of an officer or a command, who was judged before, and whose value fits: one waits
-- for a fact and member, for seven days. The state it was made against is kept, to be compared. Whoever
-- suspended does not propose to lift it. Returns 'proposed', or the reason.
CREATE OR REPLACE FUNCTION staff.propose(p_judged jsonb, p_context jsonb, p_fact text, p_value jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := p_judged;
    subject bigint := (j->>'subject_id')::bigint;
    proposer bigint := (j->>'actor_id')::bigint;
    at timestamptz := clock_timestamp();
    before jsonb := coalesce(staff.fact_of(subject, p_fact), 'null');
    written bigint;
BEGIN
    PERFORM staff.expire_proposals(subject);
    IF p_fact = 'suspended' AND p_value = 'false' AND EXISTS (SELECT FROM public.staff_member m WHERE m.id = subject AND m.suspended_by_id = proposer) THEN
        j := j || '{"reason": "second_person"}';
    ELSIF EXISTS (SELECT FROM public.staff_proposal x WHERE x.subject_id = subject AND x.fact = p_fact AND x.state = 'pending') THEN
        j := j || '{"reason": "proposal_waits"}';
    ELSE
        INSERT INTO public.staff_proposal (subject_id, fact, before, value, source, proposed_by_id, proposed_at, expires_at, state)
        VALUES (subject, p_fact, before, p_value, coalesce(j->>'source', ''), proposer, at, at + interval '7 days', 'pending')
        RETURNING id INTO written;
    END IF;
    PERFORM staff.record_act('change', j, p_context, jsonb_build_object('proposal', written, 'proposed',
        jsonb_build_object(p_fact, CASE WHEN p_fact = 'factor' THEN p_value ELSE jsonb_build_array(before, p_value) END)));
    RETURN coalesce(nullif(j->>'reason', ''), 'proposed');
END $$;

-- The same for a line of the personnel system: a newer line takes the place of an older one's proposal,
-- one that waits already is not written twice, one that was declined not again while the line says the
-- same, and a person's own proposal stays. Returns whether something new waits.
CREATE OR REPLACE FUNCTION staff.propose_line(p_judged jsonb, p_fact text, p_value jsonb) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    subject bigint := (p_judged->>'subject_id')::bigint;
    p public.staff_proposal;
BEGIN
    PERFORM staff.expire_proposals(subject);
    UPDATE public.staff_proposal x SET state = 'withdrawn', decided_at = clock_timestamp()
    WHERE x.subject_id = subject AND x.fact = p_fact AND x.state = 'pending' AND x.source <> '' AND x.value <> p_value
    RETURNING x.* INTO p;
    IF FOUND THEN
        PERFORM staff.record_act('change', p_judged, '{}',
            jsonb_build_object('proposal', p.id, 'fact', p.fact, 'decision', 'withdrawn'));
    END IF;
    IF staff.is_current(subject, p_fact, p_value)
            OR NOT (staff.needs_second_person(subject, p_fact, p_value) OR staff.weakens_guarded_role(subject, p_fact, p_value, NULL)) THEN
        RETURN false;
    END IF;
    SELECT x.* INTO p FROM public.staff_proposal x WHERE x.subject_id = subject AND x.fact = p_fact
        AND (x.state = 'pending' OR x.source <> '') ORDER BY x.state = 'pending' DESC, x.id DESC LIMIT 1;
    IF p.state = 'pending' OR (p.state = 'declined' AND p.value = p_value) THEN
        RETURN false;
    END IF;
    RETURN staff.propose(p_judged, '{}', p_fact, p_value) = 'proposed';
END $$;

-- A second person confirms a proposal, or declines it; its proposer may take it back by declining.
-- Everything is judged again, under locks, at this moment: who decides; that they are neither concerned
-- nor the proposer, nor who suspended; that the proposer still keeps members; that the fact is as it was
-- when it was proposed, and the value still fits. What does not fit any more expires. What a command
-- proposed a people officer confirms: whoever runs commands may be an administrator. A suspension whoever may
-- suspend confirms or declines; until its hour it holds all the same. Returns the reason, empty when done.
CREATE OR REPLACE FUNCTION staff.decide_proposal(
    p_digest bytea, p_context jsonb, p_proposal bigint, p_confirm boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    p public.staff_proposal;
    j jsonb;
    actor bigint;
    decision text := CASE WHEN p_confirm IS TRUE THEN 'confirmed' ELSE 'declined' END;
    why text := '';
    suspends boolean;
BEGIN
    SELECT x.* INTO p FROM public.staff_proposal x WHERE x.id = p_proposal;
    suspends := coalesce(p.fact = 'suspended' AND p.value = 'true', false);
    -- The proposer too, before the others are judged: all members in one order.
    PERFORM staff.lock_members(ARRAY[p.subject_id],
        p.proposed_by_id || ARRAY(SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest));
    j := staff.authorize_officer(p_digest, CASE WHEN suspends THEN 'suspend' WHEN p.source <> '' AND decision = 'confirmed' THEN 'people' ELSE 'confirm' END,
        coalesce((SELECT m.number FROM public.staff_member m WHERE m.id = p.subject_id), ''));
    actor := (j->>'actor_id')::bigint;
    IF j->>'reason' = '' THEN
        SELECT x.* INTO p FROM public.staff_proposal x WHERE x.id = p_proposal FOR NO KEY UPDATE;
        IF p.state <> 'pending' THEN
            why := 'proposal_decided';
        ELSIF p.expires_at <= clock_timestamp() THEN
            why := 'proposal_lapsed';
        ELSIF decision = 'declined' THEN
            decision := CASE WHEN p.proposed_by_id = actor THEN 'withdrawn' ELSE decision END;
        ELSIF p.proposed_by_id = actor OR (p.fact = 'suspended' AND NOT suspends AND EXISTS (
                SELECT FROM public.staff_member m WHERE m.id = p.subject_id AND m.suspended_by_id = actor)) THEN
            why := 'second_person';
        ELSIF (p.source <> '' OR staff.still_may(p.proposed_by_id, CASE WHEN suspends THEN 'suspend' ELSE 'people' END)) IS NOT TRUE
                OR coalesce(staff.fact_of(p.subject_id, p.fact), 'null') <> coalesce(p.before, 'null')
                OR staff.apply_change(p.subject_id, CASE WHEN suspends THEN p.proposed_by_id ELSE actor END, p.fact, p.value) <> '' THEN
            why := 'proposal_lapsed';
        END IF;
        IF why IN ('', 'proposal_lapsed') THEN
            UPDATE public.staff_proposal x SET decided_at = clock_timestamp(),
                state = CASE WHEN why = '' THEN decision ELSE 'lapsed' END,
                decided_by_id = CASE WHEN why = '' THEN actor END WHERE x.id = p.id;
        END IF;
        j := j || jsonb_build_object('reason', why);
    END IF;
    RETURN staff.record_act('change', j, p_context, jsonb_build_object('proposal', p_proposal, 'decision', decision,
        'fact', p.fact, 'proposed_by', coalesce((SELECT m.number FROM public.staff_member m WHERE m.id = p.proposed_by_id), p.source))
        || CASE WHEN j->>'reason' = '' AND decision = 'confirmed'
                THEN jsonb_build_object(p.fact, staff.change_of_fact(p.subject_id, p.fact, p.before)) ELSE '{}' END);
END $$;

REVOKE ALL ON FUNCTION staff.still_may(bigint, text), staff.expire_proposals(bigint),
    staff.propose(jsonb, jsonb, text, jsonb), staff.propose_line(jsonb, text, jsonb),
    staff.decide_proposal(bytea, jsonb, bigint, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.decide_proposal(bytea, jsonb, bigint, boolean) TO gatekeeper_web;
