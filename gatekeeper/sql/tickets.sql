-- What the helpdesk says. Access rests on it, so it is applied and recorded here alone (DESIGN §3).

-- Applies tickets as the helpdesk tells them, each number at most once in a call. Outcomes: new,
-- changed, same; older (a newer or more closed one stands); ahead (a time that cannot be: unusable,
-- the caller shuts the ticket). Who is no member of ours is nobody. An assignment runs while the ticket
-- is open, this member's and about these accounts; the update of the ticket ends the grants.
CREATE OR REPLACE FUNCTION vault.apply_tickets(p_tickets jsonb, p_source text) RETURNS TABLE (number text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    i record;  -- as it comes in
    t record;  -- as it stands
    at timestamptz := clock_timestamp();
    told jsonb;
BEGIN
    -- All at once and in one order, or two deliveries would wait for each other.
    PERFORM FROM public.gatekeeper_ticket x
    WHERE x.number IN (SELECT y->>'number' FROM jsonb_array_elements(p_tickets) y)
    ORDER BY x.number FOR NO KEY UPDATE;
    PERFORM vault.lock_endings(
        ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r JOIN public.gatekeeper_ticket x ON x.id = r.ticket_id
            WHERE r.state = 'pending' AND x.number IN (SELECT y->>'number' FROM jsonb_array_elements(p_tickets) y)),
        ARRAY(SELECT g.id FROM public.gatekeeper_grant g JOIN public.gatekeeper_ticket x ON x.id = g.ticket_id
            WHERE g.ended_at IS NULL AND x.number IN (SELECT y->>'number' FROM jsonb_array_elements(p_tickets) y)));
    FOR i IN
        SELECT x.*, m.id AS assignee_id, m.number AS member, x.state IN ('open', 'pending') AS is_open
        FROM jsonb_to_recordset(p_tickets) AS x (number text, kind text, state text, accounts text[], assignee text,
                opened_by text, opened_at timestamptz, updated_at timestamptz, closed_at timestamptz)
            LEFT JOIN public.staff_member m ON x.assignee IN (m.number, m.email)
        ORDER BY x.number
    LOOP
        number := i.number;
        outcome := 'ahead';
        IF i.updated_at > at + interval '5 minutes' THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        INSERT INTO public.gatekeeper_ticket (number, kind, state, accounts, opened_by, updated_at)
        VALUES (i.number, i.kind, '', '{}', '', '-infinity') ON CONFLICT DO NOTHING;
        SELECT x.*, m.number AS member, x.state IN ('open', 'pending') AS is_open INTO t
        FROM public.gatekeeper_ticket x LEFT JOIN public.staff_member m ON m.id = x.assignee_id
        WHERE x.number = i.number FOR NO KEY UPDATE OF x;
        outcome := CASE
            WHEN t.state = '' THEN 'new'
            WHEN i.updated_at < t.updated_at THEN 'older'
            WHEN (t.kind, t.state, t.accounts::text[], t.assignee_id, t.opened_by, t.opened_at, t.closed_at)
                IS NOT DISTINCT FROM
                (i.kind, i.state, i.accounts, i.assignee_id, i.opened_by, i.opened_at, i.closed_at) THEN 'same'
            WHEN i.updated_at > t.updated_at OR t.state = 'unusable' THEN 'changed'
            -- Two of the same moment: the closing one wins, else the unassigning one, whichever came first.
            WHEN t.is_open AND NOT i.is_open THEN 'changed'
            WHEN t.is_open AND t.assignee_id IS NOT NULL
                AND (i.assignee_id IS DISTINCT FROM t.assignee_id OR i.accounts <> t.accounts::text[]) THEN 'unassigned'
            ELSE 'older' END;
        IF outcome = 'unassigned' THEN  -- they contradict each other: it is nobody's
            i.assignee_id := NULL;
            i.member := NULL;
            outcome := 'changed';
        END IF;
        RETURN NEXT;
        CONTINUE WHEN outcome = 'older' OR (outcome = 'same' AND i.updated_at = t.updated_at);
        UPDATE public.gatekeeper_ticket x SET kind = i.kind, state = i.state, accounts = i.accounts,
            assignee_id = i.assignee_id, opened_by = i.opened_by, opened_at = i.opened_at,
            updated_at = i.updated_at, closed_at = i.closed_at
        WHERE x.id = t.id;
        UPDATE public.gatekeeper_assignment x SET ended_at = at
        WHERE x.ticket_id = t.id AND x.ended_at IS NULL
            AND (i.is_open AND x.member_id = i.assignee_id AND x.accounts::text[] = i.accounts) IS NOT TRUE;
        INSERT INTO public.gatekeeper_assignment (ticket_id, member_id, accounts, began_at)
        SELECT t.id, i.assignee_id, i.accounts, at WHERE i.is_open AND i.assignee_id IS NOT NULL
        ON CONFLICT DO NOTHING;  -- one runs already
        SELECT jsonb_object_agg(x.fact, jsonb_build_array(x.was, x.becomes)) INTO told FROM (VALUES
            ('state', to_jsonb(nullif(t.state, '')), to_jsonb(i.state)),
            ('kind', to_jsonb(CASE t.state WHEN '' THEN i.kind ELSE t.kind END), to_jsonb(i.kind)),  -- a new one has it beside
            ('assignee', to_jsonb(t.member), to_jsonb(i.member)),
            ('accounts', to_jsonb(t.accounts), to_jsonb(i.accounts))) AS x (fact, was, becomes)
        WHERE x.was IS DISTINCT FROM x.becomes;
        IF told IS NOT NULL THEN
            PERFORM vault.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
                'ticket', i.number, 'ticket_kind', i.kind, 'ticket_state', i.state, 'subject', i.member,
                'details', told || jsonb_build_object('told_at', i.updated_at)));
        END IF;
    END LOOP;
