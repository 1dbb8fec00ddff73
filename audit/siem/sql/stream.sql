-- The stream to a SIEM: where it goes, and up to which leaf it has gone. Where it goes is a setting, which
-- apply_settings writes: no caller can name another place.

-- The one target there is. Empty: none, and the log goes nowhere. Internal.
CREATE OR REPLACE FUNCTION audit.stream_target() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(audit.limit_of('siem_target'), '')
$$;

-- Up to which leaf the target has the log. For a target that is new to us that is leaf 0, and that the log goes
-- there from now on is an entry; the one before it is forgotten. Sending itself is none: each batch would
-- make the next. The name of a target holds no secret (audit/siem/receivers.py refuses one that does).
CREATE OR REPLACE FUNCTION audit.begin_stream(p_target text, p_source text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF p_target IS DISTINCT FROM audit.stream_target() OR p_target IS NULL THEN
        RAISE insufficient_privilege USING MESSAGE = 'the log goes where the settings say: apply_settings';
    END IF;
    INSERT INTO public.audit_stream (target, place, failure) VALUES (p_target, 0, '') ON CONFLICT DO NOTHING;
    IF FOUND THEN
        DELETE FROM public.audit_stream s WHERE s.target <> p_target;
        PERFORM audit.write_entry('export', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'details', jsonb_build_object('what', 'stream', 'target', left(p_target, 200))));
    END IF;
    RETURN (SELECT s.place FROM public.audit_stream s WHERE s.target = p_target);
END $$;

-- The target has taken all leaves below this place: never fewer than before, and never more than were sealed.
CREATE OR REPLACE FUNCTION audit.stream_went(p_target text, p_place bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    UPDATE public.audit_stream s SET place = p_place, sent_at = clock_timestamp(), failed_at = NULL, failure = ''
    WHERE s.target = p_target AND p_place >= s.place
        AND p_place <= (SELECT c.size FROM public.audit_checkpoint c ORDER BY c.size DESC LIMIT 1);
    IF NOT FOUND THEN
        RAISE insufficient_privilege USING MESSAGE = 'the stream goes forward only, and not beyond the newest checkpoint';
    END IF;
END $$;

-- An attempt has failed, with these words for the page of checks.
CREATE OR REPLACE FUNCTION audit.stream_failed(p_target text, p_words text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    UPDATE public.audit_stream s SET failed_at = clock_timestamp(), failure = left(p_words, 200) WHERE s.target = p_target
$$;

REVOKE ALL ON FUNCTION audit.stream_target(), audit.begin_stream(text, text), audit.stream_went(text, bigint),
    audit.stream_failed(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.begin_stream(text, text), audit.stream_went(text, bigint),
    audit.stream_failed(text, text) TO gatekeeper_watch;
