-- As: gatekeeper_vault
-- Wants: values of one's own in place of a customer's.
-- Verdict: refused
SELECT vault.store_accounts('[]', 'x');
