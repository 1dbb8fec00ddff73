-- As: gatekeeper_vault
-- Wants: the values of an account, under another's view.
-- Verdict: nothing: record_failed
SELECT reason FROM vault.release_view(sha256('mine'), '{"cid": "c-1"}'::jsonb, :entry);
