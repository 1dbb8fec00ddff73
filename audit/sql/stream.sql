-- The stream to a SIEM: where it goes, and up to which leaf it has gone.

-- Up to which leaf a target has the log. For a target that is new to us that is none, and that the log goes
-- there from now on is an entry; the one before it is forgotten. Sending itself is none: each batch would
-- make the next. The name of a target holds no secret (audit/receivers.py refuses one that does).
CREATE OR REPLACE FUNCTION vault.begin_stream(p_target text, p_source text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO public.audit_stream (target, place, failure) VALUES (p_target, 0, '') ON CONFLICT DO NOTHING;
    IF FOUND THEN
        DELETE FROM public.audit_stream s WHERE s.target <> p_target;
        PERFORM vault.write_entry('export', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'details', jsonb_build_object('what', 'stream', 'target', left(p_target, 200))));
    END IF;
    RETURN (SELECT s.place FROM public.audit_stream s WHERE s.target = p_target);
END $$;

REVOKE ALL ON FUNCTION vault.begin_stream(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.begin_stream(text, text) TO gatekeeper_web;
