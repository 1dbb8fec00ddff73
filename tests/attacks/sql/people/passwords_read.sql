-- As: gatekeeper_people
-- Wants: the hashes of passwords.
-- Verdict: refused
SELECT password FROM public.staff_member;
