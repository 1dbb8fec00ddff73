-- As: gatekeeper_feed
-- Wants: an account that is restricted no longer, unrecorded.
-- Verdict: refused
UPDATE public.gatekeeper_account SET restricted_at = NULL;
