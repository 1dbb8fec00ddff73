-- As: gatekeeper_web
-- Wants: another's one-time link.
-- Verdict: refused
SELECT digest FROM public.staff_invitation;
