-- As: gatekeeper_signin
-- Wants: more for a member's day, asked by a session that was only seen.
-- Verdict: refused
SELECT request, reason FROM gatekeeper.ask_more(:digest, '{"cid": "c-1"}', true);
