-- As: gatekeeper_watch
-- Wants: members' names, out of the log.
-- Verdict: refused
SELECT member_name FROM public.audit_entry;
