-- Into the vault: accounts and participants come in encrypted, and go out for ever. The feeds' role
-- alone calls these; what they write it cannot read.

-- Under which data key an account's values stand, and whether its reference is barred. The key is
-- wrapped: without the key ring it opens nothing.
CREATE OR REPLACE FUNCTION vault.stored(p_references text[])
RETURNS TABLE (reference text, erased boolean, wrapped_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT a.reference::text, a.erased_at IS NOT NULL, v.wrapped_key
    FROM public.gatekeeper_account a LEFT JOIN vault.account v ON v.account_id = a.id
    WHERE a.reference = ANY (p_references)
$$;

-- A consent as an entry tells it. Internal.
CREATE OR REPLACE FUNCTION gatekeeper.consent_state(p_since timestamptz, p_until timestamptz) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE WHEN p_since IS NULL THEN 'missing' WHEN p_since > clock_timestamp() THEN 'planned'
        WHEN p_until <= clock_timestamp() THEN 'expired' ELSE 'running' END
$$;

-- Records what a call has stored: one entry for all that is new or has other values, in numbers (of the new ones
-- also how many tell a consent or a restriction), which names the account where it is one alone; and one for each account that was here and whose consents or restriction have
-- changed. p_stored: {reference, outcome, tells, changes} of each line. Internal: store_accounts.
CREATE OR REPLACE FUNCTION gatekeeper.record_stored(p_stored jsonb, p_source text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    facts jsonb := jsonb_build_object('source', left(p_source, 80));
    one record;
    told jsonb;
BEGIN
    SELECT jsonb_build_object('new', count(*) FILTER (WHERE x.outcome = 'new'),
        'changed', count(*) FILTER (WHERE x.outcome = 'changed'),
        'participants', count(*) FILTER (WHERE x.outcome = 'new' AND x.tells ? 'participants'),
        'support', count(*) FILTER (WHERE x.outcome = 'new' AND x.tells ? 'support'),
        'restricted', count(*) FILTER (WHERE x.outcome = 'new' AND x.tells ? 'restricted'))
    INTO told FROM jsonb_to_recordset(p_stored) AS x (outcome text, tells jsonb);
    IF (told->>'new')::int + (told->>'changed')::int > 0 THEN
        PERFORM audit.write_entry('import', 'allowed', facts || jsonb_build_object(
            'details', jsonb_build_object('what', 'accounts', 'stored', told),
            'account', CASE jsonb_array_length(p_stored) WHEN 1 THEN p_stored->0->>'reference' END));
    END IF;
    FOR one IN SELECT x.reference, x.changes FROM jsonb_to_recordset(p_stored) AS x (reference text, changes jsonb)
        WHERE x.changes <> '{}' ORDER BY x.reference LOOP
        PERFORM audit.write_entry('change', 'allowed',
            facts || jsonb_build_object('account', one.reference, 'details', one.changes));
    END LOOP;
END $$;

-- Stores whole accounts, each reference at most once in a call: what a line lacks is gone. Outcomes:
-- new, changed, same; older (a newer one stands); repeated (other data of the same moment); erased
-- (barred for ever); stale_key (encrypted under a key that meanwhile is not the account's: encrypt again).
-- What was stored is recorded here, in the same transaction.
CREATE OR REPLACE FUNCTION vault.store_accounts(p_lines jsonb, p_source text) RETURNS TABLE (reference text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    stored jsonb;
BEGIN
    -- In one order, or two imports would wait for each other; the statement below sees what is so then.
    PERFORM FROM public.gatekeeper_account a
    WHERE a.reference IN (SELECT x->>'reference' FROM jsonb_array_elements(p_lines) x)
    ORDER BY a.reference FOR NO KEY UPDATE;
    WITH judged AS (
        SELECT l.*, a.id, jsonb_build_object(
            'participants', CASE WHEN (a.participants_since, a.participants_until)
                IS DISTINCT FROM (l.participants_since, l.participants_until) THEN jsonb_build_array(
                    gatekeeper.consent_state(a.participants_since, a.participants_until),
                    gatekeeper.consent_state(l.participants_since, l.participants_until)) END,
            'support', CASE WHEN (a.support_since, a.support_until)
                IS DISTINCT FROM (l.support_since, l.support_until) THEN jsonb_build_array(
                    gatekeeper.consent_state(a.support_since, a.support_until),
                    gatekeeper.consent_state(l.support_since, l.support_until)) END,
            'restricted', CASE WHEN (a.restricted_at IS NULL, v.restricted_at IS NULL) IS DISTINCT FROM
                (coalesce(v.held_at, l.restricted_at) IS NULL, l.restricted_at IS NULL) THEN jsonb_build_array(
                    a.restricted_at IS NOT NULL, coalesce(v.held_at, l.restricted_at) IS NOT NULL) END,
            'held', CASE WHEN (v.restricted_at IS NULL) <> (l.restricted_at IS NULL) AND v.held_at IS NOT NULL THEN true END
        ) AS changes, CASE
            WHEN a.id IS NULL THEN 'new'
            WHEN a.erased_at IS NOT NULL THEN 'erased'
            WHEN v.wrapped_key IS DISTINCT FROM l.wrapped_key THEN 'stale_key'
            WHEN l.exported_at < a.exported_at THEN 'older'
            -- What was closed by a line that could not be taken opens by a newer one alone.
            WHEN l.digest = v.digest AND (l.exported_at = a.exported_at OR
                (a.participants_since, a.participants_until, a.support_since, a.support_until, v.restricted_at)
                IS NOT DISTINCT FROM
                (l.participants_since, l.participants_until, l.support_since, l.support_until, l.restricted_at)) THEN 'same'
            WHEN l.exported_at = a.exported_at THEN 'repeated'
            ELSE 'changed' END AS verdict
        FROM jsonb_to_recordset(p_lines) AS l (
                reference text, plan text, language text, created_at timestamptz, exported_at timestamptz,
                participants_since timestamptz, participants_until timestamptz, support_since timestamptz,
                support_until timestamptz, restricted_at timestamptz, last_used_on date, contract_ended_on date,
                wrapped_key bytea, digest bytea, fields text[], ciphertexts bytea[])
            LEFT JOIN public.gatekeeper_account a ON a.reference = l.reference
            LEFT JOIN vault.account v ON v.account_id = a.id
    ), added AS (
        INSERT INTO public.gatekeeper_account (reference, plan, language, created_at, exported_at, participants_since,
            participants_until, support_since, support_until, restricted_at, filled, participants)
        SELECT j.reference, j.plan, j.language, j.created_at, j.exported_at, j.participants_since,
            j.participants_until, j.support_since, j.support_until, j.restricted_at, j.fields, 0
        FROM judged j WHERE j.verdict = 'new' ORDER BY j.reference
        ON CONFLICT DO NOTHING RETURNING *
    ), added_values AS (
        INSERT INTO vault.account (account_id, wrapped_key, digest, last_used_on, contract_ended_on, restricted_at,
            fields, ciphertexts)
        SELECT n.id, j.wrapped_key, j.digest, j.last_used_on, j.contract_ended_on, j.restricted_at, j.fields, j.ciphertexts
        FROM judged j JOIN added n ON n.reference = j.reference
    ), changed AS (
        UPDATE public.gatekeeper_account a SET plan = j.plan, language = j.language, created_at = j.created_at,
            exported_at = j.exported_at, participants_since = j.participants_since, filled = j.fields,
            participants_until = j.participants_until, support_since = j.support_since,
            support_until = j.support_until, restricted_at = coalesce(v.held_at, j.restricted_at)
        FROM judged j JOIN vault.account v ON v.account_id = j.id
        WHERE a.id = j.id AND (j.verdict = 'changed' OR (j.verdict = 'same' AND j.exported_at > a.exported_at))
    ), changed_values AS (
        UPDATE vault.account v SET digest = j.digest, last_used_on = j.last_used_on, fields = j.fields,
            contract_ended_on = j.contract_ended_on, restricted_at = j.restricted_at, ciphertexts = j.ciphertexts
        FROM judged j WHERE v.account_id = j.id AND j.verdict = 'changed'
    )
    SELECT jsonb_agg(jsonb_build_object('reference', j.reference,
        'outcome', CASE WHEN j.verdict = 'new' AND n.id IS NULL THEN 'stale_key' ELSE j.verdict END,
        'tells', jsonb_strip_nulls(jsonb_build_object('participants', j.participants_since, 'support', j.support_since,
            'restricted', j.restricted_at)),
        'changes', CASE j.verdict WHEN 'changed' THEN jsonb_strip_nulls(j.changes) ELSE '{}' END))
    INTO stored FROM judged j LEFT JOIN added n ON n.reference = j.reference;
    PERFORM gatekeeper.record_stored(stored, p_source);
    RETURN QUERY SELECT x.reference, x.outcome FROM jsonb_to_recordset(stored) AS x (reference text, outcome text);
END $$;

-- Closes what a line that could not be taken can only have meant: a restriction, and each consent that it does
-- not tell as running, or as running no longer than this. Returns what was closed now. A newer line that
-- stands is not touched; p_at, the line's own time, keeps older ones from opening again, and the same line,
-- mended, may. An account that is not known stands from then on as one that is restricted, if the line
-- restricts, under p_wrapped_key.
CREATE OR REPLACE FUNCTION vault.close_account(p_reference text, p_at timestamptz, p_restrict boolean,
    p_participants_since timestamptz, p_participants_until timestamptz, p_support_since timestamptz,
    p_support_until timestamptz, p_wrapped_key bytea, p_source text) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    before timestamptz := CASE WHEN p_at IS NOT NULL THEN least(p_at, at) - interval '1 microsecond' END;
    a public.gatekeeper_account;
    b public.gatekeeper_account;
    closed text[];
    held boolean;
BEGIN
    IF p_restrict THEN
        WITH added AS (
            INSERT INTO public.gatekeeper_account (reference, plan, language, exported_at, filled, participants)
            VALUES (p_reference, '', '', before, '{}', 0) ON CONFLICT DO NOTHING RETURNING id)
        INSERT INTO vault.account (account_id, wrapped_key, fields, ciphertexts)
        SELECT n.id, p_wrapped_key, '{}', '{}' FROM added n;
    END IF;
    SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.reference = p_reference FOR NO KEY UPDATE;
    IF a.id IS NULL OR a.erased_at IS NOT NULL OR p_at < a.exported_at THEN
        RETURN '{}';
    END IF;
    UPDATE public.gatekeeper_account x SET exported_at = greatest(x.exported_at, before),
        restricted_at = CASE WHEN p_restrict THEN coalesce(x.restricted_at, at) ELSE x.restricted_at END,
        participants_since = CASE WHEN p_participants_since >= x.participants_since THEN p_participants_since
            WHEN p_participants_since IS NOT NULL THEN x.participants_since END,
        participants_until = CASE WHEN p_participants_since IS NOT NULL AND x.participants_since IS NOT NULL
            THEN least(x.participants_until, p_participants_until) END,
        support_since = CASE WHEN p_support_since >= x.support_since THEN p_support_since
            WHEN p_support_since IS NOT NULL THEN x.support_since END,
        support_until = CASE WHEN p_support_since IS NOT NULL AND x.support_since IS NOT NULL
            THEN least(x.support_until, p_support_until) END
    WHERE x.id = a.id RETURNING x.* INTO b;
    UPDATE vault.account v SET restricted_at = at WHERE v.account_id = a.id AND p_restrict AND v.restricted_at IS NULL;
    held := FOUND AND a.restricted_at IS NOT NULL;  -- by a command, and now by the platform as well
    closed := array_remove(ARRAY[
        CASE WHEN a.restricted_at IS NULL AND b.restricted_at IS NOT NULL THEN 'restricted' END,
        CASE WHEN (a.participants_since, a.participants_until) IS DISTINCT FROM (b.participants_since, b.participants_until)
            THEN 'participants' END,
        CASE WHEN (a.support_since, a.support_until) IS DISTINCT FROM (b.support_since, b.support_until)
            THEN 'support' END], NULL);
    IF cardinality(closed) > 0 OR held THEN
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'account', p_reference, 'details', jsonb_build_object('closed', closed) || CASE WHEN held
                THEN '{"restricted": [true, true], "held": true}'::jsonb ELSE '{}' END));
    END IF;
    RETURN closed;
END $$;

-- Stores participants' records, each at most once in a call. Outcomes as above; unknown: no such account. What
-- is new or has other values is one entry, in numbers; where those who were here objected, or do so no longer,
-- it is one for each account, which names them.
CREATE OR REPLACE FUNCTION vault.store_participants(p_lines jsonb, p_source text)
RETURNS TABLE (reference text, number integer, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    stored jsonb;
    facts jsonb := jsonb_build_object('source', left(p_source, 80));
    told jsonb;
    one record;
BEGIN
    PERFORM FROM public.gatekeeper_account a
    WHERE a.reference IN (SELECT x->>'reference' FROM jsonb_array_elements(p_lines) x)
    ORDER BY a.reference FOR NO KEY UPDATE;
    WITH judged AS (
        SELECT l.*, a.id, p.objected AS objected_before, CASE
            WHEN a.id IS NULL THEN 'unknown'
            WHEN a.erased_at IS NOT NULL THEN 'erased'
            WHEN v.wrapped_key IS DISTINCT FROM l.wrapped_key THEN 'stale_key'
            WHEN p.digest IS NULL THEN 'new'
            WHEN p.digest = l.digest THEN 'same'
            ELSE 'changed' END AS verdict
        FROM jsonb_to_recordset(p_lines) AS l (reference text, number integer, wrapped_key bytea, digest bytea,
                email_index bytea, objected boolean, ciphertext bytea)
            LEFT JOIN public.gatekeeper_account a ON a.reference = l.reference
            LEFT JOIN vault.account v ON v.account_id = a.id
            LEFT JOIN vault.participant p ON p.account_id = a.id AND p.number = l.number
    ), added AS (
        INSERT INTO vault.participant (account_id, number, digest, email_index, objected, ciphertext)
        SELECT j.id, j.number, j.digest, j.email_index, j.objected, j.ciphertext FROM judged j WHERE j.verdict = 'new'
    ), changed AS (
        UPDATE vault.participant p SET digest = j.digest, email_index = j.email_index, objected = j.objected,
            ciphertext = j.ciphertext
        FROM judged j WHERE p.account_id = j.id AND p.number = j.number AND j.verdict = 'changed'
    )
    SELECT coalesce(jsonb_agg(jsonb_build_object('reference', j.reference, 'number', j.number, 'outcome', j.verdict,
        'objected', j.objected, 'before', j.objected_before)), '[]') INTO stored FROM judged j;
    SELECT jsonb_build_object('new', count(*) FILTER (WHERE x.outcome = 'new'),
        'changed', count(*) FILTER (WHERE x.outcome = 'changed'),
        'objected', count(*) FILTER (WHERE x.outcome = 'new' AND x.objected))
    INTO told FROM jsonb_to_recordset(stored) AS x (outcome text, objected boolean);
    IF (told->>'new')::int + (told->>'changed')::int > 0 THEN
        PERFORM audit.write_entry('import', 'allowed', facts || jsonb_build_object('details',
            jsonb_build_object('what', 'participants', 'stored', told)));
    END IF;
    FOR one IN SELECT x.reference, x.objected, jsonb_agg(x.number ORDER BY x.number) AS numbers
        FROM jsonb_to_recordset(stored) AS x (reference text, number integer, outcome text, objected boolean, before boolean)
        WHERE x.outcome = 'changed' AND x.objected <> x.before GROUP BY x.reference, x.objected ORDER BY 1, 2 LOOP
        PERFORM audit.write_entry('change', 'allowed', facts || jsonb_build_object('account', one.reference,
            'records', one.numbers, 'details', jsonb_build_object('objected', jsonb_build_array(NOT one.objected, one.objected))));
    END LOOP;
    RETURN QUERY SELECT x.reference, x.number, x.outcome
    FROM jsonb_to_recordset(stored) AS x (reference text, number integer, outcome text);
    -- How many there are to show: who objected is not among them.
    UPDATE public.gatekeeper_account a SET participants = c.shown FROM (
        SELECT b.id, (SELECT count(*) FROM vault.participant p WHERE p.account_id = b.id AND NOT p.objected) AS shown
        FROM public.gatekeeper_account b
        WHERE b.reference IN (SELECT x->>'reference' FROM jsonb_array_elements(p_lines) x)) c
    WHERE a.id = c.id AND a.participants <> c.shown;
END $$;

-- The participants of these accounts whom a complete list does not name, and who have not objected: of
-- who did nothing is kept but that, which is not to be forgotten.
CREATE OR REPLACE FUNCTION vault.participants_beyond(p_lists jsonb) RETURNS TABLE (reference text, number integer)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT a.reference::text, p.number
    FROM jsonb_to_recordset(p_lists) AS l (reference text, numbers integer[])
        JOIN public.gatekeeper_account a ON a.reference = l.reference
        JOIN vault.participant p ON p.account_id = a.id
    WHERE NOT p.objected AND p.number <> ALL (l.numbers)
    ORDER BY a.reference, p.number
$$;

-- Removes records of participants, with one entry that names them; returns how many went. Who objected stays.
CREATE OR REPLACE FUNCTION vault.remove_participants(p_reference text, p_numbers integer[], p_source text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    account bigint;
    gone integer[];
BEGIN
    SELECT a.id INTO account FROM public.gatekeeper_account a WHERE a.reference = p_reference FOR NO KEY UPDATE;
    WITH removed AS (
        DELETE FROM vault.participant p
        WHERE p.account_id = account AND p.number = ANY (p_numbers) AND NOT p.objected RETURNING p.number)
    SELECT coalesce(array_agg(r.number ORDER BY r.number), '{}') INTO gone FROM removed r;
    IF cardinality(gone) > 0 THEN
        UPDATE public.gatekeeper_account a SET participants = a.participants - cardinality(gone) WHERE a.id = account;
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'account', p_reference, 'details', jsonb_build_object('removed', gone)));
    END IF;
    RETURN cardinality(gone);
END $$;

-- Erases at once: the data key and every value go, the row stays as a bar on the reference. An
-- account that was never here is barred as well, because a line of it may still be on its way. The
-- requests' texts go before the account's change ends requests and grants: one order of locks.
CREATE OR REPLACE FUNCTION vault.erase_account(p_reference text, p_source text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    a public.gatekeeper_account;
    gone integer;
BEGIN
    INSERT INTO public.gatekeeper_account (reference, plan, language, filled, participants)
    VALUES (p_reference, '', '', '{}', 0) ON CONFLICT DO NOTHING;
    SELECT x.* INTO STRICT a FROM public.gatekeeper_account x WHERE x.reference = p_reference FOR NO KEY UPDATE;
    IF a.erased_at IS NOT NULL THEN
        RETURN 'already';
    END IF;
    PERFORM gatekeeper.lock_endings(ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r WHERE r.account_id = a.id), '{}');
    UPDATE public.gatekeeper_accessrequest r SET reason_text = NULL
    WHERE r.account_id = a.id AND r.reason_text IS NOT NULL;
    UPDATE public.gatekeeper_account x SET erased_at = clock_timestamp(), plan = '', language = '', created_at = NULL,
        exported_at = NULL, participants_since = NULL, participants_until = NULL, support_since = NULL,
        support_until = NULL, restricted_at = NULL, filled = '{}', participants = 0
    WHERE x.id = a.id;
    DELETE FROM vault.participant p WHERE p.account_id = a.id;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM vault.account v WHERE v.account_id = a.id;
    PERFORM audit.erase_references(p_reference, jsonb_build_object('source', left(p_source, 80),
        'fields', a.filled, 'details', jsonb_build_object('participants', gone)));
    RETURN CASE WHEN a.exported_at IS NULL THEN 'barred' ELSE 'erased' END;
END $$;

-- Restricts the processing of an account (Art. 18), or lifts what this same command had set: the
-- platform's own restriction comes and goes with its lines.
CREATE OR REPLACE FUNCTION vault.restrict_account(p_reference text, p_restrict boolean, p_source text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    a public.gatekeeper_account;
    v vault.account;
BEGIN
    SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.reference = p_reference FOR NO KEY UPDATE;
    SELECT x.* INTO v FROM vault.account x WHERE x.account_id = a.id;
    IF v.account_id IS NULL THEN
        RETURN CASE WHEN a.erased_at IS NULL THEN 'unknown' ELSE 'erased' END;
    ELSIF p_restrict = (v.held_at IS NOT NULL) THEN
        RETURN 'same';
    END IF;
    UPDATE vault.account x SET held_at = CASE WHEN p_restrict THEN clock_timestamp() END WHERE x.account_id = a.id
    RETURNING * INTO v;
    UPDATE public.gatekeeper_account x SET restricted_at = coalesce(v.held_at, v.restricted_at) WHERE x.id = a.id;
    PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'account', p_reference, 'details', jsonb_build_object('restricted', jsonb_build_array(NOT p_restrict, p_restrict))));
    RETURN CASE WHEN p_restrict THEN 'restricted' WHEN v.restricted_at IS NULL THEN 'lifted' ELSE 'platform' END;
END $$;

-- The feeds' own runs, and what came by a webhook; members are not theirs (staff/directory/sql/commands.sql).
CREATE OR REPLACE FUNCTION gatekeeper.record_import(
    p_what text, p_finished boolean, p_counts jsonb, p_account text, p_source text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF (p_what IN ('account', 'accounts', 'participants', 'tickets')) IS NOT TRUE THEN
        RAISE insufficient_privilege USING MESSAGE = 'no feed has such an import';
    END IF;
    RETURN audit.write_import(p_what, p_finished, p_counts, p_account, p_source);
END $$;

REVOKE ALL ON FUNCTION gatekeeper.consent_state(timestamptz, timestamptz), gatekeeper.record_stored(jsonb, text),
    vault.stored(text[]), vault.store_accounts(jsonb, text), vault.store_participants(jsonb, text),
    vault.close_account(text, timestamptz, boolean, timestamptz, timestamptz, timestamptz, timestamptz, bytea, text),
    vault.participants_beyond(jsonb), vault.remove_participants(text, integer[], text),
    vault.erase_account(text, text), vault.restrict_account(text, boolean, text),
    gatekeeper.record_import(text, boolean, jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.stored(text[]), vault.store_accounts(jsonb, text), vault.store_participants(jsonb, text),
    vault.close_account(text, timestamptz, boolean, timestamptz, timestamptz, timestamptz, timestamptz, bytea, text),
    vault.participants_beyond(jsonb), vault.remove_participants(text, integer[], text),
    vault.erase_account(text, text), vault.restrict_account(text, boolean, text),
    gatekeeper.record_import(text, boolean, jsonb, text, text) TO gatekeeper_feed;
