-- As: gatekeeper_watch
-- Wants: an era of the seal's own.
-- Verdict: refused
SELECT vault.begin_era('x', 'attack');
