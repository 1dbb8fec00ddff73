-- As: gatekeeper_signin
-- Wants: somebody without their recovery codes, and no entry of it.
-- Verdict: refused: changes with its entry alone
BEGIN;
DELETE FROM public.staff_recoverycode;
DELETE FROM public.staff_recoverydevice WHERE user_id = :manager;
COMMIT;
