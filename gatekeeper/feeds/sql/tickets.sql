-- What the helpdesk says. Access rests on it, so it is applied and recorded here alone.

-- Applies tickets as the helpdesk tells them, each number at most once in a call. Outcomes: new,
-- changed, same; older (a newer one stands); tied (another one of the same moment stands: the sender
-- repeats it with a later time); future (a time that cannot be: unusable, the caller blocks the ticket).
-- Of two of one moment closing wins, and of two that are open being nobody's: both only take away.
-- p_as_of: the moment at which a complete list of the helpdesk began. What it says of an earlier moment
-- is the last word about it, and about a ticket that was blocked or missing before.
-- Who is no member of ours is nobody. An assignment runs while the ticket is open, this member's and
-- about these accounts; the update of the ticket ends the grants.
CREATE OR REPLACE FUNCTION gatekeeper.apply_tickets(p_tickets jsonb, p_source text, p_as_of timestamptz DEFAULT NULL)
RETURNS TABLE (number text, outcome text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    i record;  -- as it comes in
    t record;  -- as it stands
    at timestamptz := clock_timestamp();
    told jsonb;
    settled boolean;  -- by a complete list, which is younger than the whole second in which two came
BEGIN
    -- All at once and in one order, or two deliveries would wait for each other.
    PERFORM FROM public.gatekeeper_ticket x
    WHERE x.number IN (SELECT y->>'number' FROM jsonb_array_elements(p_tickets) y)
    ORDER BY x.number FOR NO KEY UPDATE;
    PERFORM gatekeeper.lock_endings(
        ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r JOIN public.gatekeeper_ticket x ON x.id = r.ticket_id
            WHERE r.state = 'pending' AND x.number IN (SELECT y->>'number' FROM jsonb_array_elements(p_tickets) y)),
        ARRAY(SELECT g.id FROM public.gatekeeper_grant g JOIN public.gatekeeper_ticket x ON x.id = g.ticket_id
            WHERE g.ended_at IS NULL AND x.number IN (SELECT y->>'number' FROM jsonb_array_elements(p_tickets) y)));
    FOR i IN
        SELECT x.*, m.id AS assignee_id, m.number AS member, x.state IN ('open', 'pending') AS is_open
        FROM jsonb_to_recordset(p_tickets) AS x (number text, kind text, state text, accounts text[], assignee text,
                opened_by text, opened_at timestamptz, updated_at timestamptz, closed_at timestamptz, sent_assignee text)
            LEFT JOIN public.staff_member m ON x.assignee IN (m.number, m.email)
        ORDER BY x.number
    LOOP
        number := i.number;
        i.sent_assignee := coalesce(i.sent_assignee, '');
        outcome := 'future';
        IF i.updated_at > at + interval '5 minutes' THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        INSERT INTO public.gatekeeper_ticket (number, kind, state, accounts, opened_by, updated_at, sent_assignee)
        VALUES (i.number, i.kind, '', '{}', '', '-infinity', '') ON CONFLICT DO NOTHING;
        SELECT x.*, m.number AS member, x.state IN ('open', 'pending') AS is_open INTO t
        FROM public.gatekeeper_ticket x LEFT JOIN public.staff_member m ON m.id = x.assignee_id
        WHERE x.number = i.number FOR NO KEY UPDATE OF x;
        settled := coalesce(p_as_of > t.updated_at + interval '1 second', false);
        outcome := CASE
            WHEN t.state = '' THEN 'new'
            WHEN i.updated_at < t.updated_at AND NOT (settled AND t.state IN ('unusable', 'missing')) THEN 'older'
            WHEN (t.kind, t.state, t.accounts::text[], t.assignee_id, t.opened_by, t.opened_at, t.closed_at)
                IS NOT DISTINCT FROM
                (i.kind, i.state, i.accounts, i.assignee_id, i.opened_by, i.opened_at, i.closed_at) THEN 'same'
            WHEN i.updated_at > t.updated_at OR settled OR t.state = 'unusable' THEN 'changed'
            WHEN t.is_open AND NOT i.is_open THEN 'changed'
            WHEN t.is_open AND t.assignee_id IS NOT NULL AND i.assignee_id IS NULL THEN 'changed'
            ELSE 'tied' END;
        RETURN NEXT;
        CONTINUE WHEN outcome IN ('older', 'tied');
        CONTINUE WHEN outcome = 'same' AND i.updated_at = t.updated_at AND i.sent_assignee = t.sent_assignee;
        UPDATE public.gatekeeper_ticket x SET kind = i.kind, state = i.state, accounts = i.accounts,
            assignee_id = i.assignee_id, opened_by = i.opened_by, opened_at = i.opened_at,
            updated_at = i.updated_at, closed_at = i.closed_at, sent_assignee = i.sent_assignee
        WHERE x.id = t.id;
        UPDATE public.gatekeeper_assignment x SET ended_at = at
        WHERE x.ticket_id = t.id AND x.ended_at IS NULL
            AND (i.is_open AND x.member_id = i.assignee_id AND x.accounts::text[] = i.accounts) IS NOT TRUE;
        INSERT INTO public.gatekeeper_assignment (ticket_id, member_id, accounts, began_at)
        SELECT t.id, i.assignee_id, i.accounts, at WHERE i.is_open AND i.assignee_id IS NOT NULL
        ON CONFLICT DO NOTHING;  -- one runs already
        SELECT jsonb_object_agg(x.fact, jsonb_build_array(x.was, x.becomes)) INTO told FROM (VALUES
            ('state', to_jsonb(nullif(t.state, '')), to_jsonb(i.state)),
            ('kind', to_jsonb(CASE t.state WHEN '' THEN i.kind ELSE t.kind END), to_jsonb(i.kind)),  -- a new one has it beside
            ('assignee', to_jsonb(t.member), to_jsonb(i.member)),
            ('accounts', to_jsonb(t.accounts), to_jsonb(i.accounts))) AS x (fact, was, becomes)
        WHERE x.was IS DISTINCT FROM x.becomes;
        IF told IS NOT NULL THEN
            PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
                'ticket', i.number, 'ticket_kind', i.kind, 'ticket_state', i.state, 'subject', i.member,
                'details', told || jsonb_build_object('told_at', i.updated_at)));
        END IF;
    END LOOP;
