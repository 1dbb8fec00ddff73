-- As: gatekeeper_web
-- Wants: the log's own writer.
-- Verdict: refused
SELECT audit.write_entry('view', 'allowed', '{"member": "K-1000"}'::jsonb);
