-- Grants end, and what ended stays ended. Whatever a grant rests on, its going ends it in the same
-- transaction: a cascade goes downward only in the one order of locks.

-- Takes all rows that endings will touch at once and in one order: two that end several things, each
-- in an order of its own, would wait for each other. Guardian's rows before the grants: whoever removes
-- one (remove_perm) comes from there by trigger.
CREATE OR REPLACE FUNCTION gatekeeper.lock_endings(p_requests bigint[], p_grants bigint[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    PERFORM FROM public.gatekeeper_accessrequest x WHERE x.id = ANY (p_requests) ORDER BY x.id FOR NO KEY UPDATE;
    PERFORM FROM public.gatekeeper_accountpermission p
    WHERE (p.user_id, p.content_object_id) IN (
        SELECT x.member_id, x.account_id FROM public.gatekeeper_grant x WHERE x.id = ANY (p_grants))
    ORDER BY p.id FOR UPDATE;
    PERFORM FROM public.gatekeeper_grant x WHERE x.id = ANY (p_grants) ORDER BY x.id FOR NO KEY UPDATE;
END $$;

-- Ends the grants named that still live, records each, and takes guardian's row with the last.
-- p_facts: who did it (an actor's facts, or a source); p_by: their id, NULL for a cascade.
CREATE OR REPLACE FUNCTION gatekeeper.end_grants(p_grants bigint[], p_reason text, p_by bigint, p_facts jsonb)
RETURNS integer LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    g record;
    ended integer := 0;
BEGIN
    PERFORM gatekeeper.lock_endings('{}', p_grants);
    FOR g IN
        SELECT x.*, b.reference, k.number AS ticket_number, k.kind, k.state, m.number AS holder, y.number AS approved_by
        FROM public.gatekeeper_grant x
            JOIN public.gatekeeper_account b ON b.id = x.account_id
            JOIN public.gatekeeper_ticket k ON k.id = x.ticket_id
            JOIN public.staff_member m ON m.id = x.member_id
            JOIN public.staff_member y ON y.id = x.approver_id
        WHERE x.id = ANY (p_grants) AND x.ended_at IS NULL
        ORDER BY x.id FOR NO KEY UPDATE OF x
    LOOP
        UPDATE public.gatekeeper_grant x
        SET ended_at = clock_timestamp(), end_reason = p_reason, ended_by_id = p_by WHERE x.id = g.id;
        PERFORM audit.write_entry(
            CASE WHEN p_by <> g.member_id OR p_reason = 'permission_removed' THEN 'revoke' ELSE 'end' END, 'allowed',
            p_facts || jsonb_build_object('account', g.reference, 'subject', g.holder, 'ticket', g.ticket_number,
                'ticket_kind', g.kind, 'ticket_state', g.state, 'purpose', g.purpose, 'categories', g.categories,
                'request_id', g.request_id, 'grant_id', g.id, 'approver', g.approved_by, 'reason', '',
                'failed', NULL, 'details', jsonb_build_object('why', p_reason, 'views', g.views)));
        ended := ended + 1;
    END LOOP;
    DELETE FROM public.gatekeeper_accountpermission p USING public.gatekeeper_grant x
    WHERE x.id = ANY (p_grants) AND p.user_id = x.member_id AND p.content_object_id = x.account_id
        AND NOT EXISTS (SELECT FROM public.gatekeeper_grant y WHERE y.member_id = x.member_id
                        AND y.account_id = x.account_id AND y.ended_at IS NULL);
    RETURN ended;
END $$;

-- A request that nobody can grant any more is over.
CREATE OR REPLACE FUNCTION gatekeeper.expire_requests(p_requests bigint[], p_reason text) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    r record;
    expired integer := 0;
BEGIN
    FOR r IN
        SELECT x.id, x.purpose, x.categories, b.reference, k.number AS ticket_number, k.kind, k.state, m.number AS holder
        FROM public.gatekeeper_accessrequest x JOIN public.gatekeeper_account b ON b.id = x.account_id
            JOIN public.gatekeeper_ticket k ON k.id = x.ticket_id JOIN public.staff_member m ON m.id = x.member_id
        WHERE x.id = ANY (p_requests) AND x.state = 'pending' ORDER BY x.id FOR NO KEY UPDATE OF x
    LOOP
        UPDATE public.gatekeeper_accessrequest x SET state = 'lapsed', decided_at = clock_timestamp() WHERE x.id = r.id;
        PERFORM audit.write_entry('end', 'allowed', jsonb_build_object('account', r.reference, 'subject', r.holder,
            'ticket', r.ticket_number, 'ticket_kind', r.kind, 'ticket_state', r.state, 'purpose', r.purpose,
            'categories', r.categories, 'request_id', r.id, 'source', 'gatekeeper', 'details', jsonb_build_object('why', p_reason)));
        expired := expired + 1;
    END LOOP;
    RETURN expired;
END $$;

-- What goes takes the grants with it. One trigger function: the list of what a grant rests on. `grants` go with
-- what went; of `approved` those whose approver's word counts no more, or stops counting before their window
-- ends: that end was written when it counted for longer.
CREATE OR REPLACE FUNCTION gatekeeper.cascade() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    why text;
    rests boolean := false;  -- an approval may rest on what has changed
    grants bigint[] := '{}';
    approved bigint[] := '{}';
    requests bigint[] := '{}';
    today date;
BEGIN
    IF TG_TABLE_NAME = 'gatekeeper_ticket' THEN
        why := CASE WHEN (NEW.state IN ('open', 'pending')) IS NOT TRUE THEN 'ticket_closed'
                    WHEN NEW.assignee_id IS DISTINCT FROM OLD.assignee_id THEN 'ticket_not_yours'
                    WHEN NEW.accounts IS DISTINCT FROM OLD.accounts THEN 'ticket_other_account' END;
        grants := ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.ticket_id = NEW.id AND g.ended_at IS NULL);
        requests := ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r WHERE r.ticket_id = NEW.id AND r.state = 'pending');
    ELSIF TG_TABLE_NAME = 'staff_member' THEN
        today := audit.today();
        why := CASE WHEN staff.is_suspended(NEW.suspended_at, NEW.suspended_until) THEN 'member_suspended'
                    WHEN NEW.left_on < today THEN 'member_left'
                    WHEN (NEW.starts_on <= today) IS NOT TRUE THEN 'member_not_started'
                    WHEN NOT NEW.roles @> OLD.roles THEN 'role_missing' END;
        rests := why IS NOT NULL OR (NEW.left_on, NEW.manager_id) IS DISTINCT FROM (OLD.left_on, OLD.manager_id);
        IF rests THEN
            PERFORM gatekeeper.lock_authority(NULL, ARRAY[NEW.id]);
            approved := gatekeeper.resting_on(ARRAY[NEW.id], NEW.manager_id IS DISTINCT FROM OLD.manager_id);
        END IF;
        grants := ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.ended_at IS NULL AND g.member_id = NEW.id
            AND CASE WHEN why IS NULL THEN g.window_ends_at > audit.end_of_day(NEW.left_on)
                     ELSE why <> 'role_missing' OR NOT 'consultant' = ANY (NEW.roles) END);
        requests := ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r WHERE r.member_id = NEW.id
            AND r.state = 'pending' AND (why <> 'role_missing' OR NOT 'consultant' = ANY (NEW.roles)));
    ELSIF TG_TABLE_NAME = 'staff_signature' THEN
        why := CASE WHEN NEW.withdrawn_at IS NOT NULL THEN 'nda_withdrawn' END;
        rests := why IS NOT NULL;
        grants := ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.signature_id = NEW.id AND g.ended_at IS NULL);
        approved := gatekeeper.resting_on(ARRAY[NEW.member_id], false);
    ELSIF TG_TABLE_NAME = 'staff_ndaversion' THEN  -- a new one changes when everybody's agreement ends
        rests := true;
        approved := ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.ended_at IS NULL);
    ELSIF TG_TABLE_NAME = 'gatekeeper_deputy' THEN
        rests := true;
        approved := gatekeeper.resting_on(ARRAY[NEW.deputy_id], false);
    ELSIF TG_TABLE_NAME = 'gatekeeper_account' THEN
        why := CASE WHEN NEW.erased_at IS NOT NULL THEN 'account_erased' END;
        grants := ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.account_id = NEW.id AND g.ended_at IS NULL);
        requests := ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r WHERE r.account_id = NEW.id AND r.state = 'pending');
    ELSE  -- guardian's row was taken away (remove_perm)
        why := 'permission_removed';
        grants := ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.member_id = OLD.user_id
            AND g.account_id = OLD.content_object_id AND g.ended_at IS NULL);
    END IF;
    IF why IS NOT NULL OR rests THEN
        IF current_setting('transaction_isolation') <> 'read committed' THEN
            -- An older snapshot does not see a grant that was approved meanwhile: it would outlive this.
            RAISE 'what ends grants runs in READ COMMITTED only';
        END IF;
        PERFORM gatekeeper.lock_endings(CASE WHEN why IS NOT NULL THEN requests END, grants || approved);
        IF why IS NOT NULL THEN
            PERFORM gatekeeper.expire_requests(requests, why);
        END IF;
        PERFORM gatekeeper.end_grants(grants, coalesce(why, 'member_left'), NULL, '{"source": "gatekeeper"}');
        -- Judged when they are locked: a window that was being opened meanwhile has its end by now.
        PERFORM gatekeeper.end_grants(ARRAY(SELECT g.id FROM public.gatekeeper_grant g WHERE g.id = ANY (approved)
                AND gatekeeper.approval_ends(g.member_id, g.approver_id) < greatest(g.window_ends_at, clock_timestamp())),
            coalesce(why, 'approver_gone'), NULL, '{"source": "gatekeeper"}');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ticket_ends_grants AFTER UPDATE ON public.gatekeeper_ticket
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();
CREATE OR REPLACE TRIGGER member_ends_grants
    AFTER UPDATE OF roles, starts_on, left_on, suspended_at, manager_id ON public.staff_member
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();
CREATE OR REPLACE TRIGGER signature_ends_grants AFTER UPDATE OF withdrawn_at ON public.staff_signature
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();
CREATE OR REPLACE TRIGGER version_ends_grants AFTER INSERT ON public.staff_ndaversion
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();
CREATE OR REPLACE TRIGGER deputy_ends_grants AFTER UPDATE OF begins_at, ends_at ON public.gatekeeper_deputy
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();
CREATE OR REPLACE TRIGGER account_ends_grants AFTER UPDATE OF erased_at ON public.gatekeeper_account
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();
CREATE OR REPLACE TRIGGER permission_ends_grants AFTER DELETE ON public.gatekeeper_accountpermission
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.cascade();

