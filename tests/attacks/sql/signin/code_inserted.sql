-- As: gatekeeper_signin
-- Wants: a recovery code of one's own on somebody's sheet.
-- Verdict: refused: changes with its entry alone
INSERT INTO public.staff_recoverycode (device_id, digest)
SELECT d.id, sha256('mine') FROM public.staff_recoverydevice d WHERE d.user_id = :manager;
