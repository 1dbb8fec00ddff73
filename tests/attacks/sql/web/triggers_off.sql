-- As: gatekeeper_web
-- Wants: a log that takes anything, its triggers off.
-- Verdict: refused
ALTER TABLE public.audit_entry DISABLE TRIGGER ALL;
