-- Record, then release: the only way by which a personal value leaves the database (gatekeeper/README.md, 'The boundary').

-- The fields of an account that there are; what else a caller sends must not reach the log.
CREATE OR REPLACE FUNCTION gatekeeper.known_fields() RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['contact.name', 'contact.email', 'contact.marketing_consent', 'company.name', 'company.address',
        'billing.bank_account', 'activity.ip_address', 'activity.last_visit_at', 'activity.settings',
        'support.notes', 'participants']
$$;

-- The categories that there are.
CREATE OR REPLACE FUNCTION gatekeeper.known_categories() RETURNS text[]
LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['contact', 'company', 'billing', 'activity', 'support', 'participants']
$$;

-- Whose session asks, where nothing was decided: known all the same, unless it is nobody's. Internal.
CREATE OR REPLACE FUNCTION gatekeeper.asker(p_digest bytea) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT coalesce((SELECT jsonb_build_object('actor_id', m.id, 'member', m.number, 'member_name', m.name, 'session', s.id)
        FROM public.staff_session s JOIN public.staff_member m ON m.id = s.member_id WHERE s.digest = p_digest), '{}')
$$;

-- Opens a window; its end is written once: the least of window, stretch, and the planned leaving and the end of
-- the agreement, of the member and of the approver. Internal: the caller has decided, under lock.
CREATE OR REPLACE FUNCTION gatekeeper.start_window(p_grant bigint, p_facts jsonb) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    ends timestamptz;
BEGIN
    UPDATE public.gatekeeper_grant g SET opened_at = clock_timestamp(), openings = g.openings + 1,
        window_ends_at = least(clock_timestamp() + make_interval(mins => g.minutes), staff.signature_ends(n.id),
            CASE WHEN g.while_open THEN g.open_before END, gatekeeper.approval_ends(g.member_id, g.approver_id),
            audit.end_of_day(m.left_on))
    FROM public.staff_signature n, public.staff_member m
    WHERE g.id = p_grant AND n.id = g.signature_id AND m.id = g.member_id
    RETURNING g.window_ends_at INTO ends;
    PERFORM audit.write_entry('start', 'allowed', p_facts || jsonb_build_object('details', jsonb_build_object('ends', ends)));
    RETURN ends;
END $$;

