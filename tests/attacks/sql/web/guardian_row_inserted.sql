-- As: gatekeeper_web
-- Wants: the row without which the gate is shut, for another account.
-- Verdict: refused
INSERT INTO public.gatekeeper_accountpermission (user_id, permission_id, content_object_id)
SELECT p.user_id, p.permission_id, a.id FROM public.gatekeeper_accountpermission p, public.gatekeeper_account a
WHERE a.reference = :other;
