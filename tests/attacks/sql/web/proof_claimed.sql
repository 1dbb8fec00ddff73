-- As: gatekeeper_web
-- Wants: an entry of an export that did not happen.
-- Verdict: refused
SELECT audit.note_proof(ARRAY[:entry]::bigint[], 'prove (root)');
