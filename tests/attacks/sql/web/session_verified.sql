-- As: gatekeeper_web
-- Wants: a second factor that was not proved.
-- Verdict: refused
UPDATE public.staff_session SET verified_at = now() WHERE id = :session;
