-- As: gatekeeper_people
-- Wants: an entry of a view that did not happen.
-- Verdict: refused
INSERT INTO public.audit_entry (event, outcome, member, account, object_pk, object_repr, action, changes_text)
VALUES ('view', 'allowed', :number, :account, '', '', 3, '');
