-- As: gatekeeper_web
-- Wants: a view that another looks to have made.
-- Verdict: refused
UPDATE public.audit_entry SET member = 'K-0001' WHERE id = :entry;
