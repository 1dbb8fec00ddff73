-- As: gatekeeper_web
-- Wants: a colleague's ticket that is blocked.
-- Verdict: refused
SELECT gatekeeper.block_ticket(:ticket, now(), 'helpdesk');
