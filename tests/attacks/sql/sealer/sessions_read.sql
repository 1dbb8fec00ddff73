-- As: gatekeeper_sealer
-- Wants: sessions' digests.
-- Verdict: refused
SELECT digest FROM public.staff_session;