END $$;

-- A message about a known ticket that cannot be used shuts it until a usable one comes. p_at: the
-- message's own time, or when it was sent, so that an older message does not open the ticket again.
CREATE OR REPLACE FUNCTION vault.shut_ticket(p_number text, p_at timestamptz, p_source text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    t public.gatekeeper_ticket;
BEGIN
    SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.number = p_number FOR NO KEY UPDATE;
    IF t.id IS NULL THEN
        RETURN 'unknown';
    END IF;
    UPDATE public.gatekeeper_ticket x SET updated_at = greatest(x.updated_at,
            CASE WHEN p_at IS NOT NULL THEN least(p_at, at) END),
        state = CASE WHEN x.state IN ('open', 'pending') THEN 'unusable' ELSE x.state END
    WHERE x.id = t.id;
    UPDATE public.gatekeeper_assignment x SET ended_at = at WHERE x.ticket_id = t.id AND x.ended_at IS NULL;
    IF t.state NOT IN ('open', 'pending') THEN
        RETURN 'same';
    END IF;
    PERFORM vault.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80), 'ticket', p_number,
        'ticket_kind', t.kind, 'ticket_state', 'unusable',
        'details', jsonb_build_object('state', jsonb_build_array(t.state, 'unusable'))));
    RETURN 'shut';
END $$;

-- The helpdesk was heard, authentically: a delivery, a heartbeat or a finished import.
CREATE OR REPLACE FUNCTION vault.heard() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    INSERT INTO public.gatekeeper_feed (name, heard_at) VALUES ('tickets', clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET heard_at = clock_timestamp()
$$;

REVOKE ALL ON FUNCTION vault.apply_tickets(jsonb, text), vault.shut_ticket(text, timestamptz, text), vault.heard() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.apply_tickets(jsonb, text), vault.shut_ticket(text, timestamptz, text), vault.heard() TO gatekeeper_web;
