-- As: gatekeeper_web
-- Wants: one's own request for more today approved by oneself.
-- Verdict: nothing: role_missing
SELECT gatekeeper.decide_more(:digest, '{"cid": "c-1"}', 1, 'approve');
