-- Members: what access rests on changes here alone, and each change is
-- recorded in the transaction that makes it. What it ends in the rooms above, triggers of theirs end in the same
-- transaction. Who acts is the session's member; a command acts as `p_source`
-- (commands.sql).

-- Whether somebody is the other, or stands above the other in the line of managers.
CREATE OR REPLACE FUNCTION staff.stands_above(p_member bigint, p_other bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH RECURSIVE above AS (
        SELECT p_other AS id
        UNION SELECT m.manager_id FROM above JOIN public.staff_member m ON m.id = above.id
    ) SELECT EXISTS (SELECT FROM above WHERE above.id = p_member)
$$;

-- The roles of whoever acts, for an entry that names none: none was asked for, or none fitted; then all that they had
-- at the time.
CREATE OR REPLACE FUNCTION staff.name_roles() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.role := coalesce((SELECT left(array_to_string(m.roles, ','), 40) FROM public.staff_member m WHERE m.id = NEW.actor_id), '');
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER entry_0_roles BEFORE INSERT ON public.audit_entry
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner' AND NEW.role = '' AND NEW.actor_id IS NOT NULL)
    EXECUTE FUNCTION staff.name_roles();
ALTER TABLE public.audit_entry ENABLE ALWAYS TRIGGER entry_0_roles;

-- What is about to happen to members, told to the rooms above before it happens: a view that never has a row. Whoever
-- has something that rests on members adds a trigger of its own, and all run within the INSERT, in the order of their
-- names. News: 'change', for which is locked what may end with it; and 'returned', when somebody comes back who had left
-- at `since`: what was before ends.
CREATE OR REPLACE VIEW staff.member_news AS
    SELECT NULL::text AS news, NULL::bigint[] AS members, NULL::timestamptz AS since WHERE false;
CREATE OR REPLACE FUNCTION staff.take_news() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN NEW;  -- without a trigger a view takes nothing in
END $$;
CREATE OR REPLACE TRIGGER news_0_taken INSTEAD OF INSERT ON staff.member_news
    FOR EACH ROW EXECUTE FUNCTION staff.take_news();

-- Whoever changes who stands above whom, or the agreement, comes here one after the other, and after those who rely on
-- either at this moment (p_shared); all have locked the members before. No run-time role can lock this row.
CREATE OR REPLACE FUNCTION staff.lock_line(p_shared boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_shared THEN
        PERFORM FROM public.audit_limit x WHERE x.name = 'time_zone' FOR SHARE;
    ELSE
        PERFORM FROM public.audit_limit x WHERE x.name = 'time_zone' FOR NO KEY UPDATE;
    END IF;
END $$;

-- Judges an officer's act on another member; returns the decision's facts, with the subject's number
-- and id. Both members are locked first, in one order: two officers who act on each other would wait
-- for each other. Nobody acts on themselves.
CREATE OR REPLACE FUNCTION staff.authorize_officer(p_digest bytea, p_act text, p_number text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    subject public.staff_member;
    d record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- An older snapshot sees neither who was suspended meanwhile nor whose manager somebody became.
        RAISE 'officers act in READ COMMITTED only';
    END IF;
    PERFORM staff.lock_members(ARRAY(SELECT m.id FROM public.staff_member m WHERE m.number = p_number),
        ARRAY(SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest));
    SELECT m.* INTO subject FROM public.staff_member m WHERE m.number = p_number;
    SELECT x.* INTO d FROM staff.authorize(p_digest, p_act) x;
    RETURN jsonb_strip_nulls(to_jsonb(d)) || jsonb_build_object(
        'subject', coalesce(subject.number, ''), 'subject_id', subject.id,
        'reason', coalesce(d.reason, CASE WHEN p_number IS NOT NULL AND subject.id IS NULL THEN 'member_unknown'
                                          WHEN subject.id = d.actor_id THEN 'not_yourself' END, ''));
END $$;

-- The same facts for a command: it has no session, and says what it is.
CREATE OR REPLACE FUNCTION staff.judge_command(p_source text, p_number text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    subject public.staff_member;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE 'commands act in READ COMMITTED only';  -- as officers do
    END IF;
    SELECT m.* INTO subject FROM public.staff_member m WHERE m.number = p_number;
    RETURN jsonb_build_object('source', left(p_source, 80), 'subject', coalesce(subject.number, ''),
        'subject_id', subject.id,
        'reason', CASE WHEN p_number IS NOT NULL AND subject.id IS NULL THEN 'member_unknown' ELSE '' END);
END $$;

-- Writes what was judged, and returns the reason: empty when the act was done.
CREATE OR REPLACE FUNCTION staff.record_act(p_event text, p_judged jsonb, p_context jsonb, p_details jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM audit.write_entry(p_event, CASE WHEN p_judged->>'reason' = '' THEN 'allowed' ELSE 'refused' END,
                              p_judged || audit.context(p_context) || jsonb_build_object('details', p_details));
    RETURN p_judged->>'reason';
END $$;

-- What an entry says of a fact, and what a proposal is compared with: structured values only. Of a suspension whether
-- it counts until it is lifted, or until when.
CREATE OR REPLACE FUNCTION staff.fact_of(p_member bigint, p_fact text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE p_fact WHEN 'suspended' THEN CASE WHEN NOT staff.is_suspended(m.suspended_at, m.suspended_until) THEN 'false'
            ELSE coalesce(to_jsonb(m.suspended_until), 'true') END
        WHEN 'manager' THEN (SELECT to_jsonb(x.number) FROM public.staff_member x WHERE x.id = m.manager_id)
        ELSE to_jsonb(m)->p_fact END
    FROM public.staff_member m WHERE m.id = p_member
$$;

-- Whether a fact of a member can have a value at all. NULL where it is not known: to be read as no.
CREATE OR REPLACE FUNCTION staff.value_fits(p_member bigint, p_fact text, p_value jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    plain text := p_value #>> '{}';
    is_text boolean := jsonb_typeof(p_value) = 'string';
BEGIN
    RETURN CASE
        WHEN p_fact = 'suspended' THEN jsonb_typeof(p_value) = 'boolean'
        WHEN p_fact = 'roles' THEN jsonb_typeof(p_value) = 'array' AND (p_value <@ '["consultant", "manager"]'
            OR (jsonb_array_length(p_value) = 1 AND p_value <@ '["reviewer", "people", "privacy", "administrator"]'))
        -- In a circle each would approve for the other.
        WHEN p_fact = 'manager' THEN p_value = 'null' OR (is_text AND EXISTS (
            SELECT FROM public.staff_member x WHERE x.number = plain AND NOT staff.stands_above(p_member, x.id)))
        WHEN p_fact IN ('starts_on', 'left_on') THEN p_value = 'null'
            OR (is_text AND plain ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' AND plain::date IS NOT NULL)
        WHEN p_fact = 'name' THEN is_text AND length(plain) BETWEEN 1 AND 200 AND plain = btrim(plain)
            AND plain !~ '[[:cntrl:]]'
        WHEN p_fact = 'email' THEN is_text AND length(plain) <= 254 AND plain ~ '^[^@[:space:]]+@[^@[:space:]]+$'
            AND plain = lower(plain) AND octet_length(plain) = length(plain)
        WHEN p_fact = 'language' THEN is_text AND plain IN ('en', 'pl')
        WHEN p_fact = 'factor' THEN p_value = '"reset"'
        WHEN p_fact = 'invitation' THEN jsonb_typeof(p_value) = 'object'
        ELSE false END;
EXCEPTION WHEN data_exception THEN
    RETURN false;  -- a date that is not one
END $$;

-- Whether the fact has this value already. A reset and a link are acts, and never so already.
CREATE OR REPLACE FUNCTION staff.is_current(p_member bigint, p_fact text, p_value jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE WHEN p_fact IN ('factor', 'invitation') THEN false
        WHEN p_fact = 'roles' THEN x.now @> p_value AND x.now <@ p_value ELSE x.now = p_value END
    FROM (SELECT coalesce(staff.fact_of(p_member, p_fact), 'null') AS now) x
$$;

-- Whether a change that fits opens something up, so that a second person has to confirm it (staff/README.md, 'Two persons'):
-- a role beyond consultant, whose manager somebody is, a suspension lifted, lost factors forgotten, and
-- a member back who had left. The rest closes, or is harmless.
CREATE OR REPLACE FUNCTION staff.needs_second_person(p_member bigint, p_fact text, p_value jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE p_fact
        WHEN 'roles' THEN EXISTS (SELECT FROM jsonb_array_elements_text(p_value) x
                                  WHERE x <> 'consultant' AND x <> ALL (m.roles::text[]))
        WHEN 'manager' THEN true
        WHEN 'suspended' THEN p_value = 'false'
        WHEN 'factor' THEN true
        WHEN 'left_on' THEN coalesce(audit.end_of_day(m.left_on) <= clock_timestamp(), false)
            AND coalesce(audit.end_of_day((p_value #>> '{}')::date) > clock_timestamp(), true)
        ELSE false END
    FROM public.staff_member m WHERE m.id = p_member
$$;

-- The member's second factors are gone; the next one-time link lets them set up others. Deleted, not
-- switched off: a key that was lost must not be found again.
CREATE OR REPLACE FUNCTION staff.forget_factors(p_member bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    DELETE FROM public.django_otp_webauthn_webauthnattestation x
        USING public.django_otp_webauthn_webauthncredential c WHERE c.id = x.credential_id AND c.user_id = p_member;
    DELETE FROM public.django_otp_webauthn_webauthncredential x WHERE x.user_id = p_member;
    DELETE FROM public.staff_recoverycode x USING public.staff_recoverydevice d
        WHERE d.id = x.device_id AND d.user_id = p_member;
    DELETE FROM public.staff_recoverydevice x WHERE x.user_id = p_member;
    DELETE FROM public.staff_totpdevice x WHERE x.user_id = p_member;
$$;

-- A returning member starts from nothing: what they had before does not revive. What had merely expired is ended here: password, factors,
-- what rests on them in the rooms above, signatures and authorisations (at the end of the last day, as the registers of
-- any date need it), and every role that only two people give; sessions and links by the caller.
CREATE OR REPLACE FUNCTION staff.reset_returning_member(p_member bigint, p_left_on date, p_by bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    over timestamptz := audit.end_of_day(p_left_on);
BEGIN
    UPDATE public.staff_proposal x SET state = 'lapsed', decided_at = at
    WHERE x.subject_id = p_member AND x.state = 'pending' AND x.fact <> 'left_on';
    PERFORM staff.forget_factors(p_member);
    PERFORM FROM public.staff_signature x WHERE x.member_id = p_member ORDER BY x.id FOR NO KEY UPDATE;
    INSERT INTO staff.member_news (news, members, since) VALUES ('returned', ARRAY[p_member], over);
    -- One given after a last day that was set back ends now: it was given before the coming back.
    UPDATE public.staff_signature x SET withdrawn_why = 'left', withdrawn_by_id = p_by,
        withdrawn_at = CASE WHEN x.signed_at < over THEN over ELSE at END
    WHERE x.member_id = p_member AND x.withdrawn_at IS NULL;
    UPDATE public.staff_authorisation x SET withdrawn_at = over, withdrawn_by_id = p_by
    WHERE x.member_id = p_member AND x.withdrawn_at IS NULL;
    UPDATE public.staff_member x SET password = '!',
        roles = ARRAY(SELECT y FROM unnest(x.roles) y WHERE y = 'consultant') WHERE x.id = p_member;
END $$;

-- A member's one-time links are over: those that wait, and the right of who has just used one to set up a second
-- factor.
CREATE OR REPLACE FUNCTION staff.end_links(p_member bigint) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    UPDATE public.staff_invitation x SET expires_at = clock_timestamp()
    WHERE x.member_id = p_member AND x.expires_at > clock_timestamp()
$$;

-- Whether a link is good now, used or not: inside its time, its member not barred, and whoever made it still
-- keeps members, because they have seen it or could have. A command's, and one that was asked for by mail, has
-- nobody. Each step that rests on a link asks again.
CREATE OR REPLACE FUNCTION staff.is_good_link(p_link bigint) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.staff_invitation x WHERE x.id = p_link AND x.expires_at > clock_timestamp()
        AND NOT staff.is_barred(x.member_id) AND (x.made_by_id IS NULL OR staff.still_may(x.made_by_id, 'people')));
END $$;

-- Whether the address to which a member's link would go was put there by this person, and nobody has proved both
-- factors of the member's since: then who changed it could come in by the link as the member, and another person makes
-- it. The address with which a member was added is nobody's change.
CREATE OR REPLACE FUNCTION staff.is_own_address(p_member bigint, p_by bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (SELECT FROM public.staff_member m WHERE m.id = p_member AND m.email_changed_by_id = p_by
        AND NOT EXISTS (SELECT FROM public.staff_session s WHERE s.member_id = m.id AND s.verified_at > m.email_changed_at))
$$;

-- Changes one fact of a member, without judging who asks; returns why it cannot be, empty when done.
-- Suspending, leaving, coming back and resetting end the member's sessions and links at once (ASVS
-- 7.4.2); a new address ends the links that went to the old one.
CREATE OR REPLACE FUNCTION staff.apply_change(p_member bigint, p_by bigint, p_fact text, p_value jsonb) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    m public.staff_member;
    at timestamptz := clock_timestamp();
    plain text := p_value #>> '{}';
    ending boolean := false;
BEGIN
    IF p_fact = 'manager' THEN
        -- One at a time, or two changes that do not see each other could close a circle.
        PERFORM staff.lock_line(false);
    END IF;
    IF staff.value_fits(p_member, p_fact, p_value) IS NOT TRUE THEN RETURN 'value_refused'; END IF;
    SELECT x.* INTO m FROM public.staff_member x WHERE x.id = p_member;
    CASE p_fact
    WHEN 'suspended' THEN
        IF staff.is_current(m.id, p_fact, p_value) THEN RETURN 'no_change'; END IF;
        IF NOT plain::boolean AND m.suspended_by_id = p_by THEN RETURN 'second_person'; END IF;
        ending := plain::boolean;
        UPDATE public.staff_member x SET suspended_until = NULL, suspended_by_id = CASE WHEN ending THEN p_by END,
            suspended_at = CASE WHEN NOT ending THEN NULL
                WHEN staff.is_suspended(x.suspended_at, x.suspended_until) THEN x.suspended_at ELSE at END
        WHERE x.id = m.id;
    WHEN 'starts_on' THEN
        UPDATE public.staff_member x SET starts_on = plain::date WHERE x.id = m.id;
    WHEN 'left_on' THEN
        ending := coalesce(audit.end_of_day(plain::date) <= at, false);
        IF staff.needs_second_person(m.id, p_fact, p_value) THEN
            ending := true;
            PERFORM staff.reset_returning_member(m.id, m.left_on, p_by);
        END IF;
        UPDATE public.staff_member x SET left_on = plain::date WHERE x.id = m.id;
    WHEN 'roles' THEN
        UPDATE public.staff_member x SET roles = ARRAY(SELECT jsonb_array_elements_text(p_value)) WHERE x.id = m.id;
    WHEN 'manager' THEN
        UPDATE public.staff_member x
        SET manager_id = (SELECT y.id FROM public.staff_member y WHERE y.number = plain) WHERE x.id = m.id;
    WHEN 'name' THEN
        UPDATE public.staff_member x SET name = plain WHERE x.id = m.id;
    WHEN 'email' THEN
        UPDATE public.staff_member x SET email = plain, email_changed_by_id = p_by, email_changed_at = at WHERE x.id = m.id;
    WHEN 'language' THEN
        UPDATE public.staff_member x SET language = plain WHERE x.id = m.id;
    WHEN 'factor' THEN
        ending := true;
        PERFORM staff.forget_factors(m.id);
    ELSE NULL;  -- an invitation: below
    END CASE;
    IF p_fact = 'invitation' AND staff.is_own_address(m.id, p_by) THEN RETURN 'second_person'; END IF;
    IF ending OR p_fact IN ('email', 'invitation') THEN  -- of links the newest alone is good
        PERFORM staff.end_links(m.id);
    END IF;
    IF p_fact = 'invitation' THEN
        INSERT INTO public.staff_invitation (purpose, digest, member_id, created_at, expires_at, made_by_id)
        VALUES ('invitation', decode(p_value->>'digest', 'hex'), m.id, at,
            at + make_interval(hours => least((p_value->>'hours')::int, 168)), p_by);
    END IF;
    IF ending THEN
        UPDATE public.staff_session x SET ended_at = at WHERE x.member_id = m.id AND x.ended_at IS NULL;
    END IF;
    RETURN '';
EXCEPTION WHEN unique_violation THEN
    RETURN 'member_known';  -- another's address
WHEN data_exception OR check_violation OR not_null_violation THEN
    RETURN 'value_refused';  -- a link without its digest: nothing was done
END $$;

-- An officer changes a fact of a member: suspended (true, false), starts_on, left_on, roles, manager,
-- name, email, language, factor, invitation. Anybody who watches may suspend; the rest is the people
-- officers'. What opens something up is only proposed, and what locks somebody out who must not be locked out by one
-- person. To suspend whose suspension waits for a second person is to confirm it. Returns the reason, empty when done,
-- 'proposed' when it waits for a second person, 'held' when it counts for some hours without one.
CREATE OR REPLACE FUNCTION staff.change_member(
    p_digest bytea, p_context jsonb, p_number text, p_fact text, p_value jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
    known boolean := coalesce(p_fact IN ('suspended', 'starts_on', 'left_on', 'roles', 'manager', 'name', 'email',
                                         'language', 'factor', 'invitation'), false);
    suspending boolean := coalesce(p_fact = 'suspended' AND p_value = 'true', false);
    subject bigint;
    before jsonb;
    waits bigint := CASE WHEN suspending THEN staff.waiting_suspension(
        (SELECT m.id FROM public.staff_member m WHERE m.number = p_number),
        (SELECT s.member_id FROM public.staff_session s WHERE s.digest = p_digest)) END;
BEGIN
    IF waits IS NOT NULL THEN
        RETURN staff.decide_proposal(p_digest, p_context, waits, true);
    END IF;
    j := staff.authorize_officer(p_digest, CASE WHEN suspending THEN 'suspend' ELSE 'people' END, p_number);
    subject := (j->>'subject_id')::bigint;
    IF j->>'reason' = '' THEN
        j := j || jsonb_build_object('reason', CASE
            WHEN NOT known OR staff.value_fits(subject, p_fact, p_value) IS NOT TRUE THEN 'value_refused'
            WHEN staff.is_current(subject, p_fact, p_value) THEN 'no_change' ELSE '' END);
    END IF;
    IF j->>'reason' = '' AND suspending THEN
        RETURN staff.suspend(j, p_context, '{}');
    ELSIF j->>'reason' = '' AND (staff.needs_second_person(subject, p_fact, p_value)
            OR staff.weakens_guarded_role(subject, p_fact, p_value, (j->>'actor_id')::bigint)) THEN
        RETURN staff.propose(j, p_context, p_fact, p_value);
    ELSIF j->>'reason' = '' THEN
        before := staff.fact_of(subject, p_fact);
        j := j || jsonb_build_object('reason', staff.apply_change(subject, (j->>'actor_id')::bigint, p_fact, p_value));
    END IF;
    RETURN staff.record_act('change', j, p_context, jsonb_build_object(CASE WHEN known THEN p_fact ELSE 'unknown' END,
        CASE WHEN j->>'reason' = '' THEN staff.change_of_fact(subject, p_fact, before) END));
END $$;

-- A changed fact as an entry tells it: before and after, but of a name and an address only that it changed.
CREATE OR REPLACE FUNCTION staff.change_of_fact(p_member bigint, p_fact text, p_before jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE WHEN p_fact = 'factor' THEN '"reset"' WHEN p_fact = 'invitation' THEN '"sent"'
        WHEN p_fact IN ('name', 'email') THEN '"changed"'
        ELSE jsonb_build_array(p_before, staff.fact_of(p_member, p_fact)) END
$$;

-- A new member, by a people officer: {number, name, email, language, starts_on, manager, roles}. Nothing
-- opens by it: there is no signature yet, no ticket, and no role that two people give; such roles are
-- proposed. The first manager comes with the member, as no change of anybody's.
CREATE OR REPLACE FUNCTION staff.add_member(p_digest bytea, p_context jsonb, p_facts jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.authorize_officer(p_digest, 'people', NULL);
    made bigint;
BEGIN
    IF j->>'reason' = '' AND EXISTS (
            SELECT FROM unnest(ARRAY['name', 'email', 'language', 'starts_on', 'manager', 'roles']) x
            WHERE staff.value_fits(NULL, x, coalesce(p_facts->x, 'null')) IS NOT TRUE) THEN
        j := j || '{"reason": "value_refused"}';
    END IF;
    IF j->>'reason' = '' THEN
        BEGIN
            INSERT INTO public.staff_member (number, name, email, language, starts_on, manager_id, roles, password, theme, created_at)
            SELECT p_facts->>'number', p_facts->>'name', p_facts->>'email', p_facts->>'language',
                (p_facts->>'starts_on')::date, (SELECT x.id FROM public.staff_member x WHERE x.number = p_facts->>'manager'),
                ARRAY(SELECT x FROM jsonb_array_elements_text(p_facts->'roles') x WHERE x = 'consultant'),
                '!', 'auto', clock_timestamp()
            RETURNING id INTO made;
            j := j || jsonb_build_object('subject', p_facts->>'number', 'subject_id', made);
        EXCEPTION WHEN unique_violation THEN
            j := j || '{"reason": "member_known"}';
        WHEN data_exception OR integrity_constraint_violation THEN
            j := j || '{"reason": "value_refused"}';
        END;
    END IF;
    PERFORM staff.record_act('change', j, p_context, jsonb_build_object('new', true) || coalesce((
        SELECT jsonb_object_agg(x, staff.change_of_fact(made, x, NULL))
        FROM unnest(ARRAY['roles', 'manager', 'starts_on']) x WHERE made IS NOT NULL), '{}'));
    IF made IS NOT NULL AND staff.needs_second_person(made, 'roles', p_facts->'roles') THEN
        RETURN staff.propose(j, p_context, 'roles', p_facts->'roles');
    END IF;
    RETURN j->>'reason';
END $$;

-- First set-up is over when anybody has signed in with a second factor: from then on there are people
-- who can confirm, and a command only proposes. The log says it, which nobody rewrites.
CREATE OR REPLACE FUNCTION staff.is_set_up() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT EXISTS (SELECT FROM public.audit_entry e WHERE e.event = 'sign_in' AND e.outcome = 'allowed' AND e.factor <> '')
$$;

-- Takes members from the personnel system: {number, name, email, roles, manager, language, starts_on},
-- e-mails normalised. Managers are found when all rows are in, because they may stand further down; one
-- whose own line was refused, or who would close a circle, is no manager: less access, never more. A
-- line that cannot be is refused by itself; one entry for each member who is new or changed. Outcomes
-- in the order of the lines. Suspension and leaving are not the import's; the language is the member's.
-- After first set-up a role that opens something up, another manager of somebody who is there, and what would
-- lock out one of the last two of a guarded role, are proposed; the same line does not propose twice, and not again
-- what was declined.
CREATE OR REPLACE FUNCTION staff.apply_members(p_members jsonb, p_source text) RETURNS TABLE (number text, outcome text)
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
    proposing boolean := staff.is_set_up();
    proposed boolean;
    known bigint[];
    found_id bigint;
    manager jsonb;
BEGIN
    -- All members and what may end with them, before the first of them is changed.
    known := ARRAY(SELECT m.id FROM public.staff_member m
        WHERE m.number IN (SELECT x->>'number' FROM jsonb_array_elements(p_members) x));
    PERFORM staff.lock_members(known, '{}');
    PERFORM staff.lock_line(false);
    INSERT INTO staff.member_news (news, members) VALUES ('change', known);
    FOR line IN SELECT x FROM jsonb_array_elements(p_members) x LOOP
        refusal := CASE WHEN staff.value_fits(NULL, 'roles', line->'roles') IS NOT TRUE THEN 'value' END;
        before := (SELECT to_jsonb(m) || jsonb_build_object('manager', staff.fact_of(m.id, 'manager'))
                   FROM public.staff_member m WHERE m.number = line->>'number');
        IF refusal IS NULL THEN
            BEGIN
                INSERT INTO public.staff_member AS m (number, name, email, roles, language, starts_on, password, theme, created_at)
                SELECT line->>'number', line->>'name', line->>'email',
                    ARRAY(SELECT x FROM jsonb_array_elements_text(line->'roles') x WHERE x = 'consultant' OR NOT proposing),
                    coalesce(line->>'language', 'en'), (line->>'starts_on')::date, '!', 'auto', clock_timestamp()
                ON CONFLICT ON CONSTRAINT staff_member_number_key DO UPDATE
                    SET name = excluded.name, email = excluded.email,
                        email_changed_by_id = CASE WHEN m.email = excluded.email THEN m.email_changed_by_id END,
                        email_changed_at = CASE WHEN m.email = excluded.email THEN m.email_changed_at ELSE clock_timestamp() END,
                        starts_on = CASE WHEN proposing AND staff.weakens_guarded_role(m.id, 'starts_on', to_jsonb(excluded.starts_on), NULL)
                                         THEN m.starts_on ELSE excluded.starts_on END,
                        roles = CASE WHEN proposing AND (staff.needs_second_person(m.id, 'roles', line->'roles')
                                                         OR staff.weakens_guarded_role(m.id, 'roles', line->'roles', NULL)) THEN m.roles
                                     ELSE ARRAY(SELECT jsonb_array_elements_text(line->'roles')) END
                    WHERE (m.name, m.email, m.starts_on) IS DISTINCT FROM (excluded.name, excluded.email, excluded.starts_on)
                        OR to_jsonb(m.roles) <> line->'roles';
            EXCEPTION WHEN unique_violation THEN refusal := 'email';
                WHEN data_exception OR integrity_constraint_violation THEN refusal := 'value';
            END;
        END IF;
        befores := array_append(befores, before);
        refusals := array_append(refusals, refusal);
    END LOOP;

    FOR line IN SELECT x FROM jsonb_array_elements(p_members) x LOOP
        place := place + 1;
        number := line->>'number';
        before := befores[place];
        refusal := refusals[place];
        proposed := false;
        details := NULL;
        IF refusal IS NULL THEN
            j := staff.judge_command(p_source, number);
            found_id := (j->>'subject_id')::bigint;
            manager := coalesce(line->'manager', 'null');
            IF NOT staff.is_current(found_id, 'manager', manager) AND NOT (proposing AND before IS NOT NULL)
                    AND staff.apply_change(found_id, NULL, 'manager', manager) <> '' THEN
                refusal := 'manager';
                PERFORM staff.apply_change(found_id, NULL, 'manager', 'null');
            END IF;
            IF before->>'email' <> line->>'email' THEN  -- links that went to the old address
                PERFORM staff.end_links(found_id);
            END IF;
            SELECT jsonb_object_agg(x.fact, staff.change_of_fact(found_id, x.fact, before->x.fact)) INTO details
            FROM unnest(ARRAY['roles', 'manager', 'starts_on', 'name', 'email']) AS x (fact)
            WHERE before->x.fact IS DISTINCT FROM coalesce(staff.fact_of(found_id, x.fact), 'null');
            IF details IS NOT NULL THEN
                PERFORM staff.record_act('change', j, '{}', details || jsonb_build_object('new', before IS NULL));
            END IF;
            IF proposing THEN
                IF staff.value_fits(found_id, 'manager', manager) IS NOT TRUE THEN
                    refusal := 'manager';
                ELSIF before IS NOT NULL THEN
                    proposed := staff.propose_line(j, 'manager', manager);
                END IF;
                proposed := staff.propose_line(j, 'roles', line->'roles') OR proposed;
                proposed := staff.propose_line(j, 'starts_on', coalesce(line->'starts_on', 'null')) OR proposed;
            END IF;
        END IF;
        outcome := CASE WHEN refusal IS NOT NULL THEN 'refused:' || refusal WHEN proposed THEN 'proposed'
                        WHEN before IS NULL THEN 'new' WHEN details IS NULL THEN 'same' ELSE 'changed' END;
        RETURN NEXT;
    END LOOP;
END $$;

-- Members leave; they are never deleted, by nobody: the log and every paper name them.
CREATE OR REPLACE FUNCTION staff.keep_members() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'members leave; they are never deleted';
END $$;
CREATE OR REPLACE TRIGGER member_is_kept BEFORE DELETE ON public.staff_member
    FOR EACH ROW EXECUTE FUNCTION staff.keep_members();
CREATE OR REPLACE TRIGGER members_are_kept BEFORE TRUNCATE ON public.staff_member
    FOR EACH STATEMENT EXECUTE FUNCTION staff.keep_members();

REVOKE ALL ON FUNCTION staff.stands_above(bigint, bigint), staff.name_roles(), staff.take_news(), staff.lock_line(boolean),
    staff.authorize_officer(bytea, text, text), staff.judge_command(text, text),
    staff.record_act(text, jsonb, jsonb, jsonb), staff.fact_of(bigint, text), staff.value_fits(bigint, text, jsonb),
    staff.is_current(bigint, text, jsonb), staff.needs_second_person(bigint, text, jsonb), staff.forget_factors(bigint),
    staff.reset_returning_member(bigint, date, bigint), staff.end_links(bigint), staff.is_good_link(bigint), staff.is_own_address(bigint, bigint), staff.apply_change(bigint, bigint, text, jsonb),
    staff.change_member(bytea, jsonb, text, text, jsonb), staff.change_of_fact(bigint, text, jsonb),
    staff.add_member(bytea, jsonb, jsonb), staff.is_set_up(), staff.apply_members(jsonb, text),
    staff.keep_members() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION staff.is_own_address(bigint, bigint), staff.change_member(bytea, jsonb, text, text, jsonb),
    staff.add_member(bytea, jsonb, jsonb) TO gatekeeper_web;
GRANT EXECUTE ON FUNCTION staff.is_good_link(bigint) TO gatekeeper_signin;
