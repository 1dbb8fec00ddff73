-- As: gatekeeper_web
-- Wants: an account that is restricted no longer.
-- Verdict: refused
SELECT vault.restrict_account(:account, false, 'restrict_account (root)');
