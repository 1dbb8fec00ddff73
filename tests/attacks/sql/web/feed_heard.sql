-- As: gatekeeper_web
-- Wants: a helpdesk that looks alive.
-- Verdict: refused
SELECT gatekeeper.heard('x');
