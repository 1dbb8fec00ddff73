-- As: gatekeeper_web
-- Wants: an entry of a sign-in that did not happen, so that no rule sees the session.
-- Verdict: refused
INSERT INTO public.audit_entry (event, outcome, actor_id, member, member_name, session, cid, factor, object_pk, object_repr, action, changes_text)
VALUES ('sign_in', 'allowed', :member, :number, 'Member', :session, 'c-1', 'totp', '', 'code', 3, '');
