-- As: gatekeeper_web
-- Wants: an approval by the consultant's own session.
-- Verdict: nothing: role_missing
SELECT gatekeeper.decide_request(:digest, '{"cid": "c-1"}'::jsonb, :request, 'approve', ARRAY['contact'], 60, false, '');
