-- As: gatekeeper_vault
-- Wants: a decision by how things stood before a closing.
-- Verdict: nothing: check_failed
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT reason FROM vault.record_view(:digest, '{"cid": "c-1"}'::jsonb, :account, :grant, ARRAY['contact.name'], false, NULL);
