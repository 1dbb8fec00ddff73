-- As: gatekeeper_web
-- Wants: a session, by the function that makes them.
-- Verdict: refused
SELECT staff.begin_session(sha256('mine'), '{"cid": "c-1"}', :member, 'password', '{}');
