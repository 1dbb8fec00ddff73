-- As: gatekeeper_signin
-- Wants: a password of one's own, without its entry.
-- Verdict: refused: changes with its entry alone
UPDATE public.staff_member SET password = '!' WHERE id = :manager;
