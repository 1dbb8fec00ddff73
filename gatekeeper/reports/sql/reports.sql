-- The customer's report (Art. 15 GDPR, C-579/21): judged and recorded here before a line of it is read, one
-- entry for each account. What leaves as a file asks for a step-up as fresh as an export's (ASVS
-- 7.5.3). Whether there is such an account a privacy officer alone is told. What was typed is kept where it
-- has the form of a reference, and nowhere else. Empty when the report may be made.
CREATE OR REPLACE FUNCTION gatekeeper.record_report(p_digest bytea, p_context jsonb, p_accounts text[], p_participant integer,
    p_since timestamptz, p_until timestamptz, p_form text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    why text;
    named text[] := ARRAY(SELECT DISTINCT x FROM unnest(p_accounts) x WHERE x ~ '^MOC-[0-9]{5,9}$' ORDER BY x LIMIT 50);
    facts jsonb;
    one text;
BEGIN
    d := staff.authorize(p_digest, 'privacy');
    why := coalesce(d.reason, CASE
        WHEN (cardinality(named) > 0 AND named @> p_accounts AND p_since < p_until AND p_form IN ('page', 'pdf', 'csv', 'zip')
            AND (p_participant IS NULL OR (p_participant > 0 AND cardinality(named) = 1))) IS NOT TRUE THEN 'value_refused'
        WHEN p_form <> 'page' AND NOT EXISTS (SELECT FROM public.staff_session s, staff.limits l
                WHERE s.id = d.session AND clock_timestamp() < s.verified_at + l.factor_signing)
            THEN 'mfa_stale'
        WHEN EXISTS (SELECT FROM unnest(named) x
                WHERE NOT EXISTS (SELECT FROM public.gatekeeper_account a WHERE a.reference = x)) THEN 'account_unknown'
        ELSE '' END);
    facts := audit.context(p_context) || to_jsonb(d) || jsonb_build_object('reason', why,
        'records', CASE WHEN why = '' AND p_participant IS NOT NULL THEN jsonb_build_array(p_participant) END,
        'details', jsonb_build_object('from', p_since, 'to', p_until,
            'form', CASE WHEN p_form IN ('page', 'pdf', 'csv', 'zip') THEN p_form END));
    FOREACH one IN ARRAY CASE WHEN cardinality(named) > 0 THEN named ELSE ARRAY[''] END LOOP
        PERFORM audit.write_entry('report', CASE why WHEN '' THEN 'allowed' ELSE 'refused' END,
            facts || jsonb_build_object('account', one));
    END LOOP;
    RETURN why;
END $$;

REVOKE ALL ON FUNCTION gatekeeper.record_report(bytea, jsonb, text[], integer, timestamptz, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.record_report(bytea, jsonb, text[], integer, timestamptz, timestamptz, text) TO gatekeeper_web;