-- What staff says of members before it happens (staff/directory/sql/people.sql): whatever may end with a change of theirs
-- is locked before the first of them is changed; and who comes back has no request, no access and no deputy of before,
-- nor is one.
CREATE OR REPLACE FUNCTION gatekeeper.follow_members() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    returned boolean := NEW.news = 'returned';
    requests bigint[] := ARRAY(SELECT r.id FROM public.gatekeeper_accessrequest r
        WHERE r.member_id = ANY (NEW.members) AND r.state = 'pending');
    grants bigint[] := ARRAY(SELECT g.id FROM public.gatekeeper_grant g
        WHERE (g.member_id = ANY (NEW.members) OR g.approver_id = ANY (NEW.members)) AND g.ended_at IS NULL);
BEGIN
    PERFORM gatekeeper.lock_authority(NULL, NEW.members);
    PERFORM gatekeeper.lock_endings(requests, grants || gatekeeper.resting_on(NEW.members, NOT returned));
    IF returned THEN
        PERFORM gatekeeper.expire_requests(requests, 'member_left');
        PERFORM gatekeeper.end_grants(grants, 'member_left', NULL, '{"source": "gatekeeper"}');
        UPDATE public.gatekeeper_deputy x SET ends_at = greatest(NEW.since, x.begins_at + interval '1 microsecond')
        WHERE (x.manager_id = ANY (NEW.members) OR x.deputy_id = ANY (NEW.members)) AND x.ends_at > clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER news_1_accesses INSTEAD OF INSERT ON staff.member_news
    FOR EACH ROW EXECUTE FUNCTION gatekeeper.follow_members();

REVOKE ALL ON FUNCTION gatekeeper.lock_endings(bigint[], bigint[]), gatekeeper.end_grants(bigint[], text, bigint, jsonb), gatekeeper.expire_requests(bigint[], text),
    gatekeeper.cascade(), gatekeeper.follow_members() FROM PUBLIC;
