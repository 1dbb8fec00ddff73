-- As: gatekeeper_signin
-- Wants: an entry of a sign-in that did not happen.
-- Verdict: refused: may not write such an entry
INSERT INTO public.audit_entry (event, outcome, actor_id, member, member_name, session, cid, factor, object_pk, object_repr, action, changes_text)
VALUES ('sign_in', 'allowed', :member, :number, 'Member', :session, 'c-1', 'totp', '', 'code', 3, '');
