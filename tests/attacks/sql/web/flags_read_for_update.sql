-- As: gatekeeper_web
-- Wants: a lock on a flag, before which the rules wait.
-- Verdict: refused
SELECT * FROM public.audit_flag FOR UPDATE;
