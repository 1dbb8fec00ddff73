-- As: gatekeeper_web
-- Wants: the wrapped data keys of all accounts.
-- Verdict: refused
SELECT vault.stored(ARRAY[:account, :other]);
