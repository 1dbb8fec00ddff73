-- Reading the log and taking parts of it out are entries as well (PCI DSS 10.2.1.3). Who may, staff
-- says (staff.authorize); what was asked for is kept as tokens, which the pages have parsed before.

-- Whether a session asked the same in the same words a moment ago: then it is written already. Only the member's newest
-- entries are looked at, so that it costs the same in a long log. Internal.
CREATE OR REPLACE FUNCTION gatekeeper.is_reading_recorded(p_member text, p_session bigint, p_asked jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (
        SELECT FROM (SELECT e.event, e.outcome, e.session, e.details, e."timestamp" FROM public.audit_entry e
                     WHERE e.member = p_member ORDER BY e.id DESC LIMIT 20) x
        WHERE x.event = 'search' AND x.outcome = 'allowed' AND x.session = p_session AND x.details = p_asked
            AND x."timestamp" > clock_timestamp() - interval '15 minutes')
$$;

-- Write that the log is read, before it is: one entry for each question and each row opened. A refresh, or the
-- counts that follow the rows, write no second one.
CREATE OR REPLACE FUNCTION gatekeeper.read_log(p_digest bytea, p_context jsonb, p_asked jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
BEGIN
    d := staff.authorize(p_digest, 'review');
    IF d.reason IS NULL AND (jsonb_typeof(p_asked) = 'object' AND length(p_asked::text) <= 4000) IS NOT TRUE THEN
        d.reason := 'value_refused';  -- tokens, and no room for a text
    END IF;
    IF d.reason IS NULL AND gatekeeper.is_reading_recorded(d.member, d.session, p_asked) THEN
        RETURN '';
    END IF;
    PERFORM audit.write_entry('search', CASE WHEN d.reason IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('details', p_asked));
    RETURN coalesce(d.reason, '');
END $$;

-- Write that somebody looks at their own entries, before they are shown. It takes a session that runs, with both
-- factors; no role and no agreement: they are a member's own personal data (GDPR, Art. 15).
CREATE OR REPLACE FUNCTION gatekeeper.read_own_entries(p_digest bytea, p_context jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    asked CONSTANT jsonb := '{"own": true}';
    d record;
    code text;
BEGIN
    d := staff.authorize(p_digest, 'own', p_lock => false);
    code := coalesce(d.codes[2], 'check_failed');
    IF code <> 'passed' THEN
        PERFORM audit.write_entry('search', 'refused', audit.context(p_context) || to_jsonb(d)
            || jsonb_build_object('reason', code, 'failed', ARRAY[code], 'details', asked));
        RETURN code;
    END IF;
    IF NOT gatekeeper.is_reading_recorded(d.member, d.session, asked) THEN
        PERFORM staff.record_session('search', d.session, p_context, jsonb_build_object('details', asked, 'subject', d.member));
    END IF;
    RETURN '';
END $$;

-- Write that entries are exported as a file, with how many: by a reviewer whose step-up is
-- as fresh as for a signature. Each is an entry of its own; the same file exported twice has two entries.
CREATE OR REPLACE FUNCTION gatekeeper.take_log(p_digest bytea, p_context jsonb, p_asked jsonb, p_results integer) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
BEGIN
    d := staff.authorize(p_digest, 'export');
    IF d.reason IS NULL AND (jsonb_typeof(p_asked) = 'object' AND length(p_asked::text) <= 4000) IS NOT TRUE THEN
        d.reason := 'value_refused';
    END IF;
    PERFORM audit.write_entry('export', CASE WHEN d.reason IS NULL THEN 'allowed' ELSE 'refused' END,
        audit.context(p_context) || to_jsonb(d) || jsonb_build_object('details', coalesce(p_asked, '{}'), 'results', p_results));
    RETURN coalesce(d.reason, '');
END $$;

REVOKE ALL ON FUNCTION gatekeeper.is_reading_recorded(text, bigint, jsonb), gatekeeper.read_log(bytea, jsonb, jsonb),
    gatekeeper.read_own_entries(bytea, jsonb), gatekeeper.take_log(bytea, jsonb, jsonb, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.read_log(bytea, jsonb, jsonb), gatekeeper.read_own_entries(bytea, jsonb),
    gatekeeper.take_log(bytea, jsonb, jsonb, integer) TO gatekeeper_web;
