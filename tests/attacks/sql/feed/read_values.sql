-- As: gatekeeper_feed
-- Wants: a customer's values.
-- Verdict: refused
SELECT * FROM vault.account;
