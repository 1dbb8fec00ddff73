-- As: gatekeeper_vault
-- Wants: the wrapped data keys of all accounts at once.
-- Verdict: refused
SELECT vault.stored(ARRAY[:account, :other]);
