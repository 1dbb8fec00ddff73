-- As: gatekeeper_web
-- Wants: consents that still run.
-- Verdict: refused
UPDATE public.gatekeeper_account SET support_until = NULL, restricted_at = NULL;
