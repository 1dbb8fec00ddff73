-- As: gatekeeper_vault
-- Wants: a view recorded for nobody.
-- Verdict: nothing: session_missing
SELECT reason FROM vault.record_view(sha256('mine'), '{"cid": "c-1"}'::jsonb, :account, :grant, ARRAY['contact.name'], false, NULL);
