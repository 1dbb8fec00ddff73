-- As: gatekeeper_watch
-- Wants: a view that no rule has flagged.
-- Verdict: refused
DELETE FROM public.audit_flag WHERE entry = :entry;
