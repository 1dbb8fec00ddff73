-- As: gatekeeper_people
-- Wants: roles of one's choice.
-- Verdict: refused
UPDATE public.staff_member SET roles = '{people}';
