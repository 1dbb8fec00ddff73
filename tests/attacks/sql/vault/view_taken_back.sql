-- As: gatekeeper_vault
-- Wants: a refusal beside somebody's view, which a report would take for a view that was not shown.
-- Verdict: nothing: record_failed
SELECT reason FROM vault.release_view(NULL, '{"cid": "c-1"}'::jsonb, :entry);