-- First transaction: decide, write the entry (allowed or refused), count. What is asked for is either
-- fields of the account, or a page of participants, or one participant by number or by blind index. p_event says which
-- view it is (audit.is_view): all of them are judged and counted alike, and participants are shown alone.
-- Locks and count are in one block: rows that it locked and its outside changed would cost a multixact.
CREATE OR REPLACE FUNCTION vault.record_view(
    p_digest bytea, p_context jsonb, p_account text, p_grant bigint, p_fields text[], p_open boolean,
    p_page integer DEFAULT NULL, p_number integer DEFAULT NULL, p_index bytea DEFAULT NULL, p_event text DEFAULT 'view',
    OUT entry bigint, OUT reason text, OUT codes text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    facts jsonb := '{"failed": []}';
    act text := CASE WHEN p_number IS NULL AND p_index IS NULL THEN 'view' ELSE 'search' END;  -- what is judged
    event text := CASE WHEN act = 'view' AND audit.is_view(p_event) THEN p_event ELSE act END;  -- and recorded
    fields text[] := p_fields;
    categories text[];
    records integer[];
    missed integer := 0;
BEGIN
    -- Neither what is no field nor one field many times gets into the log: both are refused.
    IF (array_ndims(p_fields) = 1 AND p_fields <@ gatekeeper.known_fields()
        AND cardinality(p_fields) <= cardinality(gatekeeper.known_fields())) IS NOT TRUE THEN
        fields := ARRAY(SELECT DISTINCT x FROM unnest(p_fields) x WHERE x = ANY (gatekeeper.known_fields()));
    END IF;
    categories := ARRAY(SELECT DISTINCT split_part(x, '.', 1) FROM unnest(fields) x ORDER BY 1);
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        -- An older snapshot would not see what was withdrawn meanwhile.
        reason := 'check_failed';
    ELSIF cardinality(fields) = 0 OR cardinality(fields) <> cardinality(p_fields)
        OR ('participants' = ANY (fields)) <> (num_nonnulls(p_page, p_number, p_index) = 1)
        OR ('participants' = ANY (fields) AND (cardinality(fields) > 1 OR event <> act)) THEN
        reason := 'check_failed';
    ELSE
        BEGIN
            -- Under locks, though the release decides again: a member's sessions then wait for each other at
            -- the first row, and whoever closes meets one of them at the ticket, not all of them at the grant.
            d := gatekeeper.decide(p_digest, act, p_account, p_grant => p_grant, p_categories => categories,
                p_fields => fields);
            reason := d.reason;
            codes := d.codes;
            IF reason = 'grant_not_started' AND p_open AND act = 'view' THEN
                -- The first reveal opens the window; then every condition once more.
                d := gatekeeper.decide(p_digest, 'open', p_account, p_grant => p_grant, p_categories => categories,
                    p_fields => fields);
                reason := d.reason;
                codes := d.codes;
                IF reason IS NULL THEN
                    PERFORM gatekeeper.start_window(p_grant, audit.context(p_context) || to_jsonb(d));
                END IF;
            END IF;
            IF reason IS NULL AND 'participants' = ANY (fields) THEN
                records := ARRAY(
                    SELECT x.number FROM vault.participant x WHERE x.account_id = d.account_id AND NOT x.objected
                        AND (p_number IS NULL OR x.number = p_number) AND (p_index IS NULL OR x.email_index = p_index)
                    ORDER BY x.number LIMIT 25 OFFSET 25::bigint * (greatest(coalesce(p_page, 1), 1) - 1));
                missed := CASE WHEN act = 'search' AND cardinality(records) = 0 THEN 1 ELSE 0 END;
                d.details := gatekeeper.beyond_participants(d.actor_id, d.day, d.account_id, cardinality(records));
                reason := CASE WHEN d.details IS NOT NULL THEN 'daily_budget_reached' END;
            END IF;
            IF reason IS NULL THEN
                -- Pages and matches count alike; searches that find nothing are counted as well.
                UPDATE public.gatekeeper_grant g SET views = g.views + 1,
                    participants_shown = g.participants_shown + coalesce(cardinality(records), 0),
                    misses = g.misses + missed
                FROM staff.limits l
                WHERE g.id = p_grant AND (records IS NULL
                    OR g.participants_shown + cardinality(records) <= l.participants_per_grant AND g.misses < gatekeeper.misses_allowed());
                IF NOT FOUND THEN
                    reason := 'view_limit_reached';
                END IF;
            END IF;
            IF reason IS NULL AND (cardinality(d.uncounted) > 0 OR records IS NOT NULL) THEN
                PERFORM gatekeeper.count_view(d.actor_id, d.day, d.account_id, d.another, d.uncounted,
                    coalesce(cardinality(records), 0), missed);
            END IF;
        EXCEPTION WHEN OTHERS THEN
            reason := 'check_failed';  -- a condition that could not be evaluated has failed
        END;
    END IF;

    IF reason IS NULL THEN
        -- Column by column, where write_entry takes whatever it is given: half its time.
        INSERT INTO public.audit_entry (object_pk, object_repr, action, changes_text, event, outcome, failed,
            remote_addr, cid, user_agent,
            actor_id, member, member_name, role, session, factor, account, ticket, ticket_kind, ticket_state, purpose,
            categories, fields, records, results, request_id, grant_id, approver, signature, nda_version, nda_ends, consent)
        VALUES ('', '', 3, '', event, 'allowed', '{}',
            (p_context->>'remote_addr')::inet, left(p_context->>'cid', 64), coalesce(left(p_context->>'user_agent', 200), ''),
            d.actor_id, d.member, d.member_name, d.role, d.session, d.factor, coalesce(p_account, ''), d.ticket, d.ticket_kind,
            d.ticket_state, d.purpose, categories, fields, records, cardinality(records), d.request_id, p_grant,
            d.approver, d.signature, d.nda_version, d.nda_ends, d.consent)
        RETURNING id INTO entry;
        RETURN;
    END IF;
    IF codes IS NOT NULL THEN
        facts := facts || to_jsonb(d);
    ELSE
        facts := facts || gatekeeper.asker(p_digest);
    END IF;
    entry := audit.write_entry(event, 'refused', facts || audit.context(p_context) || jsonb_build_object('reason', reason,
        'account', coalesce(nullif(p_account, ''), '?'), 'grant_id', p_grant, 'fields', fields, 'categories', categories));
END $$;

-- Waits a moment until the log of PostgreSQL is on disk up to a position; whether it is. With synchronous_commit off a
-- crash would lose what is not. Where a page of the WAL has just begun, the position follows that page's header
-- (24 bytes, 40 in a segment's first), which is flushed with what follows: not needed.
CREATE OR REPLACE FUNCTION gatekeeper.is_flushed(p_position pg_lsn) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    needed pg_lsn := p_position - CASE
        WHEN (p_position - '0/0') % pg_size_bytes(current_setting('wal_segment_size')) = 40 THEN 40
        WHEN (p_position - '0/0') % current_setting('wal_block_size')::int = 24 THEN 24 ELSE 0 END;
    patience timestamptz := clock_timestamp() + interval '20 milliseconds';
BEGIN
    WHILE pg_current_wal_flush_lsn() < needed AND clock_timestamp() < patience LOOP
        PERFORM pg_sleep(0.0005);
    END LOOP;
    RETURN pg_current_wal_flush_lsn() >= needed;
END $$;

-- Records that a release was refused. It takes nothing back: an earlier release under the same record may have been
-- rolled back with what it gave in the caller's hands, so nobody can tell from it that nothing was shown. It names the
-- record, and whose data it was, where the session at hand made it; of another's it repeats nothing. p_decided is the
-- decision, where one was made.
CREATE OR REPLACE FUNCTION gatekeeper.record_withheld(
    p_digest bytea, p_context jsonb, p_entry bigint, p_reason text, p_decided jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    e record;
BEGIN
    SELECT x.event, x.role, x.factor, x.ticket, x.purpose, x.account, x.grant_id, x.fields, x.categories, x.records
    INTO e FROM public.audit_entry x JOIN public.staff_session y ON y.id = x.session AND y.digest = p_digest
    WHERE x.id = p_entry AND (x.event = 'search' OR audit.is_view(x.event)) AND x.outcome = 'allowed';
    PERFORM audit.write_entry(coalesce(e.event, 'view'), 'withheld', '{"failed": []}' || gatekeeper.asker(p_digest)
        -- What is known before the conditions are asked, should they not be.
        || CASE WHEN e.event IS NULL THEN '{}' ELSE jsonb_build_object(
            'role', e.role, 'factor', e.factor, 'ticket', e.ticket, 'purpose', e.purpose) END
        || coalesce(p_decided, '{}') || audit.context(p_context) || jsonb_build_object('reason', p_reason)
        || CASE WHEN e.event IS NULL THEN '{}' ELSE jsonb_build_object('answers', p_entry, 'account', e.account,
            'grant_id', e.grant_id, 'fields', e.fields, 'categories', e.categories, 'records', e.records) END);
END $$;

-- Second transaction: is the entry durable, and does everything still hold? Then, and only then, the
-- ciphertexts of exactly the fields that the entry names. A refusal here is an entry, 'withheld'.
CREATE OR REPLACE FUNCTION vault.release_view(
    p_digest bytea, p_context jsonb, p_entry bigint,
    OUT reason text, OUT codes text[], OUT blocked text[], OUT wrapped_key bytea, OUT fields text[], OUT ciphertexts bytea[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    -- First of all, before any reading: reading itself writes WAL (pruning), which nobody would flush.
    known pg_snapshot := pg_current_snapshot();
    flushed_to pg_lsn := pg_current_wal_insert_lsn();
    e record;
    d record;
    act text;
    decided jsonb;
BEGIN
    SELECT x.xid, x."timestamp", x.event, x.outcome, x.member, x.session, x.account, x.ticket, x.grant_id, x.fields,
        x.categories, x.records,
        (SELECT y.id FROM public.staff_session y WHERE y.digest = p_digest) AS own_session,
        (SELECT y.release_age FROM staff.limits y) AS age
    INTO e FROM public.audit_entry x WHERE x.id = p_entry;
    reason := CASE
        WHEN current_setting('transaction_isolation') <> 'read committed' THEN 'check_failed'
        WHEN ((e.event = 'search' OR audit.is_view(e.event)) AND e.outcome = 'allowed') IS NOT TRUE
            -- By the top-level xid: a savepoint has its own xmin, and a status that is unknown is no.
            OR e.xid = pg_current_xact_id() OR pg_xact_status(e.xid) IS DISTINCT FROM 'committed'
            OR pg_visible_in_snapshot(e.xid, known) IS NOT TRUE
            OR (e."timestamp" BETWEEN clock_timestamp() - e.age AND clock_timestamp()) IS NOT TRUE
            OR e.session IS DISTINCT FROM e.own_session
            THEN 'record_failed' END;
    IF reason IS NULL AND pg_current_wal_flush_lsn() < flushed_to THEN
        -- Committed is not yet on disk. The position was taken after its COMMIT (it is known in the snapshot); one
        -- stored in the entry would lie before it.
        IF NOT gatekeeper.is_flushed(flushed_to) THEN
            reason := 'record_failed';
            IF clock_timestamp() < e."timestamp" + interval '2 seconds' THEN
                -- Something lies before the position that no commit follows. This one does, and flushes it,
                -- for it has written to the WAL itself. No refusal yet: the caller asks again.
                PERFORM pg_logical_emit_message(true, 'gatekeeper', '');
                reason := 'record_pending';
                RETURN;
            END IF;
        END IF;
    END IF;
    IF reason IS NULL THEN
        act := CASE WHEN e.event = 'search' THEN 'search' ELSE 'view' END;
        BEGIN
            d := gatekeeper.decide(p_digest, act, e.account, p_grant => e.grant_id,
                p_categories => e.categories::text[], p_fields => e.fields::text[],
                p_recorded_at => e."timestamp");
            codes := d.codes;
            blocked := d.blocked;
            reason := CASE
                WHEN d.reason IS NOT NULL  -- the view that reached the limit is the one that was counted
                    AND NOT (d.reason = 'view_limit_reached' AND cardinality(d.failed) = 1) THEN d.reason
                WHEN (d.member, d.account, d.ticket, d.grant_id, d.session)
                    IS DISTINCT FROM (e.member::text, e.account::text, e.ticket::text, e.grant_id, e.session)
                    THEN 'record_failed' END;
        EXCEPTION WHEN OTHERS THEN
            reason := 'check_failed';
        END;
    END IF;
    IF reason IS NOT NULL THEN
        IF codes IS NOT NULL THEN
            decided := to_jsonb(d);
        END IF;
        PERFORM gatekeeper.record_withheld(p_digest, p_context, p_entry, reason, decided);
        RETURN;
    END IF;
    SELECT x.wrapped_key, v.fields, v.ciphertexts INTO wrapped_key, fields, ciphertexts
    FROM vault.account x CROSS JOIN LATERAL (
        SELECT array_agg(y.field), array_agg(y.ciphertext)
        FROM unnest(x.fields, x.ciphertexts) AS y (field, ciphertext) WHERE y.field = ANY (e.fields)) v (fields, ciphertexts)
    WHERE x.account_id = d.account_id;
    IF e.records IS NOT NULL THEN
        SELECT array_agg('participants.' || x.number ORDER BY x.number), array_agg(x.ciphertext ORDER BY x.number)
        INTO fields, ciphertexts FROM vault.participant x
        WHERE x.account_id = d.account_id AND x.number = ANY (e.records) AND NOT x.objected;
    END IF;
    -- Nothing was written but locks: this transaction need not wait for the disk.
    PERFORM set_config('synchronous_commit', 'off', true);
END $$;

-- Both at once, as the application calls them: one way to the server and back, and the two transactions
-- that the release demands. It has no right of its own (a procedure that commits cannot be a definer's):
-- both functions check their caller.
CREATE OR REPLACE PROCEDURE vault.reveal(
    p_digest bytea, p_context jsonb, p_account text, p_grant bigint, p_fields text[], p_open boolean,
    p_page integer, p_number integer, p_index bytea, p_event text, INOUT entry bigint, INOUT reason text, INOUT codes text[],
    INOUT blocked text[], INOUT wrapped_key bytea, INOUT fields text[], INOUT ciphertexts bytea[])
LANGUAGE plpgsql AS $$
BEGIN
    SELECT x.entry, x.reason, x.codes INTO entry, reason, codes FROM vault.record_view(
        p_digest, p_context, p_account, p_grant, p_fields, p_open, p_page, p_number, p_index, p_event) x;
    IF reason IS NOT NULL THEN
        RETURN;
    END IF;
    LOOP  -- while the entry is not yet on disk, each COMMIT helps it there; two seconds bound it
        COMMIT;
        SELECT x.reason, x.codes, x.blocked, x.wrapped_key, x.fields, x.ciphertexts
        INTO reason, codes, blocked, wrapped_key, fields, ciphertexts FROM vault.release_view(p_digest, p_context, entry) x;
        EXIT WHEN reason IS DISTINCT FROM 'record_pending';
    END LOOP;
END $$;

-- Typed reasons are encrypted under the account's data key, and go when it goes. The wrapped key alone
-- opens nothing: the vault's ciphertexts come with a release only.
CREATE OR REPLACE FUNCTION vault.wrapped_key(p_account text) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT x.wrapped_key FROM vault.account x
        JOIN public.gatekeeper_account a ON a.id = x.account_id WHERE a.reference = p_account
$$;

REVOKE ALL ON FUNCTION gatekeeper.known_fields(), gatekeeper.known_categories(), gatekeeper.asker(bytea), gatekeeper.start_window(bigint, jsonb),
    vault.record_view(bytea, jsonb, text, bigint, text[], boolean, integer, integer, bytea, text),
    gatekeeper.is_flushed(pg_lsn), gatekeeper.record_withheld(bytea, jsonb, bigint, text, jsonb),
    vault.release_view(bytea, jsonb, bigint), vault.wrapped_key(text) FROM PUBLIC;
REVOKE ALL ON PROCEDURE vault.reveal FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE vault.reveal TO gatekeeper_vault;
GRANT EXECUTE ON FUNCTION
    vault.record_view(bytea, jsonb, text, bigint, text[], boolean, integer, integer, bytea, text),
    vault.release_view(bytea, jsonb, bigint), vault.wrapped_key(text) TO gatekeeper_vault;
