-- As: gatekeeper_watch
-- Wants: a run that begins again and again.
-- Verdict: refused
DELETE FROM public.audit_round;
