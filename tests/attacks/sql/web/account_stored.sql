-- As: gatekeeper_web
-- Wants: an account with a consent that nobody gave.
-- Verdict: refused
UPDATE public.gatekeeper_account SET participants_since = now() WHERE reference = :account;
