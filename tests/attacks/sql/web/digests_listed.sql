-- As: gatekeeper_web
-- Wants: the digests of live sessions, to call as others.
-- Verdict: refused
SELECT digest FROM public.staff_session;
