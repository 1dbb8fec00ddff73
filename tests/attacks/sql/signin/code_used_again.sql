-- As: gatekeeper_signin
-- Wants: a recovery code to count once more.
-- Verdict: refused: changes with its entry alone
UPDATE public.staff_recoverycode SET used_at = NULL;
