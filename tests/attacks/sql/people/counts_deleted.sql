-- As: gatekeeper_people
-- Wants: all counts of failed sign-ins forgotten, unrecorded.
-- Verdict: refused
DELETE FROM public.staff_attemptcount;
