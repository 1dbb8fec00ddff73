-- The log: one writer, append-only, and no forged entry (audit/README.md).
-- A Django developer reads this from top to bottom; `migrate` installs it; a check compares it.

-- What a refusal may keep of what was sent: names that have their form, codes that there are, bounded. The rest
-- goes, and the refusal is recorded all the same: an entry that could not be written would hide it. Details keep
-- what reads as codes, numbers and times; anything longer, or typed, is a question mark. Internal.
CREATE OR REPLACE FUNCTION audit.cleaned(p_facts jsonb) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT p_facts || jsonb_strip_nulls(jsonb_build_object(
        'account', CASE WHEN p_facts->>'account' !~ '^([A-Z]{2,6}-[0-9]{1,10})?$' OR length(p_facts->>'account') > 13 THEN '?' END,
        'ticket', CASE WHEN p_facts->>'ticket' !~ '^([A-Z]{2,6}-[0-9]{1,12})?$' OR length(p_facts->>'ticket') > 15 THEN '?' END,
        'purpose', CASE WHEN p_facts->>'purpose' !~ '^[a-z_]{0,20}$' THEN '?' END,
        'subject', CASE WHEN p_facts->>'subject' !~ '^[A-Z0-9-]{0,8}$' THEN '?' END,
        'categories', CASE WHEN jsonb_typeof(p_facts->'categories') = 'array' THEN (SELECT coalesce(jsonb_agg(x.value ORDER BY x.place), '[]')
            FROM jsonb_array_elements_text(p_facts->'categories') WITH ORDINALITY AS x (value, place)
            WHERE x.value ~ '^[a-z]{1,12}$' AND length(p_facts->>'categories') <= 1000) END,
        'fields', CASE WHEN jsonb_typeof(p_facts->'fields') = 'array' THEN (SELECT coalesce(jsonb_agg(x.value ORDER BY x.place), '[]')
            FROM jsonb_array_elements_text(p_facts->'fields') WITH ORDINALITY AS x (value, place)
            WHERE x.value ~ '^[a-z_.]{1,40}$' AND length(p_facts->>'fields') <= 1000) END,
        'details', CASE WHEN jsonb_typeof(p_facts->'details') = 'object' THEN (SELECT coalesce(jsonb_object_agg(x.key,
                CASE WHEN length(x.value::text) <= 1000 AND x.value::text ~ '^[][{}"A-Za-z0-9_.:+, -]*$'
                    AND (jsonb_typeof(x.value) <> 'string' OR x.value::text ~ '^"[A-Za-z0-9_.:+-]{0,80}"$')
                    THEN x.value ELSE '"?"' END), '{}')
            FROM (SELECT y.* FROM jsonb_each(p_facts->'details') y WHERE y.key ~ '^[a-z0-9_]{1,30}$' ORDER BY y.key LIMIT 20) x)
            WHEN p_facts->'details' <> 'null' THEN '{}'::jsonb END))
$$;

-- The writer in SQL, except for views that are allowed: vault.record_view writes those column by column, for
-- they must be quick. The keys of p_facts are names of columns; what is unknown is ignored, so that a
-- decision's whole record can be passed. Where nobody is signed in, `source` is the caller's word for itself:
-- beside it, as `role`, stands the database's role that spoke, which is nobody's word. Internal: only the
-- owner's functions call it.
CREATE OR REPLACE FUNCTION audit.write_entry(p_event text, p_outcome text, p_facts jsonb)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    written bigint;
BEGIN
    IF coalesce(p_facts->>'source', '') <> '' AND p_facts->>'actor_id' IS NULL THEN
        p_facts := p_facts || jsonb_build_object('role', session_user);
    END IF;
    IF p_outcome = 'refused' THEN
        p_facts := audit.cleaned(p_facts);
    END IF;
    INSERT INTO public.audit_entry
    SELECT e.* FROM jsonb_populate_record(NULL::public.audit_entry,
        -- Columns that are never null, at their empty value; then the facts, without their nulls.
        '{"object_pk": "", "object_repr": "", "action": 3, "changes_text": "", "schema_version": 1,
          "reason": "", "member": "", "member_name": "", "role": "", "factor": "", "source": "",
          "user_agent": "", "account": "", "subject": "", "ticket": "", "ticket_kind": "",
          "ticket_state": "", "purpose": "", "approver": "", "consent": ""}'::jsonb
        || jsonb_strip_nulls(p_facts)
        || jsonb_build_object('event', p_event, 'outcome', p_outcome)) e
    RETURNING id INTO written;
    RETURN written;
END $$;

