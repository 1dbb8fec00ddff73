-- As: gatekeeper_people
-- Wants: a customer's values.
-- Verdict: refused
SELECT * FROM vault.account;
