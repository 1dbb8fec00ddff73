-- As: gatekeeper_web
-- Wants: a second factor of one's own.
-- Verdict: refused
INSERT INTO public.staff_totpdevice (user_id, name, confirmed, encrypted_key, last_step, throttling_failure_count)
VALUES (:member, 'mine', true, '\x00', -1, 0);
