-- As: gatekeeper_watch
-- Wants: a flag from nobody's rule, to frame somebody or to bury the queue.
-- Verdict: refused
INSERT INTO public.audit_flag (entry, rule, found_at) VALUES (:entry, 'export', now());
