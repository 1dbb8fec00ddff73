-- As: gatekeeper_vault
-- Wants: a day's budget of a member that begins again.
-- Verdict: refused
UPDATE public.gatekeeper_dailybudget SET accounts = 0, fields = 0 WHERE member_id = :member;
