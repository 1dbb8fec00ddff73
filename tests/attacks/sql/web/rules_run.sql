-- As: gatekeeper_web
-- Wants: rounds of the pages' own.
-- Verdict: refused
SELECT gatekeeper.judge('attack', 100);
