-- As: gatekeeper_vault
-- Wants: values whose record is rolled back.
-- Verdict: nothing: (None,
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT wrapped_key FROM vault.release_view(:digest, '{"cid": "c-1"}'::jsonb,
    (SELECT entry FROM vault.record_view(:digest, '{"cid": "c-1"}'::jsonb, :account, :grant, ARRAY['contact.name'], false, NULL)));
ROLLBACK;
