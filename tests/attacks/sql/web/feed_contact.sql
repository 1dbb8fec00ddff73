-- As: gatekeeper_web
-- Wants: a helpdesk that looks alive.
-- Verdict: refused
SELECT gatekeeper.record_contact('x');
