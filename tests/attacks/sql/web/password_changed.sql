-- As: gatekeeper_web
-- Wants: a password of one's own.
-- Verdict: refused
UPDATE public.staff_member SET password = '!' WHERE id = :manager;
