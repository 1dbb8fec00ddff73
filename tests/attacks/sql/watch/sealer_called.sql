-- As: gatekeeper_watch
-- Wants: an era of the seal's own.
-- Verdict: refused
SELECT audit.begin_era('x', 'attack');
