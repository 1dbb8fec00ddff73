-- As: gatekeeper_watch
-- Wants: a tree without the leaf of an entry.
-- Verdict: refused
DELETE FROM public.audit_leaf;
