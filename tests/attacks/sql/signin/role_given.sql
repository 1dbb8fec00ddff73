-- As: gatekeeper_signin
-- Wants: another role for a member.
-- Verdict: refused
UPDATE public.staff_member SET roles = '{reviewer}' WHERE id = :member;
