-- As: gatekeeper_signin
-- Wants: a session verified by a factor that its member does not have.
-- Verdict: nothing: False
SELECT staff.verify_session(:digest, sha256('mine'), '{"cid": "c-1"}', 'totp', 0, 'step-up');
