-- As: gatekeeper_signin
-- Wants: recovery codes of one's own, in use, to be another member's.
-- Verdict: refused: changes with its entry alone
UPDATE public.staff_recoverydevice SET user_id = :member WHERE user_id = :manager;
