-- As: gatekeeper_watch
-- Wants: the salts under which the log's leaves are made, to guess a customer's part.
-- Verdict: refused
SELECT salts FROM public.audit_entry;
