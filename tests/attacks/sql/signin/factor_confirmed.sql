-- As: gatekeeper_signin
-- Wants: a factor that waits for its first code in use, without its entry.
-- Verdict: refused: changes with its entry alone
BEGIN;
INSERT INTO public.staff_totpdevice (user_id, name, confirmed, encrypted_key, last_step, throttling_failure_count)
VALUES (:manager, 'mine', false, '\x00', -1, 0);
UPDATE public.staff_totpdevice SET confirmed = true WHERE name = 'mine';
COMMIT;
