-- As: gatekeeper_web
-- Wants: a colleague's ticket that is shut.
-- Verdict: refused
SELECT vault.shut_ticket(:ticket, now(), 'helpdesk');
