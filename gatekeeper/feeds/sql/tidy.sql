-- Tidies what time alone has ended. Nothing waits for it: the gate judges time itself.
CREATE OR REPLACE FUNCTION gatekeeper.tidy(OUT grants integer, OUT requests integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    over bigint[];
    facts jsonb := '{"source": "tidy"}';
BEGIN
    -- A signed message counts for five minutes only; its identifier need not be kept for ever.
    DELETE FROM public.gatekeeper_delivery x WHERE x.received_at < at - interval '1 day';
    PERFORM staff.forget_attempts();
    PERFORM gatekeeper.forget_days();
    PERFORM staff.expire_suspensions(NULL);
    PERFORM staff.expire_proposals(NULL);
    PERFORM gatekeeper.note_contact('tidy');
    requests := gatekeeper.expire_requests(ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r
        WHERE r.state = 'pending' AND r.expires_at <= at), 'lapsed');
    over := ARRAY(SELECT g.id FROM public.gatekeeper_grant g
        WHERE g.ended_at IS NULL AND (NOT coalesce(g.window_ends_at > at, false)
                AND (g.open_before <= at OR (g.opened_at IS NOT NULL AND NOT g.while_open))
            OR staff.signature_ends(g.signature_id) <= at OR gatekeeper.approval_ends(g.member_id, g.approver_id) <= at));
    PERFORM gatekeeper.lock_endings('{}', over);
    grants := gatekeeper.end_grants(ARRAY(SELECT g.id FROM public.gatekeeper_grant g
            JOIN public.staff_signature n ON n.id = g.signature_id
        WHERE g.id = ANY (over) AND n.valid_until <= at), 'nda_expired', NULL, facts);
    grants := grants + gatekeeper.end_grants(ARRAY(SELECT g.id FROM public.gatekeeper_grant g
        WHERE g.id = ANY (over) AND staff.signature_ends(g.signature_id) <= at), 'nda_old_version', NULL, facts);
    grants := grants + gatekeeper.end_grants(ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.id = ANY (over)
        AND g.open_before > at AND (g.opened_at IS NULL OR g.while_open)), 'approver_gone', NULL, facts);
    grants := grants + gatekeeper.end_grants(over, 'expired', NULL, facts);  -- those that are still there
END $$;

REVOKE ALL ON FUNCTION gatekeeper.tidy() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.tidy() TO gatekeeper_web;
