-- As: gatekeeper_web
-- Wants: a password's hash letter by letter, by what is sorted before it.
-- Verdict: refused
SELECT number FROM public.staff_member WHERE password > 'argon2$argon2id$v=19$m' ORDER BY password;
