-- As: gatekeeper_web
-- Wants: a lock before which the rules wait.
-- Verdict: refused
BEGIN;
LOCK TABLE public.audit_round IN SHARE MODE;
