-- As: gatekeeper_web
-- Wants: an open ticket of another account, assigned to the consultant.
-- Verdict: refused
SELECT gatekeeper.apply_tickets('[]'::jsonb, 'attack');