END $$;

-- A message about a known ticket that cannot be used blocks it until a usable one comes. p_at: the
-- message's own time, or when it was sent, so that an older message does not open the ticket again.
CREATE OR REPLACE FUNCTION gatekeeper.block_ticket(p_number text, p_at timestamptz, p_source text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    t public.gatekeeper_ticket;
BEGIN
    SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.number = p_number FOR NO KEY UPDATE;
    IF t.id IS NULL THEN
        RETURN 'unknown';
    END IF;
    UPDATE public.gatekeeper_ticket x SET updated_at = greatest(x.updated_at,
            CASE WHEN p_at IS NOT NULL THEN least(p_at, at) END),
        state = CASE WHEN x.state IN ('open', 'pending') THEN 'unusable' ELSE x.state END, sent_assignee = ''
    WHERE x.id = t.id;
    UPDATE public.gatekeeper_assignment x SET ended_at = at WHERE x.ticket_id = t.id AND x.ended_at IS NULL;
    IF t.state NOT IN ('open', 'pending') THEN
        RETURN 'same';
    END IF;
    PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80), 'ticket', p_number,
        'ticket_kind', t.kind, 'ticket_state', 'unusable',
        'details', jsonb_build_object('state', jsonb_build_array(t.state, 'unusable'))));
    RETURN 'blocked';
END $$;

-- Closes what is open here and a complete list of the helpdesk does not have, as far as it is not newer
-- than the list's beginning. Returns the numbers that it closed. A message that is older than the list does
-- not open them again; a newer one does, and so does a later list.
CREATE OR REPLACE FUNCTION gatekeeper.close_missing(p_numbers text[], p_as_of timestamptz, p_source text) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    t public.gatekeeper_ticket;
BEGIN
    IF (p_as_of <= at + interval '5 minutes') IS NOT TRUE THEN
        RAISE 'a complete list has a beginning, which is not in the future';
    END IF;
    PERFORM FROM public.gatekeeper_ticket x WHERE x.number = ANY (p_numbers) ORDER BY x.number FOR NO KEY UPDATE;
    PERFORM gatekeeper.lock_endings(
        ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r JOIN public.gatekeeper_ticket x ON x.id = r.ticket_id
            WHERE r.state = 'pending' AND x.number = ANY (p_numbers)),
        ARRAY(SELECT g.id FROM public.gatekeeper_grant g JOIN public.gatekeeper_ticket x ON x.id = g.ticket_id
            WHERE g.ended_at IS NULL AND x.number = ANY (p_numbers)));
    FOR t IN
        SELECT x.* FROM public.gatekeeper_ticket x
        WHERE x.number = ANY (p_numbers) AND x.state IN ('open', 'pending') AND x.updated_at <= p_as_of ORDER BY x.number
    LOOP
        UPDATE public.gatekeeper_ticket x SET state = 'missing', updated_at = p_as_of, sent_assignee = '' WHERE x.id = t.id;
        UPDATE public.gatekeeper_assignment x SET ended_at = at WHERE x.ticket_id = t.id AND x.ended_at IS NULL;
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'ticket', t.number, 'ticket_kind', t.kind, 'ticket_state', 'missing',
            'details', jsonb_build_object('state', jsonb_build_array(t.state, 'missing'), 'told_at', p_as_of)));
        RETURN NEXT t.number;
    END LOOP;
