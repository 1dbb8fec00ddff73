-- The seal: what the sealer may ask for, and the two ways by which something leaves the log again
-- (audit/README.md, 'The seal'; audit/seal/sealing.py, audit/seal/leaves.py). Leaves, nodes, checkpoints and eras are never changed.

-- The sealer's lock. Whoever takes something out of the log takes it too: an entry whose leaf is being
-- made must not change meanwhile. A table's, for an advisory lock is anybody's: this mode wants a right to write
-- the table, which nobody but the owner has, and does not hinder those who read it.
CREATE OR REPLACE FUNCTION audit.lock_seal() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    LOCK TABLE public.audit_era IN SHARE ROW EXCLUSIVE MODE
$$;

-- What may hold the sealing up: whom a process of the sealer's waits for, transactions that write and have not
-- ended, in any database of the server, because an entry could still come out of them; prepared ones too, which have
-- no process; and whoever holds so many locks that nobody else may get one. Process, role and since when, and
-- nobody's statements: the owner, who may know, tells those who may not. `since` is NULL where it may not either.
CREATE OR REPLACE FUNCTION audit.sealing_delays()
RETURNS TABLE (kind text, process integer, role text, since timestamptz, named text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT h.kind, a.pid, a.usename::text, coalesce(a.xact_start, a.state_change), ''
    FROM (
        SELECT 'lock' AS kind, unnest(pg_blocking_pids(l.pid)) AS pid
        FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
        WHERE NOT l.granted AND s.usename = 'gatekeeper_sealer'
        UNION
        SELECT 'transaction', l.pid FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
        WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
            AND l.pid <> pg_backend_pid() AND s.usename <> 'gatekeeper_sealer'
        UNION
        SELECT 'locks', l.pid FROM pg_locks l GROUP BY l.pid HAVING count(*) > 1000
    ) h JOIN pg_stat_activity a ON a.pid = h.pid
    UNION ALL
    SELECT 'prepared', NULL, p.owner::text, p.prepared, p.gid FROM pg_prepared_xacts p
    ORDER BY 4, 2
$$;

-- The keys of accounts' tags, made where there is none yet, and how many leaves have each tag with those
-- of this transaction, which are counted here.
CREATE OR REPLACE FUNCTION audit.tags(p_accounts text[], p_leaves bigint[])
RETURNS TABLE (tagged text, tag_key bytea, leaves bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.audit_tag AS t (account, key, entries)
    SELECT x.account, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), x.more
    FROM unnest(p_accounts, p_leaves) AS x (account, more) ORDER BY x.account
    ON CONFLICT (account) DO UPDATE SET entries = t.entries + excluded.entries
    RETURNING t.account::text, t.key, t.entries
$$;

-- An entry for a time in which nothing happened: without one, a checkpoint of five minutes later would be
-- the same bytes, and prove nothing about them.
CREATE OR REPLACE FUNCTION audit.note_quiet(p_source text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT audit.write_entry('seal', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'details', '{"quiet": true}'::jsonb))
$$;

-- Whoever takes proofs out by command is on record as well, though nobody has a session there: it is the sealer's
-- word, and its alone. Of which account, and how many entries, the database reads from the entries that are named,
-- which have their leaves: a proof of nothing cannot be claimed. Returns how many they are.
CREATE OR REPLACE FUNCTION audit.note_proof(p_entries bigint[], p_source text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    accounts text[];
    proved integer;
BEGIN
    SELECT array_agg(DISTINCT e.account::text), count(*) INTO accounts, proved
    FROM public.audit_entry e JOIN public.audit_leaf l ON l.entry = e.id WHERE e.id = ANY (p_entries);
    IF (proved = cardinality(p_entries) AND cardinality(accounts) = 1) IS NOT TRUE THEN
        RAISE insufficient_privilege USING MESSAGE = 'a proof is of sealed entries of one account';
    END IF;
    PERFORM audit.write_entry('export', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'account', accounts[1], 'results', proved, 'details', '{"what": "proof"}'::jsonb));
    RETURN proved;
END $$;

-- The log's public keys, as the sealer announces them: pages have the key from here where no setting pins it.
-- The newest is the one that signs, and those before it stay. Its form is C2SP signed-note's, in which the id
-- is a hash over name and key, so that a mistyped one is refused. Returns what the entry says of it: nothing
-- where it was the newest already. Internal: begin_era, announce_key.
CREATE OR REPLACE FUNCTION audit.keep_key(p_key text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    parts text[] := regexp_match(p_key, '^([^\s+]{1,100})[+]([0-9a-f]{8})[+]([A-Za-z0-9+/]{44})$');
    coded bytea := decode(parts[3], 'base64');
    known text := (SELECT k.key FROM public.audit_logkey k ORDER BY k.number DESC LIMIT 1);
BEGIN
    IF (get_byte(coded, 0) = 1 AND parts[2] = encode(substr(sha256(
            convert_to(parts[1] || chr(10), 'UTF8') || coded), 1, 4), 'hex')) IS NOT TRUE THEN
        RAISE check_violation USING MESSAGE = 'this is no public key of a log';
    END IF;
    IF known = p_key THEN
        RETURN '{}';
    END IF;
    INSERT INTO public.audit_logkey (key, announced_at) VALUES (p_key, clock_timestamp());
    RETURN jsonb_strip_nulls(jsonb_build_object('key', p_key, 'before', known));
END $$;

-- The sealer says under which key it goes on, once it has seen that what is here was signed by that key or by
-- one before it that it knows. Returns whether the key is new here, which is an entry.
CREATE OR REPLACE FUNCTION audit.announce_key(p_key text, p_source text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    facts jsonb;
BEGIN
    PERFORM audit.lock_seal();
    facts := audit.keep_key(p_key);
    IF facts = '{}' THEN
        RETURN false;
    END IF;
    PERFORM audit.write_entry('seal', 'allowed', jsonb_build_object('source', left(p_source, 80), 'details', facts));
    RETURN true;
END $$;

-- A new era: another cluster numbers transactions again, and a log of another name is another log. After
-- the first, whoever writes entries waits until all that stand here have their leaves: the old numbers
-- and the new cannot be told apart later.
CREATE OR REPLACE FUNCTION audit.begin_era(p_key text, p_source text, OUT number integer, OUT horizon xid8)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM audit.lock_seal();
    number := 1 + coalesce((SELECT max(e.number) FROM public.audit_era e), 0);
    IF number > 1 THEN
        LOCK TABLE public.audit_entry IN SHARE ROW EXCLUSIVE MODE;
    END IF;
    horizon := CASE WHEN number = 1 THEN '0'::xid8 ELSE pg_snapshot_xmin(pg_current_snapshot()) END;
    INSERT INTO public.audit_era (number, system, origin, began_at)
    VALUES (begin_era.number, (pg_control_system()).system_identifier, split_part(p_key, '+', 1), clock_timestamp());
    PERFORM audit.write_entry('seal', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'details', jsonb_build_object('era', number) || audit.keep_key(p_key)));
END $$;

-- Retention: the bodies and salts of the oldest entries go, up to a whole checkpoint older than the limit,
-- at most as many as named; their leaves stay. The entry says up to which leaf and by which rule, and is
-- written first. Returns how many went.
CREATE OR REPLACE FUNCTION audit.retain(p_reason text, p_source text, p_most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    days integer := audit.limit_of('log_retention_days')::int;
    done bigint;
    upto bigint;
    gone integer := 0;
BEGIN
    IF days IS NULL OR (p_reason IN ('retention_period', 'order_of_an_authority')) IS NOT TRUE THEN
        RAISE insufficient_privilege USING MESSAGE = 'no rule of retention, or no reason';
    END IF;
    PERFORM audit.lock_seal();
    done := coalesce((SELECT (e.details->'retention'->>'to')::bigint FROM public.audit_entry e
                      WHERE e.event = 'seal' AND e.details ? 'retention' ORDER BY e.id DESC LIMIT 1), 0);
    -- The newest checkpoint of those old enough that is within reach, or else the first.
    SELECT coalesce(max(c.size) FILTER (WHERE c.size <= done + p_most), min(c.size)) INTO upto
    FROM public.audit_checkpoint c
    WHERE c.size > done AND c.sealed_at < clock_timestamp() - make_interval(days => days);
    IF upto IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM audit.write_entry('seal', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'details', jsonb_build_object('retention', jsonb_build_object('from', done, 'to', upto, 'days', days,
            'reason', p_reason))));
    DELETE FROM public.audit_entry e USING public.audit_leaf l
    WHERE l.entry = e.id AND l.place >= done AND l.place < upto;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- The hash of an entry's customer's part, as audit/seal/leaves.py makes it (a test compares them): what an
-- erasure leaves of that part.
CREATE OR REPLACE FUNCTION audit.customer_hash(e public.audit_entry) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT sha256('\x00000015'::bytea || 'gatekeeper customer 1'::bytea || '\x00000010'::bytea || substr(e.salts, 1, 16)
        || string_agg(coalesce(int4send(octet_length(x.field)) || x.field, '\xffffffff'), '' ORDER BY x.place))
    FROM unnest(ARRAY[convert_to(e.account::text, 'UTF8'), convert_to(e.records::text, 'UTF8'),
        record_send(ROW(e.schema_version::text, e.id::text, ((extract(epoch FROM e."timestamp") * 1000000)::bigint)::text,
            e.event::text, e.outcome::text, e.role::text, e.member::text, e.ticket::text, e.purpose::text,
            e.categories::text, e.fields::text, e.answers::text))])
        WITH ORDINALITY AS x (field, place)
$$;

-- Erasure: the references to an account go out of its entries, and the first salt and the tag's key with them,
-- so that nobody can prove or guess whose they were. The entry names the leaves, and is written first.
-- What has no leaf yet keeps its salt: its leaf will be made of what is left. Internal: erase_account.
CREATE OR REPLACE FUNCTION audit.erase_references(p_account text, p_facts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    leaves jsonb;
    last_one bigint;
BEGIN
    PERFORM audit.lock_seal();
    last_one := (SELECT max(e.id) FROM public.audit_entry e WHERE e.account = p_account);
    -- Neighbours are named together, as first and last.
    SELECT coalesce(jsonb_agg(jsonb_build_array(y.first, y.last) ORDER BY y.first), '[]') INTO leaves
    FROM (SELECT min(x.place) AS first, max(x.place) AS last FROM (
            SELECT l.place, l.place - row_number() OVER (ORDER BY l.place) AS run
            FROM public.audit_entry e JOIN public.audit_leaf l ON l.entry = e.id WHERE e.account = p_account) x
        GROUP BY x.run) y;
    PERFORM audit.write_entry('erase', 'allowed', p_facts || jsonb_build_object('account', p_account,
        'details', p_facts->'details' || jsonb_build_object('reason', 'account_erased', 'leaves', leaves)));
    UPDATE public.audit_entry e SET account = '', records = NULL,
        salts = CASE WHEN EXISTS (SELECT FROM public.audit_leaf l WHERE l.entry = e.id) 
            THEN audit.customer_hash(e) || substr(e.salts, 17) ELSE e.salts END
    WHERE e.account = p_account AND e.id <= last_one;
    DELETE FROM public.audit_tag t WHERE t.account = p_account;
END $$;

-- What the append-only log lets through, and only behind an entry of the same transaction that says so: a
-- deletion under the retention rule of what is old enough, and the blanking of an erased account's references.
CREATE OR REPLACE FUNCTION audit.admit_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF current_user = 'gatekeeper_owner' AND TG_OP = 'DELETE' THEN
        IF OLD."timestamp" < clock_timestamp() - make_interval(days => audit.limit_of('log_retention_days')::int)
            AND EXISTS (SELECT FROM public.audit_entry e JOIN public.audit_leaf f ON f.entry = OLD.id
                WHERE e."timestamp" >= transaction_timestamp() AND e.event = 'seal' AND e.xid = pg_current_xact_id()
                    AND f.place < (e.details->'retention'->>'to')::bigint) THEN
            RETURN OLD;
        END IF;
    ELSIF current_user = 'gatekeeper_owner' THEN
        IF EXISTS (SELECT FROM public.audit_entry e
                WHERE e."timestamp" >= transaction_timestamp() AND e.event = 'erase' AND e.xid = pg_current_xact_id()
                AND e.account = OLD.account AND e.account <> '' AND e.id > OLD.id)
            AND NEW.account = '' AND NEW.records IS NULL
            AND NEW.salts IN (OLD.salts, audit.customer_hash(OLD) || substr(OLD.salts, 17)) THEN
            OLD.account := ''; OLD.records := NULL; OLD.salts := NEW.salts;
            IF NEW IS NOT DISTINCT FROM OLD THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'the log is append-only';
END $$;

CREATE OR REPLACE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON public.audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit.admit_removal();
CREATE OR REPLACE TRIGGER leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
CREATE OR REPLACE TRIGGER node_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_node
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
CREATE OR REPLACE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
CREATE OR REPLACE TRIGGER era_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_era
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
CREATE OR REPLACE TRIGGER logkey_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_logkey
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();

REVOKE ALL ON FUNCTION audit.lock_seal(), audit.sealing_delays(), audit.tags(text[], bigint[]), audit.note_quiet(text),
    audit.note_proof(bigint[], text), audit.begin_era(text, text), audit.announce_key(text, text),
    audit.keep_key(text), audit.retain(text, text, integer), audit.customer_hash(public.audit_entry),
    audit.erase_references(text, jsonb), audit.admit_removal() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.sealing_delays() TO gatekeeper_web, gatekeeper_sealer;
GRANT EXECUTE ON FUNCTION audit.lock_seal(), audit.tags(text[], bigint[]), audit.note_quiet(text), audit.begin_era(text, text),
    audit.announce_key(text, text), audit.retain(text, text, integer) TO gatekeeper_sealer;
GRANT EXECUTE ON FUNCTION audit.note_proof(bigint[], text) TO gatekeeper_sealer;
