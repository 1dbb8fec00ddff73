-- As: gatekeeper_web
-- Wants: a grant that nobody approved.
-- Verdict: refused
INSERT INTO public.gatekeeper_grant (request_id, member_id, account_id, ticket_id, assignment_id, signature_id,
    approver_id, purpose, categories, minutes, while_open, approved_at, open_before, openings, views,
    participants_shown, misses, end_reason)
SELECT g.request_id, g.member_id, a.id, g.ticket_id, g.assignment_id, g.signature_id, g.approver_id, g.purpose,
    g.categories, g.minutes, g.while_open, now(), now() + interval '8 hours', 0, 0, 0, 0, ''
FROM public.gatekeeper_grant g, public.gatekeeper_account a WHERE g.id = :grant AND a.reference = :other;
