-- The log: one writer, append-only, and no forged entry (DESIGN §5).
-- A Django developer reads this from top to bottom; `migrate` installs it; a check compares it.

-- The writer in SQL, save for views that are allowed: vault.record_view writes those column by column, for
-- they must be quick. The keys of p_facts are names of columns; what is unknown is ignored, so that a
-- decision's whole record can be passed. Internal: only the owner's functions call it.
CREATE OR REPLACE FUNCTION vault.write_entry(p_event text, p_outcome text, p_facts jsonb)
RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    written bigint;
BEGIN
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

-- What a web caller may say of the request itself, and nothing more: a context that could name other
-- columns would let the caller write the facts of a decision.
CREATE OR REPLACE FUNCTION vault.context(p_context jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN jsonb_build_object('remote_addr', p_context->>'remote_addr', 'cid', left(p_context->>'cid', 64),
                              'user_agent', left(p_context->>'user_agent', 200));
END $$;

-- What a role may insert by itself: only ordinary changes of models and sign-ins, or somebody could forge
-- a view, or an approval, and frame another. The owner's functions insert anything: the trigger does not
-- ask them.
CREATE OR REPLACE FUNCTION vault.admit_entry() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.event IN ('change', 'sign_in', 'sign_in_failed', 'sign_out')
        AND NEW.outcome IN ('allowed', 'refused', 'failed')
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

-- Number, transaction and time are the database's, whatever was sent: a chosen id would make the
-- next insert fail, a chosen xid or time would put an entry where it never was.
CREATE OR REPLACE FUNCTION vault.stamp_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.id := nextval('public.audit_entry_id_seq');
    NEW.xid := pg_current_xact_id();  -- the top level's, also behind a savepoint
    NEW."timestamp" := clock_timestamp();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION vault.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE insufficient_privilege USING MESSAGE = 'the log is append-only';
END $$;

CREATE OR REPLACE TRIGGER entry_1_admit BEFORE INSERT ON public.audit_entry
    FOR EACH ROW WHEN (current_user <> 'gatekeeper_owner') EXECUTE FUNCTION vault.admit_entry();
CREATE OR REPLACE TRIGGER entry_2_stamp BEFORE INSERT ON public.audit_entry
    FOR EACH ROW EXECUTE FUNCTION vault.stamp_entry();
CREATE OR REPLACE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON public.audit_entry
    FOR EACH ROW EXECUTE FUNCTION vault.refuse_rewriting();
CREATE OR REPLACE TRIGGER entry_no_truncate BEFORE TRUNCATE ON public.audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_rewriting();
ALTER TABLE public.audit_entry ENABLE ALWAYS TRIGGER entry_1_admit;
ALTER TABLE public.audit_entry ENABLE ALWAYS TRIGGER entry_2_stamp;

REVOKE ALL ON FUNCTION vault.write_entry(text, text, jsonb), vault.context(jsonb), vault.admit_entry(),
    vault.stamp_entry(), vault.refuse_rewriting() FROM PUBLIC;
