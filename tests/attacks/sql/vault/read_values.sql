-- As: gatekeeper_vault
-- Wants: a customer's values, past the gate.
-- Verdict: refused
SELECT * FROM vault.account;
