-- As: gatekeeper_web
-- Wants: an entry of an approval that was not given.
-- Verdict: refused
INSERT INTO public.audit_entry (event, outcome, member, subject, account, object_pk, object_repr, action, changes_text)
VALUES ('approve', 'allowed', 'K-1000', :number, :account, '', '', 3, '');
