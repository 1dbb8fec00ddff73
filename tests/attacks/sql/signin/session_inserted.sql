-- As: gatekeeper_signin
-- Wants: a session without its entry.
-- Verdict: refused
INSERT INTO public.staff_session (digest, member_id, started_at, last_seen_at, verified_at, factor, user_agent, data)
VALUES (sha256('mine'), :member, now(), now(), now(), 'totp', '', '{}');