END $$;

-- Whether the helpdesk's contact can be relied on, as the gate counts its age: fresh or stale; '' where it was
-- without contact so far. Internal.
CREATE OR REPLACE FUNCTION gatekeeper.contact_of(p_feed public.gatekeeper_feed) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE WHEN p_feed.name <> 'tickets' OR p_feed.contact_at IS NULL THEN ''
        WHEN l.feed_age > '0' AND clock_timestamp() >= least(p_feed.contact_at, p_feed.doubted_at) + l.feed_age THEN 'stale'
        ELSE 'fresh' END
    FROM staff.limits l
$$;

-- Records that the contact has turned stale or fresh since it was last recorded, if it has. Time alone makes it
-- stale, so whoever comes first says so: tidying, or the next message. The gate waits for neither. Internal.
CREATE OR REPLACE FUNCTION gatekeeper.note_contact(p_source text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    f public.gatekeeper_feed;
    turned text;
BEGIN
    SELECT x.* INTO f FROM public.gatekeeper_feed x WHERE x.name = 'tickets' FOR NO KEY UPDATE;
    turned := gatekeeper.contact_of(f);
    IF f.name IS NOT NULL AND turned <> f.contact THEN
        UPDATE public.gatekeeper_feed x SET contact = turned WHERE x.name = f.name;
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80), 'details',
            jsonb_build_object('feed', f.name, 'contact', jsonb_build_array(nullif(f.contact, ''), turned), 'heard_at', f.contact_at)));
    END IF;
END $$;

-- A feed's row: a doubt and a turn of its contact are entries; and whoever hears it records the turn.
CREATE OR REPLACE FUNCTION gatekeeper.require_contact_entry() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    f public.gatekeeper_feed;
BEGIN
    SELECT x.* INTO f FROM public.gatekeeper_feed x WHERE x.name = NEW.name;  -- as it stands at the end
    IF (f.contact, f.doubted_at IS NULL) IS DISTINCT FROM (OLD.contact, OLD.doubted_at IS NULL)
            AND NOT EXISTS (SELECT FROM public.audit_entry e
                WHERE e."timestamp" >= transaction_timestamp() AND e.xid = pg_current_xact_id() AND e.outcome = 'allowed'
                    AND e.details->>'feed' = NEW.name)
        OR f.contact_at IS DISTINCT FROM OLD.contact_at AND f.contact <> gatekeeper.contact_of(f) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a feed''s contact turns with its entry alone';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER contact_is_recorded AFTER INSERT OR UPDATE ON public.gatekeeper_feed
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_owner') EXECUTE FUNCTION gatekeeper.require_contact_entry();

-- Record an authentic message of the helpdesk: a delivery, a heartbeat or a finished import.
CREATE OR REPLACE FUNCTION gatekeeper.record_contact(p_source text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM gatekeeper.note_contact(p_source);  -- that it had turned stale, where nobody has said so
    INSERT INTO public.gatekeeper_feed (name, contact_at) VALUES ('tickets', clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET contact_at = clock_timestamp();
    PERFORM gatekeeper.note_contact(p_source);
END $$;

-- What is held of a feed may not be what the sender holds. A doubt is on the page of checks at once; the
-- gate counts the feed's age from the first doubt that nothing has settled. p_doubt: unreadable (an
-- authentic message names nothing that can be told) or digest (a heartbeat named other tickets).
CREATE OR REPLACE FUNCTION gatekeeper.doubt(p_feed text, p_doubt text, p_source text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    at timestamptz := clock_timestamp();
    f public.gatekeeper_feed;
BEGIN
    INSERT INTO public.gatekeeper_feed (name) VALUES (p_feed) ON CONFLICT DO NOTHING;
    SELECT x.* INTO f FROM public.gatekeeper_feed x WHERE x.name = p_feed FOR NO KEY UPDATE;
    UPDATE public.gatekeeper_feed x
    SET doubted_at = coalesce(f.doubted_at, at), doubted_last_at = at, doubt = p_doubt WHERE x.name = p_feed;
    IF f.doubted_at IS NULL THEN
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'details', jsonb_build_object('feed', p_feed, 'doubt', jsonb_build_array(NULL, p_doubt))));
    END IF;
