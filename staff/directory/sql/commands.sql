-- What commands do about members from the server's terminal; a role of its own calls these and
-- staff.apply_members (people.sql), and nothing else. A command has no session: it says what it is and who ran
-- it (p_source), and does no more than a function here does. What opens something up it only proposes, once
-- anybody has signed in.

-- The first people: two people officers and two administrators, whom nobody can invite or confirm yet. They have
-- started at once, with a founder's signature, given once. Returns new; known, where that person is there and
-- has no second factor yet; enrolled, where they have one; else why nobody was founded. Founding never
-- changes anybody, and ends when anybody has signed in.
CREATE OR REPLACE FUNCTION staff.found_member(p_number text, p_name text, p_email text, p_role text, p_source text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    m public.staff_member;
    why text;
BEGIN
    PERFORM staff.lock_line(false);  -- one at a time, or two that do not see each other would make three
    SELECT x.* INTO m FROM public.staff_member x WHERE x.number = p_number;
    IF m.roles::text[] = ARRAY[p_role] AND m.email = p_email AND p_role IN ('people', 'administrator') THEN
        RETURN CASE WHEN staff.has_factor(m.id) THEN 'enrolled' ELSE 'known' END;
    END IF;
    why := CASE
        WHEN m.id IS NOT NULL OR (p_role IN ('people', 'administrator')) IS NOT TRUE THEN 'value_refused'
        WHEN staff.is_set_up() OR (SELECT count(*) FROM public.staff_member x WHERE p_role = ANY (x.roles)) >= 2 THEN 'founded'
        ELSE '' END;
    IF why = '' THEN
        SELECT x.outcome INTO STRICT why FROM staff.apply_members(jsonb_build_array(jsonb_build_object(
            'number', p_number, 'name', p_name, 'email', p_email, 'roles', jsonb_build_array(p_role), 'manager', NULL,
            'language', 'en', 'starts_on', audit.today())), p_source) x;
        IF why = 'new' THEN
            SELECT x.reason INTO STRICT why FROM staff.add_signature(staff.judge_command(p_source, p_number), '{}', NULL,
                'founding', '', clock_timestamp(), clock_timestamp(), NULL, NULL) x;
            IF why <> '' THEN
                RAISE 'a founder was not given a signature: %', why;
            END IF;
            RETURN 'new';
        END IF;
        why := 'value_refused';
    END IF;
    RETURN staff.record_act('change', staff.judge_command(p_source, NULL) || jsonb_build_object('reason', why), '{}',
        jsonb_build_object('founding', p_role));
END $$;

-- A one-time link for a member; every earlier one ends. p_digest: of its token, which the database never sees.
CREATE OR REPLACE FUNCTION staff.invite_by_command(p_number text, p_digest bytea, p_hours int, p_source text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.judge_command(p_source, coalesce(p_number, ''));
BEGIN
    IF j->>'reason' = '' AND (octet_length(p_digest) = 32 AND p_hours > 0) IS NOT TRUE THEN
        j := j || '{"reason": "value_refused"}';
    ELSIF j->>'reason' = '' THEN
        j := j || jsonb_build_object('reason', staff.apply_change((j->>'subject_id')::bigint, NULL, 'invitation',
            jsonb_build_object('digest', encode(p_digest, 'hex'), 'hours', p_hours)));
    END IF;
    RETURN staff.record_act('change', j, '{}', '{"invitation": true}');
END $$;

-- Forgets the failed sign-ins of a member, of which p_name is what the counts know them by: an HMAC that only the
-- application can make. Returns how many rows went.
CREATE OR REPLACE FUNCTION staff.open_lock(p_number text, p_name text, p_source text, OUT reason text, OUT counts integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    reason := staff.record_act('change', staff.judge_command(p_source, coalesce(p_number, '')), '{}', '{"lock": "opened"}');
    IF reason = '' THEN
        DELETE FROM public.staff_attemptcount a WHERE a.about = p_name;
        GET DIAGNOSTICS counts = ROW_COUNT;
    END IF;
END $$;

-- The entry of one run of import_staff.
CREATE OR REPLACE FUNCTION staff.record_staff_import(p_finished boolean, p_counts jsonb, p_source text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT audit.write_import('staff', p_finished, p_counts, '', p_source)
$$;

REVOKE ALL ON FUNCTION staff.found_member(text, text, text, text, text), staff.invite_by_command(text, bytea, int, text),
    staff.open_lock(text, text, text), staff.record_staff_import(boolean, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.apply_members(jsonb, text), staff.found_member(text, text, text, text, text),
    staff.invite_by_command(text, bytea, int, text), staff.open_lock(text, text, text),
    staff.record_staff_import(boolean, jsonb, text) TO gatekeeper_people;
