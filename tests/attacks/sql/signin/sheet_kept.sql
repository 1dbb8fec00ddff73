-- As: gatekeeper_signin
-- Wants: recovery codes of one's own in use, without their entry.
-- Verdict: refused: changes with its entry alone
BEGIN;
INSERT INTO public.staff_recoverydevice (user_id, name, confirmed, throttling_failure_count)
VALUES (:manager, 'mine', false, 0);
UPDATE public.staff_recoverydevice SET confirmed = true WHERE name = 'mine';
COMMIT;