END $$;

-- All that a feed holds was compared with what the sender held at p_as_of, or was taken from there: older
-- doubts are settled, younger ones stay.
CREATE OR REPLACE FUNCTION gatekeeper.settle(p_feed text, p_as_of timestamptz, p_source text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    as_of timestamptz := least(p_as_of, clock_timestamp());
    f public.gatekeeper_feed;
BEGIN
    SELECT x.* INTO f FROM public.gatekeeper_feed x WHERE x.name = p_feed FOR NO KEY UPDATE;
    UPDATE public.gatekeeper_feed x SET settled_at = greatest(f.settled_at, as_of) WHERE x.name = p_feed;
    IF f.doubted_last_at <= as_of THEN
        UPDATE public.gatekeeper_feed x SET doubted_at = NULL, doubted_last_at = NULL, doubt = '' WHERE x.name = p_feed;
        PERFORM audit.write_entry('change', 'allowed', jsonb_build_object('source', left(p_source, 80),
            'details', jsonb_build_object('feed', p_feed, 'doubt', jsonb_build_array(f.doubt, NULL))));
    ELSIF f.doubted_at < as_of THEN  -- of those that are left, none is older than this
        UPDATE public.gatekeeper_feed x SET doubted_at = as_of WHERE x.name = p_feed;
    END IF;
    PERFORM gatekeeper.note_contact(p_source);
END $$;

-- Compares the open tickets with those that the helpdesk held at p_as_of: how many, and the SHA-256 of
-- one line for each (gatekeeper/feeds/README.md has its form). Returns whether they are the same; what is not told is not compared.
-- Only a digest settles doubts.
CREATE OR REPLACE FUNCTION gatekeeper.compare_tickets(p_open bigint, p_digest text, p_as_of timestamptz, p_source text)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    held bigint;
    digest text;
BEGIN
    SELECT count(*), encode(sha256(convert_to(coalesce(string_agg(x.line || E'\n', '' ORDER BY x.line COLLATE "C"), ''), 'UTF8')), 'hex')
    INTO held, digest FROM gatekeeper.open_tickets() x;
    IF (p_open IS NULL OR p_open = held) AND (p_digest IS NULL OR p_digest = digest) THEN
        IF p_digest IS NOT NULL THEN
            PERFORM gatekeeper.settle('tickets', p_as_of, p_source);
        END IF;
        RETURN true;
    END IF;
    PERFORM gatekeeper.doubt('tickets', 'digest', p_source);
    RETURN false;
END $$;

-- The lines over which the digest of a heartbeat goes.
CREATE OR REPLACE FUNCTION gatekeeper.open_tickets() RETURNS TABLE (number text, line text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT x.number::text, x.number || E'\t' || x.sent_assignee || E'\t' || x.state
    FROM public.gatekeeper_ticket x WHERE x.state IN ('open', 'pending')
$$;

REVOKE ALL ON FUNCTION gatekeeper.contact_of(public.gatekeeper_feed), gatekeeper.note_contact(text), gatekeeper.require_contact_entry(),
    gatekeeper.apply_tickets(jsonb, text, timestamptz), gatekeeper.block_ticket(text, timestamptz, text),
    gatekeeper.close_missing(text[], timestamptz, text), gatekeeper.record_contact(text), gatekeeper.doubt(text, text, text),
    gatekeeper.settle(text, timestamptz, text), gatekeeper.compare_tickets(bigint, text, timestamptz, text), gatekeeper.open_tickets()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.apply_tickets(jsonb, text, timestamptz), gatekeeper.block_ticket(text, timestamptz, text),
    gatekeeper.close_missing(text[], timestamptz, text), gatekeeper.record_contact(text), gatekeeper.doubt(text, text, text),
    gatekeeper.settle(text, timestamptz, text), gatekeeper.compare_tickets(bigint, text, timestamptz, text), gatekeeper.open_tickets()
    TO gatekeeper_feed;
