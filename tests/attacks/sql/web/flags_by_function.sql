-- As: gatekeeper_web
-- Wants: flags and reviews for entries of one's own choice.
-- Verdict: refused
SELECT gatekeeper.flag(ARRAY[1]::bigint[], 'attack');
