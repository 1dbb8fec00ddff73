-- The way back, on the database's machine: when fewer than two people officers are able to act, whoever holds the
-- setup role brings officers back by one-time links. It is recorded, and stands on every page until a reviewer has
-- seen it.

-- What keeps an officer from acting at this moment, as codes; none for one who is able to.
CREATE OR REPLACE FUNCTION staff.hindrances(p_member bigint) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record := staff.authorize(NULL, 'people', p_lock => false, p_member => p_member);
BEGIN
    RETURN array_remove(ARRAY[d.codes[1], d.codes[3]], 'passed')
        || CASE WHEN staff.has_factor(p_member) THEN '{}' ELSE '{mfa_missing}'::text[] END;
END $$;

-- Lets a member act as a people officer again, except for what they do themselves: by the link, of whose token that is
-- the digest, they set a password and a second factor, and then sign. What was before is gone; a role, a day and a
-- suspension are as an officer's must be.
CREATE OR REPLACE FUNCTION staff.bring_back(p_member bigint, p_digest bytea) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    m public.staff_member;
    change record;
    why text;
BEGIN
    SELECT x.* INTO m FROM public.staff_member x WHERE x.id = p_member;
    FOR change IN SELECT * FROM (VALUES
        ('left_on', 'null'::jsonb, coalesce(audit.end_of_day(m.left_on) <= clock_timestamp(), false)),
        ('suspended', 'false', staff.is_suspended(m.suspended_at, m.suspended_until)),
        ('starts_on', to_jsonb(audit.today()), coalesce(audit.end_of_day(m.starts_on - 1) > clock_timestamp(), true)),
        ('roles', '["people"]', true), ('factor', '"reset"', true),
        ('invitation', jsonb_build_object('digest', encode(p_digest, 'hex'), 'hours', 24), true)) x (fact, value, needed)
    LOOP
        IF change.needed THEN
            why := staff.apply_change(p_member, NULL, change.fact, change.value);
            IF why <> '' THEN
                RAISE 'an officer was not brought back: % %', change.fact, why;
            END IF;
            IF change.fact = 'suspended' THEN  -- a second person would confirm what is lifted
                PERFORM staff.drop_proposals(p_member, 'suspended', 'true');
            END IF;
        END IF;
    END LOOP;
    UPDATE public.staff_member x SET password = '!' WHERE x.id = p_member;
END $$;

-- Brings back one or two officers, so that two are able to act; only as the setup role, and only while fewer are.
-- Returns the reason ('' when done, or when it would be), who is able, and what keeps each who was named from it.
-- p_digests: of the links' tokens, in the order of p_numbers; NULL asks what would be, and writes nothing.
CREATE OR REPLACE FUNCTION staff.recover(p_numbers text[], p_digests bytea[], p_source text,
    OUT reason text, OUT able text[], OUT hindered jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    ids bigint[] := ARRAY(SELECT m.id FROM unnest(p_numbers) WITH ORDINALITY n (number, place)
        JOIN public.staff_member m ON m.number = n.number ORDER BY n.place);
    details jsonb;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed'
            OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = session_user AND r.rolsuper) THEN
        RAISE insufficient_privilege USING MESSAGE = 'officers are brought back as the setup role alone';
    END IF;
    PERFORM staff.lock_members(ids || ARRAY(SELECT m.id FROM public.staff_member m WHERE 'people' = ANY (m.roles)), '{}');
    able := ARRAY(SELECT m.number FROM public.staff_member m WHERE m.id IN (SELECT staff.able('people')) ORDER BY 1);
    SELECT jsonb_object_agg(m.number, staff.hindrances(m.id)) INTO hindered FROM public.staff_member m WHERE m.id = ANY (ids);
    reason := CASE
        WHEN cardinality(able) >= 2 THEN 'enough_able'
        WHEN cardinality(ids) <> cardinality(p_numbers) OR cardinality(ids) <> (SELECT count(DISTINCT x) FROM unnest(ids) x)
            THEN 'member_unknown'
        WHEN cardinality(ids) + cardinality(able) <> 2 OR able && p_numbers THEN 'two_needed'
        WHEN EXISTS (SELECT FROM public.staff_member m WHERE m.id = ANY (ids) AND NOT 'people' = ANY (m.roles))
            AND (SELECT count(*) FROM public.staff_member m WHERE 'people' = ANY (m.roles)) >= 2 THEN 'not_an_officer'
        ELSE '' END;
    details := jsonb_build_object('able', able, 'named', to_jsonb(ARRAY(SELECT m.number FROM public.staff_member m
        WHERE m.id = ANY (ids) ORDER BY 1)), 'hindered', hindered);
    IF p_digests IS NULL THEN
        RETURN;
    ELSIF reason <> '' THEN
        PERFORM audit.write_entry('recover', 'refused', jsonb_build_object('source', left(p_source, 80), 'reason', reason,
            'details', details));
        RETURN;
    END IF;
    FOR place IN 1 .. cardinality(ids) LOOP
        PERFORM staff.bring_back(ids[place], p_digests[place]);
        PERFORM audit.write_entry('recover', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'subject', p_numbers[place], 'details', details));
    END LOOP;
    INSERT INTO public.staff_recovery (at, source, numbers) VALUES (clock_timestamp(), left(p_source, 80), p_numbers);
END $$;

-- A reviewer has seen that officers were brought back: from now on pages say no more of it. Returns the reason.
CREATE OR REPLACE FUNCTION staff.acknowledge_recovery(p_digest bytea, p_context jsonb, p_recovery bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record := staff.authorize(p_digest, 'review');
    why text;
BEGIN
    PERFORM FROM public.staff_recovery x WHERE x.id = p_recovery AND x.acknowledged_at IS NULL FOR NO KEY UPDATE;
    why := coalesce(d.reason, CASE WHEN FOUND THEN '' ELSE 'no_change' END);
    IF why = '' THEN
        UPDATE public.staff_recovery x SET acknowledged_at = clock_timestamp(), acknowledged_by_id = d.actor_id
        WHERE x.id = p_recovery;
    END IF;
    PERFORM audit.write_entry('recover', CASE why WHEN '' THEN 'allowed' ELSE 'refused' END, audit.context(p_context)
        || to_jsonb(d) || jsonb_build_object('reason', why, 'details', jsonb_build_object('acknowledged', p_recovery)));
    RETURN why;
END $$;

REVOKE ALL ON FUNCTION staff.hindrances(bigint), staff.bring_back(bigint, bytea),
    staff.recover(text[], bytea[], text), staff.acknowledge_recovery(bytea, jsonb, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.acknowledge_recovery(bytea, jsonb, bigint) TO gatekeeper_web;
