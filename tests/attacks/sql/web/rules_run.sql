-- As: gatekeeper_web
-- Wants: rounds of the pages' own.
-- Verdict: refused
SELECT vault.judge('attack', 100);
