-- As: gatekeeper_web
-- Wants: the hashes of members' passwords, to try guesses elsewhere.
-- Verdict: refused
SELECT password FROM public.staff_member;
