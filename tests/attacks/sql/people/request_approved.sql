-- As: gatekeeper_people
-- Wants: an approval, by functions of the pages.
-- Verdict: refused
SELECT gatekeeper.decide_request(:digest, '{"cid": "c-1"}'::jsonb, :request, 'approve', ARRAY['contact'], 60, false, '');
