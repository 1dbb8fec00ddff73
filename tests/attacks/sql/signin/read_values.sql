-- As: gatekeeper_signin
-- Wants: a customer's values.
-- Verdict: refused
SELECT * FROM vault.account;
