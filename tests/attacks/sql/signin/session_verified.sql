-- As: gatekeeper_signin
-- Wants: a session that counts as verified without a factor's entry.
-- Verdict: refused
UPDATE public.staff_session SET verified_at = now() WHERE id = :session;
