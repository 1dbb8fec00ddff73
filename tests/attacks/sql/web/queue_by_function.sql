-- As: gatekeeper_web
-- Wants: a queue with reviews of one's own choice.
-- Verdict: refused
SELECT gatekeeper.queue_reviews(ARRAY[1]::bigint[], 'attack');
