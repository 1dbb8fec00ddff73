-- As: gatekeeper_sealer
-- Wants: the body of an entry that is not old enough.
-- Verdict: nothing: 0
SELECT audit.retain('retention_period', 'attack', 1000);
