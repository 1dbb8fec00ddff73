-- As: gatekeeper_signin
-- Wants: a one-time link, without its entry.
-- Verdict: refused: changes with its entry alone
INSERT INTO public.staff_invitation (purpose, digest, member_id, created_at, expires_at)
VALUES ('invitation', sha256('mine'), :manager, now(), now() + interval '1 day');
