-- As: gatekeeper_web
-- Wants: the manager's role for the consultant.
-- Verdict: refused
UPDATE public.staff_member SET roles = '{consultant,manager}' WHERE id = :member;
