-- As: gatekeeper_sealer
-- Wants: a customer's values.
-- Verdict: refused
SELECT * FROM vault.account;
