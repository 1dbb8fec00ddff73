-- As: gatekeeper_web
-- Wants: an open ticket of another account, past the helpdesk.
-- Verdict: refused
INSERT INTO public.gatekeeper_ticket (number, kind, state, accounts, assignee_id, opened_by, updated_at)
VALUES ('ZD-66666', 'support', 'open', ARRAY[:other], :member, 'customer', now());
