-- As: gatekeeper_feed
-- Wants: a log without the view.
-- Verdict: refused
DELETE FROM public.audit_entry WHERE id = :entry;
