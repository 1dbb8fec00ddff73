-- As: gatekeeper_watch
-- Wants: a customer's values.
-- Verdict: refused
SELECT * FROM vault.account;
