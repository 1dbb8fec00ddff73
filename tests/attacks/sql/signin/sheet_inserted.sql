-- As: gatekeeper_signin
-- Wants: a sheet of recovery codes that counts from the start, without its entry.
-- Verdict: refused: changes with its entry alone
INSERT INTO public.staff_recoverydevice (user_id, name, confirmed, throttling_failure_count)
VALUES (:manager, 'mine', true, 0);
