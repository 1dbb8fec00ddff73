-- Agreements and signatures (P15): versions, who signed, what proves it. Each change is recorded in the
-- transaction that makes it; the cascades on grants are triggers (gatekeeper/sql/grants.sql).

-- A new version of the agreement, required from its effective moment on. Numbers and moments only grow:
-- what an old signature is worth must not change afterwards. Returns the reason, empty when done.
CREATE OR REPLACE FUNCTION vault.add_version(
    p_judged jsonb, p_context jsonb, p_number int, p_effective_at timestamptz, p_term_days int, p_grace_days int) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := p_judged;
BEGIN
    IF j->>'reason' = '' AND ((p_number > 0 AND p_term_days BETWEEN 1 AND 3650 AND p_grace_days BETWEEN 0 AND 365
            AND isfinite(p_effective_at)) IS NOT TRUE OR EXISTS (SELECT FROM public.staff_ndaversion v
                WHERE v.number >= p_number OR v.effective_at >= p_effective_at)) THEN
        j := j || '{"reason": "value_refused"}';
    END IF;
    IF j->>'reason' = '' THEN
        INSERT INTO public.staff_ndaversion (number, effective_at, term_days, grace_days, published_by_id, published_at,
            countersigned, text_en, text_pl, sha256_en, sha256_pl)
        VALUES (p_number, p_effective_at, p_term_days, p_grace_days, (j->>'actor_id')::bigint, clock_timestamp(),
            false, '', '', sha256(''), sha256(''));
    END IF;
    RETURN vault.record_act('change', j, p_context, jsonb_build_object('nda_version', p_number,
        'effective_at', p_effective_at, 'term_days', p_term_days, 'grace_days', p_grace_days));
END $$;

-- A signature that somebody gave: valid to the end of the day on which its term runs out. Without a
-- version it is a founder's, 7 days, once, by command alone. The entry's facts of the NDA are the
-- officer's own; the subject's stand in the details.
CREATE OR REPLACE FUNCTION vault.add_signature(
    p_judged jsonb, p_context jsonb, p_version int, p_signed_at timestamptz) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := p_judged;
    founding boolean := p_version IS NULL AND j ? 'source';
    ends timestamptz;
    written bigint;
BEGIN
    IF founding THEN
        ends := p_signed_at + interval '7 days';
    ELSE
        SELECT vault.end_of_day((p_signed_at AT TIME ZONE l.value)::date + v.term_days) INTO ends
        FROM public.staff_ndaversion v JOIN public.gatekeeper_limit l ON l.name = 'time_zone' WHERE v.number = p_version;
    END IF;
    IF j->>'reason' = '' AND ((p_signed_at <= clock_timestamp() AND p_signed_at < ends) IS NOT TRUE
            OR (founding AND EXISTS (SELECT FROM public.staff_signature s WHERE s.member_id = (j->>'subject_id')::bigint))) THEN
        j := j || '{"reason": "value_refused"}';
    END IF;
    IF j->>'reason' = '' THEN
        INSERT INTO public.staff_signature (member_id, version_id, form, signed_at, valid_until, entered_by_id, entered_at,
            counts_from, language, withdrawn_why)
        VALUES ((j->>'subject_id')::bigint, p_version, CASE WHEN founding THEN 'founding' ELSE 'paper' END,
                p_signed_at, ends, (j->>'actor_id')::bigint, clock_timestamp(), p_signed_at, '', '') RETURNING id INTO written;
    END IF;
    RETURN vault.record_act('sign', j, p_context, jsonb_build_object(
        'signature', written, 'version', p_version, 'founding', founding, 'valid_until', ends));
END $$;

-- A people officer withdraws another's signature; the grants that rest on it end by trigger.
CREATE OR REPLACE FUNCTION vault.withdraw_signature(p_digest bytea, p_context jsonb, p_signature bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
BEGIN
    j := vault.judge_officer(p_digest, 'people', coalesce((SELECT m.number FROM public.staff_signature s
        JOIN public.staff_member m ON m.id = s.member_id WHERE s.id = p_signature), ''));
    IF j->>'reason' = '' THEN
        UPDATE public.staff_signature s SET withdrawn_at = clock_timestamp(), withdrawn_by_id = (j->>'actor_id')::bigint
        WHERE s.id = p_signature AND s.withdrawn_at IS NULL;
        IF NOT FOUND THEN j := j || '{"reason": "no_change"}'; END IF;
    END IF;
    RETURN vault.record_act('sign', j, p_context, jsonb_build_object('signature', p_signature, 'withdrawn', true));
END $$;

-- The doors for the pages. A command, as the owner, calls the two above with vault.judge_command.
CREATE OR REPLACE FUNCTION vault.publish_nda_version(p_digest bytea, p_context jsonb,
    p_number int, p_effective_at timestamptz, p_term_days int, p_grace_days int) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT vault.add_version(vault.judge_officer(p_digest, 'people', NULL), p_context,
                             p_number, p_effective_at, p_term_days, p_grace_days)
$$;
CREATE OR REPLACE FUNCTION vault.enter_signature(p_digest bytea, p_context jsonb,
    p_number text, p_version int, p_signed_at timestamptz) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT vault.add_signature(vault.judge_officer(p_digest, 'people', coalesce(p_number, '')), p_context, p_version, p_signed_at)
$$;

REVOKE ALL ON FUNCTION
    vault.add_version(jsonb, jsonb, int, timestamptz, int, int), vault.add_signature(jsonb, jsonb, int, timestamptz),
    vault.withdraw_signature(bytea, jsonb, bigint),
    vault.publish_nda_version(bytea, jsonb, int, timestamptz, int, int),
    vault.enter_signature(bytea, jsonb, text, int, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.withdraw_signature(bytea, jsonb, bigint),
    vault.publish_nda_version(bytea, jsonb, int, timestamptz, int, int),
    vault.enter_signature(bytea, jsonb, text, int, timestamptz) TO gatekeeper_web;
