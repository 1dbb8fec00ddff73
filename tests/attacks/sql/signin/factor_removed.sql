-- As: gatekeeper_signin
-- Wants: somebody without a factor, and no entry of it.
-- Verdict: refused: changes with its entry alone
DELETE FROM public.staff_totpdevice WHERE user_id = :manager;
