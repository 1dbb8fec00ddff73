-- As: gatekeeper_people
-- Wants: a log without the view.
-- Verdict: refused
DELETE FROM public.audit_entry WHERE id = :entry;
