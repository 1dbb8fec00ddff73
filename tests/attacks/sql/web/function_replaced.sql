-- As: gatekeeper_web
-- Wants: a writer of the log that writes nothing.
-- Verdict: refused
CREATE OR REPLACE FUNCTION audit.write_entry(p_event text, p_outcome text, p_facts jsonb)
RETURNS bigint LANGUAGE sql AS $$
    SELECT 1::bigint;
$$;
