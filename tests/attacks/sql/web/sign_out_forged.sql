-- As: gatekeeper_web
-- Wants: an entry of a sign-out of a session that is not at hand.
-- Verdict: nothing: False
SELECT staff.end_session(sha256('not a key'), '{"cid": "c-1"}', '');
