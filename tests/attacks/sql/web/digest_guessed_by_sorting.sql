-- As: gatekeeper_web
-- Wants: what a digest is, by what it is greater than.
-- Verdict: refused
SELECT id FROM public.staff_session WHERE digest > '\x80' ORDER BY digest;
