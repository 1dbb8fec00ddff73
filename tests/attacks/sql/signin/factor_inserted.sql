-- As: gatekeeper_signin
-- Wants: a second factor in use, without its entry.
-- Verdict: refused: changes with its entry alone
INSERT INTO public.staff_totpdevice (user_id, name, confirmed, encrypted_key, last_step, throttling_failure_count)
VALUES (:member, 'mine', true, '\x00', -1, 0);
