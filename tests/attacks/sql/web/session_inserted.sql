-- As: gatekeeper_web
-- Wants: a verified session of the consultant's.
-- Verdict: refused
INSERT INTO public.staff_session (digest, member_id, started_at, last_seen_at, verified_at, factor, user_agent, data)
VALUES (sha256('mine'), :member, now(), now(), now(), 'totp', '', '{}');