-- One entry a run of an import: what came in, in numbers. A run that did not get to its end has failed.
CREATE OR REPLACE FUNCTION audit.write_import(
    p_what text, p_finished boolean, p_counts jsonb, p_account text, p_source text) RETURNS bigint
LANGUAGE sql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT audit.write_entry('import', CASE WHEN p_finished THEN 'allowed' ELSE 'failed' END,
        jsonb_build_object('source', left(p_source, 80), 'account', p_account, 'details',
            jsonb_build_object('what', p_what) || (
                SELECT jsonb_object_agg(x.key, x.value::bigint) FROM jsonb_each_text(p_counts) x
                WHERE x.key IN ('new', 'changed', 'same', 'older', 'refused', 'proposed', 'dropped', 'mended', 'closed'))))
$$;

-- What a web caller may say of the request itself, and nothing more: a context that could name other
-- columns would let the caller write the facts of a decision.
CREATE OR REPLACE FUNCTION audit.context(p_context jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('remote_addr', p_context->>'remote_addr', 'cid', left(p_context->>'cid', 64),
                              'user_agent', left(p_context->>'user_agent', 200));
END $$;

-- What a role may insert by itself: changes of ordinary models; and signing in also what failed there. All
-- else is the owner's functions', which record what they do: with a plain INSERT a role could forge a view, an
-- approval or a sign-in, and frame another. The trigger does not ask the owner.
CREATE OR REPLACE FUNCTION audit.admit_entry() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.event = 'change' AND NEW.outcome IN ('allowed', 'failed')
            OR current_user = 'gatekeeper_signin' AND NEW.event = 'sign_in_failed' AND NEW.outcome = 'refused')
        AND NEW.account = '' AND NEW.subject = '' AND NEW.ticket = '' AND NEW.purpose = ''
        AND NEW.ticket_kind = '' AND NEW.ticket_state = ''
        AND NEW.source = '' AND NEW.approver = '' AND NEW.consent = '' AND NEW.details IS NULL
        AND num_nonnulls(NEW.categories, NEW.fields, NEW.records, NEW.results, NEW.request_id, NEW.grant_id,
                         NEW.signature, NEW.answers, NEW.nda_version, NEW.nda_ends, NEW.failed) = 0
    THEN
        RETURN NEW;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'this role may not write such an entry';
END $$;

