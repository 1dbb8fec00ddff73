-- As: gatekeeper_sealer
-- Wants: an entry of something that did not happen.
-- Verdict: refused
INSERT INTO public.audit_entry (event, outcome, member, object_pk, object_repr, action, changes_text)
VALUES ('sign_out', 'allowed', :number, '', '', 3, '');
