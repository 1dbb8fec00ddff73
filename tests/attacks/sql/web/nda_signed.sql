-- As: gatekeeper_web
-- Wants: a signature in force that nobody gave.
-- Verdict: refused
INSERT INTO public.staff_signature (member_id, version_id, form, signed_at, counts_from, valid_until, entered_at, language, withdrawn_why)
VALUES (:member, 1, 'paper', now(), now(), now() + interval '9 years', now(), 'en', '');
