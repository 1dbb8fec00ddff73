-- As: gatekeeper_watch
-- Wants: what a rule would find, by its own function.
-- Verdict: refused
SELECT audit.detect_brief(ARRAY[1]::bigint[], 0);