-- What shows a customer's data, on a page or on the clipboard: a view everywhere. Participants are shown by a search as
-- well. audit.models.VIEWS has the same.
CREATE OR REPLACE FUNCTION audit.is_view(p_event text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_event IN ('view', 'copy')
$$;

-- What an entry lacks, each of these for some facts: the name of the first, or NULL. Which event must carry which
-- is in audit/facts.py with the reasons, and a test compares the two fact by fact. Each is one expression that
-- reads nothing and has no settings: PostgreSQL makes it a part of audit.stamp_entry.

-- Whether there is such a kind of entry.
CREATE OR REPLACE FUNCTION audit.lacking_kind(e public.audit_entry) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN e.outcome IN ('allowed', 'refused') AND (audit.is_view(e.event) OR e.event IN ('search', 'start', 'request',
            'approve', 'deny', 'withdraw', 'end', 'revoke', 'sign', 'review', 'report', 'export', 'change',
            'recover')) THEN NULL
        WHEN e.outcome = 'allowed' AND e.event IN ('sign_in', 'sign_out', 'import', 'erase', 'seal')
            OR e.outcome = 'refused' AND e.event = 'sign_in_failed'
            OR e.outcome = 'failed' AND e.event IN ('import', 'change')
            OR e.outcome = 'withheld' AND (audit.is_view(e.event) OR e.event = 'search') THEN NULL
        ELSE 'kind' END
$$;

-- Who, and by which web request.
CREATE OR REPLACE FUNCTION audit.lacking_actor(e public.audit_entry) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN e.source <> '' AND (e.outcome IN ('allowed', 'failed') AND e.event IN ('end', 'revoke', 'sign',
                'review', 'report', 'export', 'change', 'recover', 'import', 'erase', 'seal')
            OR e.outcome = 'refused' AND e.event <> 'sign_in_failed') THEN NULL
        WHEN e.outcome <> 'withheld' AND e.event IN ('import', 'erase', 'seal') THEN 'source'
        WHEN coalesce(e.cid, '') = '' THEN 'cid'
        WHEN e.outcome = 'refused' AND e.event = 'sign_in_failed' THEN NULL
        WHEN e.session IS NULL AND e.outcome IN ('refused', 'withheld')
            AND e.reason IN ('session_missing', 'check_failed', 'record_failed') THEN NULL
        WHEN e.member = '' THEN 'member'
        WHEN e.member_name = '' THEN 'member_name'
        WHEN e.event = 'change'
            AND (e.outcome = 'allowed' AND e.details IS NULL OR e.outcome = 'failed') THEN NULL
        WHEN e.session IS NULL THEN 'session'
        WHEN e.outcome = 'allowed' AND e.event = 'sign_out' THEN NULL
        WHEN e.actor_id IS NULL THEN 'actor_id'
        WHEN e.outcome <> 'allowed' THEN NULL
        WHEN e.factor = '' AND (e.event <> 'sign_in' OR e.object_repr NOT IN ('password', 'invitation'))
            THEN 'factor'
        WHEN e.event IN ('sign_in', 'sign', 'export') THEN NULL
        WHEN e.event = 'search' AND e.details IS NOT NULL AND e.subject <> '' THEN NULL
        WHEN e.role = '' THEN 'role'
        WHEN e.signature IS NULL THEN 'signature'
        WHEN e.nda_ends IS NULL THEN 'nda_ends' END
$$;

-- Whose data, why, and by which approval.
CREATE OR REPLACE FUNCTION audit.lacking_access(e public.audit_entry) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN e.outcome <> 'allowed' OR NOT audit.is_view(e.event) AND e.event NOT IN ('search', 'start', 'request', 'approve', 'deny',
            'withdraw', 'end', 'revoke') OR e.event = 'search' AND e.details IS NOT NULL THEN NULL
        WHEN e.account = '' THEN 'account'
        WHEN e.ticket = '' THEN 'ticket'
        WHEN e.ticket_kind = '' THEN 'ticket_kind'
        WHEN e.ticket_state = '' THEN 'ticket_state'
        WHEN e.purpose = '' THEN 'purpose'
        WHEN e.categories IS NULL THEN 'categories'
        WHEN e.request_id IS NULL THEN 'request_id'
        WHEN e.event IN ('request', 'deny', 'withdraw') THEN NULL
        WHEN e.grant_id IS NULL AND (e.source = '' OR e.event NOT IN ('end', 'revoke')) THEN 'grant_id'
        WHEN e.approver = '' AND e.grant_id IS NOT NULL AND e.event <> 'approve' THEN 'approver'
        WHEN NOT audit.is_view(e.event) AND e.event <> 'search' THEN NULL
        WHEN e.fields IS NULL THEN 'fields'
        WHEN audit.is_view(e.event) THEN NULL
        WHEN e.records IS NULL THEN 'records'
        WHEN e.results IS NULL THEN 'results' END
$$;

-- About whom, and what a page calls it.
CREATE OR REPLACE FUNCTION audit.lacking_subject(e public.audit_entry) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN e.outcome = 'withheld' OR audit.is_view(e.event) OR e.event = 'search' THEN NULL
        WHEN e.subject = '' AND e.outcome = 'allowed'
            AND e.event IN ('approve', 'deny', 'withdraw', 'end', 'revoke', 'sign') THEN 'subject'
        WHEN e.object_repr = '' AND (e.event IN ('sign_in', 'sign_in_failed') OR e.event = 'change'
            AND e.source = '' AND (e.details IS NULL AND e.outcome = 'allowed' OR e.outcome = 'failed'))
            THEN 'object_repr'
        WHEN e.event = 'erase' AND e.account = '' THEN 'account'
        WHEN e.event = 'erase' AND e.fields IS NULL THEN 'fields'
        WHEN e.details IS NOT NULL OR e.event IN ('sign_in', 'sign_in_failed', 'sign_out')
            OR e.event = 'change' AND e.source = '' AND e.outcome <> 'refused' THEN NULL
        WHEN e.outcome <> 'refused' OR e.event IN ('request', 'sign', 'review', 'report', 'export', 'change', 'recover')
            THEN 'details' END
$$;

-- Why not.
CREATE OR REPLACE FUNCTION audit.lacking_reason(e public.audit_entry) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN e.outcome NOT IN ('refused', 'withheld') THEN NULL
        WHEN e.reason = '' THEN 'reason'
        WHEN e.outcome = 'withheld' THEN CASE
            WHEN e.answers IS NULL AND e.reason IN ('session_missing', 'check_failed', 'record_failed') THEN NULL
            WHEN e.answers IS NULL THEN 'answers'
            WHEN e.grant_id IS NULL AND e.fields IS NOT NULL THEN 'grant_id' END
        WHEN e.account = '' AND (audit.is_view(e.event) OR e.event = 'request') THEN 'account'
        WHEN e.fields IS NULL AND audit.is_view(e.event) THEN 'fields'
        WHEN e.grant_id IS NULL AND e.event IN ('end', 'revoke') THEN 'grant_id'
        WHEN e.categories IS NULL AND audit.is_view(e.event) THEN 'categories'
        WHEN e.failed IS NULL AND (audit.is_view(e.event) OR e.event IN ('search', 'start', 'request', 'approve', 'deny',
            'withdraw', 'end', 'revoke')) THEN 'failed' END
$$;

-- Number, transaction, time and salts are the database's, whatever was sent: a chosen id would make the
-- next insert fail, a chosen xid or time would put an entry where it never was, a chosen salt would let
-- its leaf be guessed. And an entry without all its facts is rejected. A view that has all of them is known by one short
-- expression, for each reveal pays for it; the long one gives the first that is lacking, and PL/pgSQL makes it ready
-- only where it is asked.
CREATE OR REPLACE FUNCTION audit.stamp_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lacking text;
BEGIN
    IF (audit.is_view(NEW.event) AND NEW.outcome = 'allowed' AND NEW.source = ''
        AND NOT '' = ANY (ARRAY[NEW.cid, NEW.member, NEW.member_name, NEW.factor, NEW.role, NEW.account, NEW.ticket,
            NEW.ticket_kind, NEW.ticket_state, NEW.purpose, NEW.approver]::text[])
        AND num_nulls(NEW.actor_id, NEW.session, NEW.signature, NEW.nda_ends, NEW.request_id, NEW.grant_id,
            NEW.categories, NEW.fields) = 0) IS NOT TRUE THEN
        lacking := coalesce(audit.lacking_kind(NEW), audit.lacking_actor(NEW), audit.lacking_access(NEW),
            audit.lacking_subject(NEW), audit.lacking_reason(NEW));
        IF lacking IS NOT NULL THEN
            RAISE 'an entry % % lacks its %', NEW.event, NEW.outcome, lacking;
        END IF;
    END IF;
    -- The transaction before the number: the sealer relies on it (audit/seal/stored.py, lowest).
    NEW.xid := pg_current_xact_id();  -- the top level's, also behind a savepoint
    NEW.id := nextval('public.audit_entry_id_seq');
    NEW."timestamp" := clock_timestamp();
    -- A version 4 UUID has 122 bits from the system's generator, and nothing else in PostgreSQL's core (15
    -- to 18) has any; three are 366, of which SHA-256 makes two salts of 128.
    NEW.salts := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    RETURN NEW;
END $$;

-- A refused release names what its own session had recorded, and nothing else: otherwise whoever may ask for a
-- release could put a refusal beside anybody's view.
CREATE OR REPLACE FUNCTION audit.check_answer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.audit_entry e WHERE e.id = NEW.answers
            AND e.session = NEW.session AND e.event = NEW.event AND e.outcome = 'allowed') THEN
        RAISE 'an entry answers only what its own session had recorded';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION audit.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'the log is append-only';
