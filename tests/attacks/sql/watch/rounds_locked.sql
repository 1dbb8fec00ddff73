-- As: gatekeeper_watch
-- Wants: a lock before which the rules wait, held beside their own run.
-- Verdict: refused
BEGIN;
LOCK TABLE public.audit_round IN ACCESS EXCLUSIVE MODE;
