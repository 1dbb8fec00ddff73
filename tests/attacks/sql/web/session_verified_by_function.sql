-- As: gatekeeper_web
-- Wants: a second factor that was not proved, by the function that notes it.
-- Verdict: refused
SELECT staff.verify_session(:digest, sha256('mine'), '{"cid": "c-1"}', 'totp', 0, 'step-up');
