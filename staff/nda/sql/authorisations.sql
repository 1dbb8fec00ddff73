-- Standing authorisations to process personal data (upoważnienie, Art. 29 GDPR): documents that a people
-- officer issues and withdraws. They open nothing: the gate does not read them. Each change is recorded
-- in the transaction that makes it; the scope, which is typed, stays out of the log.

-- What was issued stays as it was; it may be withdrawn, once (staff.keep_document, staff/nda/sql/agreements.sql).
CREATE OR REPLACE TRIGGER authorisation_stays BEFORE UPDATE OR DELETE ON public.staff_authorisation
    FOR EACH ROW EXECUTE FUNCTION staff.keep_document();
CREATE OR REPLACE TRIGGER authorisation_no_truncate BEFORE TRUNCATE ON public.staff_authorisation
    FOR EACH STATEMENT EXECUTE FUNCTION staff.keep_document();

-- A people officer authorises another member, from today on at the earliest: none is written back in time.
CREATE OR REPLACE FUNCTION staff.issue_authorisation(
    p_digest bytea, p_context jsonb, p_number text, p_scope text, p_starts_on date, p_ends_on date,
    OUT authorisation bigint, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.authorize_officer(p_digest, 'people', coalesce(p_number, ''));
    at timestamptz := clock_timestamp();
    today date := audit.today();
BEGIN
    IF j->>'reason' = '' THEN
        j := j || jsonb_build_object('reason', CASE
            WHEN (length(btrim(p_scope)) BETWEEN 1 AND 500 AND p_starts_on BETWEEN today AND today + 3650
                AND (p_ends_on IS NULL OR p_ends_on BETWEEN p_starts_on AND today + 7300)) IS NOT TRUE THEN 'value_refused'
            WHEN EXISTS (SELECT FROM public.staff_member m WHERE m.id = (j->>'subject_id')::bigint AND m.left_on < today)
                THEN 'member_left' ELSE '' END);
    END IF;
    IF j->>'reason' = '' THEN
        INSERT INTO public.staff_authorisation AS a (member_id, scope, starts_on, ends_on, issued_by_id, issued_at)
        VALUES ((j->>'subject_id')::bigint, btrim(p_scope), p_starts_on, p_ends_on, (j->>'actor_id')::bigint, at)
        RETURNING a.id INTO authorisation;
    END IF;
    reason := staff.record_act('change', j, p_context, jsonb_build_object('authorisation', authorisation,
        'issued', true, 'from', p_starts_on, 'to', p_ends_on));
END $$;

-- A people officer withdraws another's; one that has run out already is left as it is.
CREATE OR REPLACE FUNCTION staff.withdraw_authorisation(p_digest bytea, p_context jsonb, p_authorisation bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.authorize_officer(p_digest, 'people', staff.authorised(p_authorisation));
    at timestamptz := clock_timestamp();
BEGIN
    IF j->>'reason' = '' THEN
        UPDATE public.staff_authorisation a SET withdrawn_at = at, withdrawn_by_id = (j->>'actor_id')::bigint
        WHERE a.id = p_authorisation AND a.withdrawn_at IS NULL AND (a.ends_on IS NULL OR audit.end_of_day(a.ends_on) > at);
        IF NOT FOUND THEN j := j || '{"reason": "no_change"}'; END IF;
    END IF;
    RETURN staff.record_act('change', j, p_context, jsonb_build_object('authorisation', p_authorisation, 'withdrawn', true));
END $$;

-- Whose an authorisation is: the number, empty (nobody's) where there is none.
CREATE OR REPLACE FUNCTION staff.authorised(p_authorisation bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT coalesce((SELECT m.number FROM public.staff_authorisation a JOIN public.staff_member m ON m.id = a.member_id
                     WHERE a.id = p_authorisation), '')
$$;

-- Records that the document is exported: by the member whose it is, or by a people officer who proves
-- step-up again. Whoever is neither is told the same of one that is there and of one that is not.
CREATE OR REPLACE FUNCTION staff.take_authorisation(p_digest bytea, p_context jsonb, p_authorisation bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
    subject text := staff.authorised(p_authorisation);
    own boolean := EXISTS (SELECT FROM public.staff_session s JOIN public.staff_member m ON m.id = s.member_id
                           WHERE s.digest = p_digest AND m.number = subject);
BEGIN
    IF own THEN
        SELECT jsonb_strip_nulls(to_jsonb(d)) || jsonb_build_object(
            'reason', CASE WHEN d.reason = 'mfa_stale' THEN '' ELSE coalesce(d.reason, '') END) INTO j
        FROM staff.authorize(p_digest, 'sign') d;  -- an act of one's own, also before the first day
    ELSE
        j := staff.judge_taking(p_digest);
        IF j->>'reason' = '' AND subject = '' THEN
            j := j || '{"reason": "authorisation_unknown"}';
        END IF;
    END IF;
    RETURN staff.record_act('export', j || jsonb_build_object('subject', subject), p_context,
        jsonb_build_object('authorisation', p_authorisation));
END $$;

REVOKE ALL ON FUNCTION staff.authorised(bigint), staff.issue_authorisation(bytea, jsonb, text, text, date, date),
    staff.withdraw_authorisation(bytea, jsonb, bigint), staff.take_authorisation(bytea, jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.issue_authorisation(bytea, jsonb, text, text, date, date),
    staff.withdraw_authorisation(bytea, jsonb, bigint), staff.take_authorisation(bytea, jsonb, bigint) TO gatekeeper_web;
