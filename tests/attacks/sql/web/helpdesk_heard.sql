-- As: gatekeeper_web
-- Wants: a silent helpdesk that counts as heard.
-- Verdict: refused
SELECT gatekeeper.heard('x');
