-- As: gatekeeper_vault
-- Wants: an account that the grant does not cover.
-- Verdict: nothing: ticket_missing
SELECT reason FROM vault.record_view(:digest, '{"cid": "c-1"}'::jsonb, :other, :grant, ARRAY['contact.name'], false, NULL);
