-- As: gatekeeper_watch
-- Wants: members' names and addresses.
-- Verdict: refused
SELECT name, email FROM public.staff_member;
