-- As: gatekeeper_web
-- Wants: an account that is gone for ever.
-- Verdict: refused
SELECT vault.erase_account(:other, 'erase_account (root)');