END $$;

CREATE OR REPLACE TRIGGER entry_1_admit BEFORE INSERT ON public.audit_entry
    FOR EACH ROW WHEN (current_user <> 'gatekeeper_owner') EXECUTE FUNCTION audit.admit_entry();
CREATE OR REPLACE TRIGGER entry_2_stamp BEFORE INSERT ON public.audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit.stamp_entry();
CREATE OR REPLACE TRIGGER entry_3_answer BEFORE INSERT ON public.audit_entry
    FOR EACH ROW WHEN (NEW.answers IS NOT NULL) EXECUTE FUNCTION audit.check_answer();
CREATE OR REPLACE TRIGGER entry_no_truncate BEFORE TRUNCATE ON public.audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
ALTER TABLE public.audit_entry ENABLE ALWAYS TRIGGER entry_1_admit;
ALTER TABLE public.audit_entry ENABLE ALWAYS TRIGGER entry_2_stamp;
ALTER TABLE public.audit_entry ENABLE ALWAYS TRIGGER entry_3_answer;

REVOKE ALL ON FUNCTION audit.cleaned(jsonb), audit.write_entry(text, text, jsonb),
    audit.write_import(text, boolean, jsonb, text, text), audit.context(jsonb), audit.admit_entry(), audit.is_view(text),
    audit.lacking_kind(public.audit_entry), audit.lacking_actor(public.audit_entry), audit.lacking_access(public.audit_entry),
    audit.lacking_subject(public.audit_entry), audit.lacking_reason(public.audit_entry), audit.stamp_entry(), audit.check_answer(), audit.refuse_rewriting() FROM PUBLIC;
