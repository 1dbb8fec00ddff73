-- As: gatekeeper_vault
-- Wants: sessions' digests, to call as others.
-- Verdict: refused
SELECT digest FROM public.staff_session;
