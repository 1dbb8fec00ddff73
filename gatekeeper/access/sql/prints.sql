-- Whether the print of a grant may be exported, and the record that it is: by a reviewer, or by the
-- people concerned, its holder and its approver. To everybody else a grant that is there and one that is
-- not are the same. Each takes a step-up as fresh as for a signature.
CREATE OR REPLACE FUNCTION gatekeeper.print_grant(p_digest bytea, p_context jsonb, p_grant bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    g record;
    caller bigint := (SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest);
    facts jsonb;
    why text;
BEGIN
    SELECT x.id, x.member_id, x.approver_id, x.purpose, x.categories, x.request_id, b.reference, k.number AS ticket,
        k.kind, k.state, m.number AS holder, y.number AS approved_by INTO g
    FROM public.gatekeeper_grant x
        JOIN public.gatekeeper_account b ON b.id = x.account_id
        JOIN public.gatekeeper_ticket k ON k.id = x.ticket_id
        JOIN public.staff_member m ON m.id = x.member_id
        JOIN public.staff_member y ON y.id = x.approver_id
    WHERE x.id = p_grant;
    SELECT x.* INTO d FROM staff.authorize(p_digest,
        CASE caller WHEN g.member_id THEN 'own' WHEN g.approver_id THEN 'manage' ELSE 'export' END) x;
    why := coalesce(d.reason, CASE
        WHEN g.id IS NULL THEN 'grant_unknown'
        WHEN NOT EXISTS (SELECT FROM public.staff_session s, staff.limits l
                WHERE s.id = d.session AND clock_timestamp() < s.verified_at + l.factor_signing)
            THEN 'mfa_stale' ELSE '' END);
    facts := audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', why, 'grant_id', p_grant,
        'details', '{"print": "grant"}'::jsonb);
    IF why = '' THEN
        facts := facts || jsonb_build_object('account', g.reference, 'subject', g.holder, 'ticket', g.ticket, 'ticket_kind', g.kind,
            'ticket_state', g.state, 'purpose', g.purpose, 'categories', g.categories, 'request_id', g.request_id,
            'approver', g.approved_by);
    END IF;
    PERFORM audit.write_entry('export', CASE why WHEN '' THEN 'allowed' ELSE 'refused' END, facts);
    RETURN why;
END $$;

REVOKE ALL ON FUNCTION gatekeeper.print_grant(bytea, jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.print_grant(bytea, jsonb, bigint) TO gatekeeper_web;
