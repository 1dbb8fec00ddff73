-- As: gatekeeper_watch
-- Wants: a review that is decided, without a reviewer.
-- Verdict: refused
SELECT gatekeeper.decide_review(:digest, '{"cid": "c-1"}'::jsonb, 1, 'in_order', NULL);
