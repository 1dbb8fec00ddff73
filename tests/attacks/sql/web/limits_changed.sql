-- As: gatekeeper_web
-- Wants: sessions that never end, by another limit.
-- Verdict: refused
UPDATE public.audit_limit SET value = '1000000' WHERE name = 'session_hours';
