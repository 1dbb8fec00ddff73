-- As: gatekeeper_sealer
-- Wants: another entry under the leaf.
-- Verdict: refused
UPDATE public.audit_entry SET fields = '{contact.name}' WHERE id = :entry;
