-- What access rests on changes only together with its entry, of the same transaction and about the same thing.
-- The functions record what they do; these triggers refuse whatever writes such a fact without: a function that
-- forgets to, or the owner by hand. Asked at the transaction's end, so that the order within it is free. They ask
-- the owner alone: no other role has a right to write these columns, and what signing in writes by itself has
-- triggers of its own (staff/sign_in/sql/factors.sql).

-- What the trigger's first argument asks for: an entry of this transaction that is about this ticket, this
-- account's state, this account as stored (also by a batch, which is one entry for all), this member, or that has
-- a certain word in its details, for what is no one's.
CREATE OR REPLACE FUNCTION gatekeeper.require_fact_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    kind text := TG_ARGV[0];
    about text;
BEGIN
    IF kind = 'stored' AND EXISTS (SELECT FROM public.audit_entry e
            WHERE e."timestamp" >= transaction_timestamp() AND e.xid = pg_current_xact_id()
                AND e.event = 'import' AND e.outcome = 'allowed' AND e.account = '') THEN
        RETURN NULL;  -- of a batch this is asked for each account: nothing else is looked up
    END IF;
    IF TG_TABLE_NAME IN ('staff_member', 'gatekeeper_ticket') THEN
        about := NEW.number;
    ELSIF TG_TABLE_NAME = 'staff_signature' THEN
        about := (SELECT m.number FROM public.staff_member m WHERE m.id = NEW.member_id);
    ELSIF TG_TABLE_NAME = 'gatekeeper_assignment' THEN
        about := (SELECT t.number FROM public.gatekeeper_ticket t WHERE t.id = NEW.ticket_id);
    ELSIF TG_TABLE_NAME = 'gatekeeper_account' THEN
        about := NEW.reference;
    ELSIF TG_TABLE_NAME = 'account' THEN
        about := (SELECT a.reference FROM public.gatekeeper_account a WHERE a.id = NEW.account_id);
    ELSIF TG_TABLE_NAME = 'participant' THEN
        about := (SELECT a.reference FROM public.gatekeeper_account a WHERE a.id = coalesce(NEW.account_id, OLD.account_id));
    END IF;
    IF NOT EXISTS (SELECT FROM public.audit_entry e
        WHERE e."timestamp" >= transaction_timestamp() AND e.xid = pg_current_xact_id() AND e.outcome = 'allowed'
            AND CASE kind WHEN 'member' THEN e.subject = about
                WHEN 'ticket' THEN e.ticket = about AND e.event = 'change'
                WHEN 'stored' THEN e.account = about
                WHEN 'state' THEN e.account = about AND e.event IN ('change', 'erase')
                ELSE e.details ? kind END) THEN
        RAISE insufficient_privilege USING MESSAGE = TG_TABLE_NAME || ' changes with its entry alone';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER member_new_is_recorded AFTER INSERT ON public.staff_member DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('member');
CREATE CONSTRAINT TRIGGER member_is_recorded
    AFTER UPDATE OF number, name, email, roles, manager_id, starts_on, left_on, suspended_at, suspended_until,
        suspended_by_id, email_changed_by_id, email_changed_at, password
    ON public.staff_member DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner' AND OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION gatekeeper.require_fact_entry('member');
CREATE CONSTRAINT TRIGGER signature_is_recorded AFTER INSERT OR UPDATE ON public.staff_signature
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('member');
CREATE CONSTRAINT TRIGGER version_is_recorded AFTER INSERT OR UPDATE ON public.staff_ndaversion
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('nda_version');

CREATE CONSTRAINT TRIGGER ticket_is_recorded AFTER UPDATE OF number, kind, state, accounts, assignee_id ON public.gatekeeper_ticket
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner' AND (OLD.number, OLD.kind, OLD.state, OLD.accounts, OLD.assignee_id)
        IS DISTINCT FROM (NEW.number, NEW.kind, NEW.state, NEW.accounts, NEW.assignee_id))
    EXECUTE FUNCTION gatekeeper.require_fact_entry('ticket');
CREATE CONSTRAINT TRIGGER ticket_new_is_recorded AFTER INSERT ON public.gatekeeper_ticket DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('ticket');
CREATE CONSTRAINT TRIGGER assignment_is_recorded AFTER INSERT OR UPDATE ON public.gatekeeper_assignment
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('ticket');

CREATE CONSTRAINT TRIGGER account_new_is_recorded AFTER INSERT ON public.gatekeeper_account DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('stored');
CREATE CONSTRAINT TRIGGER account_is_recorded
    AFTER UPDATE OF reference, participants_since, participants_until, support_since, support_until, restricted_at, erased_at
    ON public.gatekeeper_account DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner' AND (OLD.reference, OLD.participants_since, OLD.participants_until,
            OLD.support_since, OLD.support_until, OLD.restricted_at IS NULL, OLD.erased_at)
        IS DISTINCT FROM (NEW.reference, NEW.participants_since, NEW.participants_until,
            NEW.support_since, NEW.support_until, NEW.restricted_at IS NULL, NEW.erased_at))
    EXECUTE FUNCTION gatekeeper.require_fact_entry('state');
-- A new account's values come with its row in gatekeeper_account, of which it is asked already.
CREATE CONSTRAINT TRIGGER values_are_recorded AFTER UPDATE OF account_id, wrapped_key, fields, ciphertexts ON vault.account
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('stored');
CREATE CONSTRAINT TRIGGER restriction_is_recorded AFTER UPDATE OF restricted_at, held_at ON vault.account
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner' AND (OLD.restricted_at IS NULL, OLD.held_at IS NULL)
        IS DISTINCT FROM (NEW.restricted_at IS NULL, NEW.held_at IS NULL))
    EXECUTE FUNCTION gatekeeper.require_fact_entry('state');
CREATE CONSTRAINT TRIGGER participant_is_recorded AFTER INSERT OR UPDATE ON vault.participant
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('stored');
CREATE CONSTRAINT TRIGGER objection_is_recorded AFTER UPDATE OF objected ON vault.participant
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner' AND OLD.objected <> NEW.objected) EXECUTE FUNCTION gatekeeper.require_fact_entry('state');
CREATE CONSTRAINT TRIGGER removal_is_recorded AFTER DELETE ON vault.participant DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('state');

CREATE CONSTRAINT TRIGGER limit_new_is_recorded AFTER INSERT ON public.audit_limit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('limits');
CREATE CONSTRAINT TRIGGER limit_is_recorded AFTER UPDATE ON public.audit_limit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner' AND OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION gatekeeper.require_fact_entry('limits');
CREATE CONSTRAINT TRIGGER limit_removed_is_recorded AFTER DELETE ON public.audit_limit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('limits');

CREATE CONSTRAINT TRIGGER more_is_recorded AFTER INSERT OR UPDATE ON public.gatekeeper_moretoday DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_fact_entry('more_today');

REVOKE ALL ON FUNCTION gatekeeper.require_fact_entry() FROM PUBLIC;
