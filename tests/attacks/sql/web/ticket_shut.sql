-- As: gatekeeper_web
-- Wants: a colleague's ticket that is shut.
-- Verdict: refused
SELECT gatekeeper.shut_ticket(:ticket, now(), 'helpdesk');
