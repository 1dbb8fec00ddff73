-- Members: what access rests on changes here alone, and each change is
-- recorded in the transaction that makes it (DESIGN §4.6). The cascades on grants are triggers
-- (gatekeeper/sql/grants.sql). Who acts is the session's member; a command acts as `p_source`, in
-- forms that only the owner may execute.

-- The end of a day in the company's time zone: dates mean their end (DESIGN §3).
CREATE OR REPLACE FUNCTION vault.end_of_day(p_day date) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT (p_day + 1)::timestamp AT TIME ZONE l.value FROM public.gatekeeper_limit l WHERE l.name = 'time_zone'
$$;

-- Whether somebody is the other, or stands above the other in the line of managers.
CREATE OR REPLACE FUNCTION vault.stands_above(p_member bigint, p_other bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH RECURSIVE above AS (
        SELECT p_other AS id
        UNION SELECT m.manager_id FROM above JOIN public.staff_member m ON m.id = above.id
    ) SELECT EXISTS (SELECT FROM above WHERE above.id = p_member)
$$;

-- Judges an officer's act on another member; returns the decision's facts, with the subject's number
-- and id. Both members are locked first, in one order: two officers who act on each other would wait
-- for each other. Nobody acts on themselves.
CREATE OR REPLACE FUNCTION vault.judge_officer(p_digest bytea, p_act text, p_number text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    subject public.staff_member;
    d record;
BEGIN
    PERFORM FROM public.staff_member m
    WHERE m.number = p_number OR m.id = (SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest)
    ORDER BY m.id FOR NO KEY UPDATE;
    SELECT m.* INTO subject FROM public.staff_member m WHERE m.number = p_number;
    SELECT x.* INTO d FROM vault.decide(p_digest, p_act) x;
    RETURN jsonb_strip_nulls(to_jsonb(d)) || jsonb_build_object(
        'subject', coalesce(subject.number, ''), 'subject_id', subject.id,
        'reason', coalesce(d.reason, CASE WHEN p_number IS NOT NULL AND subject.id IS NULL THEN 'member_unknown'
                                          WHEN subject.id = d.actor_id THEN 'not_yourself' END, ''));
END $$;

-- The same facts for a command: it has no session, and says what it is.
CREATE OR REPLACE FUNCTION vault.judge_command(p_source text, p_number text) RETURNS jsonb
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT jsonb_build_object('source', left(p_source, 80), 'subject', coalesce(m.number, ''), 'subject_id', m.id,
        'reason', CASE WHEN p_number IS NOT NULL AND m.id IS NULL THEN 'member_unknown' ELSE '' END)
    FROM (VALUES (p_number)) AS x (number) LEFT JOIN public.staff_member m ON m.number = x.number
$$;

-- Writes what was judged, and returns the reason: empty when the act was done.
CREATE OR REPLACE FUNCTION vault.record_act(p_event text, p_judged jsonb, p_context jsonb, p_details jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM vault.write_entry(p_event, CASE WHEN p_judged->>'reason' = '' THEN 'allowed' ELSE 'refused' END,
                              p_judged || vault.context(p_context) || jsonb_build_object('details', p_details));
    RETURN p_judged->>'reason';
END $$;

-- Changes one fact of a member, without judging who asks; returns why it cannot be, empty when done.
-- Suspending, leaving and resetting end the member's sessions at once (ASVS 7.4.2).
CREATE OR REPLACE FUNCTION vault.apply_change(p_member bigint, p_by bigint, p_fact text, p_value jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    m public.staff_member;
    at timestamptz := clock_timestamp();
    plain text := p_value #>> '{}';
    above bigint;
    ending boolean := false;
BEGIN
    SELECT x.* INTO m FROM public.staff_member x WHERE x.id = p_member;
    CASE p_fact
    WHEN 'suspended' THEN
        IF (jsonb_typeof(p_value) = 'boolean') IS NOT TRUE THEN RETURN 'value_refused'; END IF;
        IF (m.suspended_at IS NOT NULL) IS NOT DISTINCT FROM plain::boolean THEN RETURN 'no_change'; END IF;
        IF NOT plain::boolean AND m.suspended_by_id = p_by THEN RETURN 'second_person'; END IF;
        ending := plain::boolean;
        UPDATE public.staff_member x SET suspended_at = CASE WHEN ending THEN at END,
            suspended_by_id = CASE WHEN ending THEN p_by END WHERE x.id = m.id;
    WHEN 'starts_on' THEN
        UPDATE public.staff_member x SET starts_on = plain::date WHERE x.id = m.id;
    WHEN 'left_on' THEN
        UPDATE public.staff_member x SET left_on = plain::date WHERE x.id = m.id;
        ending := vault.end_of_day(plain::date) <= at;
    WHEN 'roles' THEN
        UPDATE public.staff_member x SET roles = ARRAY(SELECT jsonb_array_elements_text(p_value)) WHERE x.id = m.id;
    WHEN 'manager' THEN
        SELECT x.id INTO above FROM public.staff_member x WHERE x.number = plain;
        -- In a circle each would approve for the other.
        IF plain IS NOT NULL AND (above IS NULL OR vault.stands_above(m.id, above)) THEN RETURN 'value_refused'; END IF;
        UPDATE public.staff_member x SET manager_id = above WHERE x.id = m.id;
    WHEN 'factor' THEN  -- lost: the next link lets the member enrol another
        ending := true;
        UPDATE public.staff_totpdevice x SET confirmed = false WHERE x.user_id = m.id;
    WHEN 'invitation' THEN  -- the newest link alone is good
        UPDATE public.staff_invitation x SET expires_at = at WHERE x.member_id = m.id AND x.used_at IS NULL AND x.expires_at > at;
        INSERT INTO public.staff_invitation (purpose, digest, member_id, created_at, expires_at)
        VALUES ('invitation', decode(p_value->>'digest', 'hex'), m.id, at, at + make_interval(hours => least((p_value->>'hours')::int, 168)));
    ELSE RETURN 'value_refused';
    END CASE;
    IF ending THEN
        UPDATE public.staff_session x SET ended_at = at WHERE x.member_id = m.id AND x.ended_at IS NULL;
    END IF;
    RETURN '';
EXCEPTION WHEN data_exception OR check_violation OR not_null_violation THEN
    RETURN 'value_refused';  -- a date that is none, roles that do not combine: nothing was done
END $$;

-- What an entry says of a changed fact: before and after, structured values only.
CREATE OR REPLACE FUNCTION vault.fact_of(p_member bigint, p_fact text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE p_fact WHEN 'suspended' THEN to_jsonb(m.suspended_at IS NOT NULL)
        WHEN 'manager' THEN (SELECT to_jsonb(x.number) FROM public.staff_member x WHERE x.id = m.manager_id)
        ELSE to_jsonb(m)->p_fact END
    FROM public.staff_member m WHERE m.id = p_member
$$;

-- An officer changes a fact of a member: suspended (true, false), starts_on, left_on, roles, manager,
-- factor, invitation. Anybody who watches may suspend; the rest is the people officers'. Lifting a
-- suspension takes another than who suspended. Returns the reason, empty when done.
CREATE OR REPLACE FUNCTION vault.change_member(
    p_digest bytea, p_context jsonb, p_number text, p_fact text, p_value jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
    known boolean := p_fact IN ('suspended', 'starts_on', 'left_on', 'roles', 'manager', 'factor', 'invitation');
    before jsonb;
    changed jsonb;
BEGIN
    j := vault.judge_officer(p_digest, CASE WHEN p_fact = 'suspended' AND p_value = 'true' THEN 'suspend' ELSE 'people' END,
                             p_number);
    IF j->>'reason' = '' THEN
        before := vault.fact_of((j->>'subject_id')::bigint, p_fact);
        j := j || jsonb_build_object('reason',
            vault.apply_change((j->>'subject_id')::bigint, (j->>'actor_id')::bigint, p_fact, p_value));
    END IF;
    IF j->>'reason' = '' THEN
        changed := jsonb_build_array(before, vault.fact_of((j->>'subject_id')::bigint, p_fact));
    END IF;
    RETURN vault.record_act('change', j, p_context,
        jsonb_build_object(CASE WHEN known THEN p_fact ELSE 'unknown' END, CASE p_fact
            WHEN 'factor' THEN '"reset"' WHEN 'invitation' THEN '"sent"' ELSE changed END));
END $$;

-- Takes members from the personnel system: {number, name, email, roles, manager, language, starts_on},
-- e-mails normalised. Managers are found when all rows are in, for they may stand further down; one
-- whose own line was refused, or who would close a circle, is no manager: less access, never more. A
-- line that cannot be is refused by itself; one entry for each member who is new or changed. Outcomes
-- in the order of the lines. Suspension and leaving are not the import's; the language is the member's.
CREATE OR REPLACE FUNCTION vault.apply_members(p_members jsonb, p_source text) RETURNS TABLE (number text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    line jsonb;
    before jsonb;
    befores jsonb[] := '{}';
    refusal text;
    refusals text[] := '{}';
    j jsonb;
    details jsonb;
    place int := 0;
BEGIN
    -- All members and what may end with them, before the first of them is changed.
    PERFORM FROM public.staff_member m WHERE m.number IN (SELECT x->>'number' FROM jsonb_array_elements(p_members) x)
    ORDER BY m.id FOR NO KEY UPDATE;
    PERFORM vault.lock_endings(
        ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r JOIN public.staff_member m ON m.id = r.member_id
            WHERE r.state = 'pending' AND m.number IN (SELECT x->>'number' FROM jsonb_array_elements(p_members) x)),
        ARRAY(SELECT g.id FROM public.gatekeeper_grant g JOIN public.staff_member m ON m.id IN (g.member_id, g.approver_id)
            WHERE g.ended_at IS NULL AND m.number IN (SELECT x->>'number' FROM jsonb_array_elements(p_members) x)));
    FOR line IN SELECT x FROM jsonb_array_elements(p_members) x LOOP
        refusal := NULL;
        before := (SELECT to_jsonb(m) || jsonb_build_object('manager', vault.fact_of(m.id, 'manager'))
                   FROM public.staff_member m WHERE m.number = line->>'number');
        BEGIN
            INSERT INTO public.staff_member AS m (number, name, email, roles, language, starts_on, password, theme, created_at)
            SELECT line->>'number', line->>'name', line->>'email', ARRAY(SELECT jsonb_array_elements_text(line->'roles')),
                coalesce(line->>'language', 'en'), (line->>'starts_on')::date, '!', 'auto', clock_timestamp()
            ON CONFLICT ON CONSTRAINT staff_member_number_key DO UPDATE
                SET name = excluded.name, email = excluded.email, roles = excluded.roles, starts_on = excluded.starts_on
                WHERE (m.name, m.email, m.roles, m.starts_on)
                    IS DISTINCT FROM (excluded.name, excluded.email, excluded.roles, excluded.starts_on);
        EXCEPTION WHEN unique_violation THEN refusal := 'email';
            WHEN data_exception OR integrity_constraint_violation THEN refusal := 'value';
        END;
        befores := array_append(befores, before);
        refusals := array_append(refusals, refusal);
    END LOOP;

    FOR line IN SELECT x FROM jsonb_array_elements(p_members) x LOOP
        place := place + 1;
        number := line->>'number';
        before := befores[place];
        refusal := refusals[place];
        IF refusal IS NULL THEN
            j := vault.judge_command(p_source, number);
            IF line->>'manager' IS DISTINCT FROM before->>'manager' AND vault.apply_change(
                    (j->>'subject_id')::bigint, NULL, 'manager', coalesce(line->'manager', 'null')) <> '' THEN
                refusal := 'manager';
                PERFORM vault.apply_change((j->>'subject_id')::bigint, NULL, 'manager', 'null');
            END IF;
            SELECT jsonb_object_agg(x.fact, CASE WHEN x.fact IN ('name', 'email') THEN '"changed"'
                ELSE jsonb_build_array(before->x.fact, vault.fact_of((j->>'subject_id')::bigint, x.fact)) END) INTO details
            FROM unnest(ARRAY['roles', 'manager', 'starts_on', 'name', 'email']) AS x (fact)
            WHERE before->x.fact IS DISTINCT FROM coalesce(vault.fact_of((j->>'subject_id')::bigint, x.fact), 'null');
            IF details IS NOT NULL THEN
                PERFORM vault.record_act('change', j, '{}', details || jsonb_build_object('new', before IS NULL));
            END IF;
        END IF;
        outcome := CASE WHEN refusal IS NOT NULL THEN 'refused:' || refusal WHEN before IS NULL THEN 'new'
                        WHEN details IS NULL THEN 'same' ELSE 'changed' END;
        RETURN NEXT;
    END LOOP;
END $$;

REVOKE ALL ON FUNCTION vault.end_of_day(date), vault.stands_above(bigint, bigint),
    vault.judge_officer(bytea, text, text), vault.judge_command(text, text),
    vault.record_act(text, jsonb, jsonb, jsonb), vault.apply_change(bigint, bigint, text, jsonb),
    vault.fact_of(bigint, text), vault.change_member(bytea, jsonb, text, text, jsonb),
    vault.apply_members(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.change_member(bytea, jsonb, text, text, jsonb) TO gatekeeper_web;
