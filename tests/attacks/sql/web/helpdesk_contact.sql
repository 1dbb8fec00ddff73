-- As: gatekeeper_web
-- Wants: a silent helpdesk that counts as alive.
-- Verdict: refused
SELECT gatekeeper.record_contact('x');
