-- As: gatekeeper_watch
-- Wants: a round that says all entries to come are judged.
-- Verdict: refused
INSERT INTO public.audit_round (system, horizon, lowest, done_at)
SELECT (pg_control_system()).system_identifier, '999999999', 999999999, now();
