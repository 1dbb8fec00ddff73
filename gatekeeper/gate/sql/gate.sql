-- The gate: every condition is found, locked and judged in one place (staff/session/sql/authorize.sql judges the
-- person, verdicts.sql the account; gatekeeper/README.md, 'The conditions', their order).
-- Python presents what this returns and never decides again.

-- The ticket under which a member would see an account: the one that was named, if it ever was theirs, for nobody
-- learns which numbers there are, and how they stand; or the one nearest to opening this account. Internal, as are
-- the next two; none has settings of its own, as gatekeeper.decide, which calls them.
CREATE OR REPLACE FUNCTION gatekeeper.nearest_ticket(p_member bigint, p_ticket text, p_account text, p_account_id bigint)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_ticket IS NOT NULL THEN
        RETURN (SELECT x.id FROM public.gatekeeper_ticket x WHERE x.number = p_ticket AND EXISTS (
            SELECT FROM public.gatekeeper_assignment y WHERE y.ticket_id = x.id AND y.member_id = p_member));
    END IF;
    RETURN (SELECT x.ticket_id FROM public.gatekeeper_assignment x
        WHERE x.member_id = p_member AND x.accounts @> ARRAY[p_account]::varchar[]
        ORDER BY x.ended_at IS NOT NULL, (
                SELECT max(coalesce(y.window_ends_at, '-infinity')) FROM public.gatekeeper_grant y
                WHERE y.member_id = p_member AND y.account_id = p_account_id AND y.ended_at IS NULL AND y.assignment_id = x.id
            ) DESC NULLS LAST, x.id DESC LIMIT 1);
END $$;

-- How far a member came with an account under a ticket: the access that is open or may be opened, which asking for
-- more never closes, or else the newest request, and what came of it. Where a grant was named (p_named), and is none
-- of the member's, only the request: it opens nothing.
CREATE OR REPLACE FUNCTION gatekeeper.newest_access(
    p_member bigint, p_account bigint, p_ticket bigint, p_assignment bigint, p_named boolean, p_at timestamptz,
    OUT "grant" bigint, OUT request bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT p_named THEN
        SELECT x.id INTO "grant" FROM public.gatekeeper_grant x
        WHERE x.member_id = p_member AND x.account_id = p_account AND x.ended_at IS NULL AND x.ticket_id = p_ticket
            AND (x.assignment_id = p_assignment OR p_assignment IS NULL)
            AND (x.window_ends_at > p_at OR (x.open_before > p_at AND (x.opened_at IS NULL OR x.while_open)))
        ORDER BY greatest(x.window_ends_at, p_at) DESC, x.id DESC LIMIT 1;
    END IF;
    IF "grant" IS NULL THEN
        SELECT x.id INTO request FROM public.gatekeeper_accessrequest x
        WHERE x.member_id = p_member AND x.account_id = p_account AND x.ticket_id = p_ticket
            AND (x.assignment_id = p_assignment OR p_assignment IS NULL)
        ORDER BY x.id DESC LIMIT 1;
        SELECT x.id INTO "grant" FROM public.gatekeeper_grant x WHERE x.request_id = request AND NOT p_named;
    END IF;
END $$;

-- Whether an account was ever named by a ticket of the member's, or asked for by them. First the account's few
-- assignments, then whose: the planner would walk all the member ever had.
CREATE OR REPLACE FUNCTION gatekeeper.has_claimed(p_member bigint, p_account text, p_account_id bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
            WITH named AS MATERIALIZED (SELECT x.member_id FROM public.gatekeeper_assignment x
                                        WHERE x.accounts @> ARRAY[p_account]::varchar[])
            SELECT FROM named WHERE named.member_id = p_member)
        OR EXISTS (SELECT FROM public.gatekeeper_accessrequest x
                   WHERE x.member_id = p_member AND x.account_id = p_account_id);
END $$;

-- Evaluates all conditions for an act. Returns a code for each of the eight rows, in order: 'passed',
-- 'not_required', 'cannot_start_yet' or the reason; `reason` is the first that fails, NULL when all
-- hold. The other columns are the facts on which it rested, under the names that the log has for them;
-- `blocked` has the grant's categories that stay blocked while others are open, each with its reason. `day` is the one
-- whose budget a view is counted in (budget.sql), `another` whether the account is new there, `uncounted` which of
-- its fields are, and `details` what the budget is where it refuses.
--
-- p_digest names the session, and the session names the member: no caller says who they are.
-- p_member is for functions of this room alone: it judges the requester when somebody else approves.
-- p_lock takes the rows in the one order (member, session, signature, account, ticket, grant), so that
-- what holds here holds until the transaction ends. FOR NO KEY UPDATE: FOR SHARE starves the closing,
-- FOR KEY SHARE does not stop it. Guardian's row is read, not locked: whoever deletes it goes on to the
-- grant by trigger and waits there; with a lock on both, remove_perm and a reveal would deadlock.
-- A row at a time and by its key, a name a row: that is what PL/pgSQL does fastest, and each reveal decides twice. A
-- join takes longer than as many such reads, and a query within a query costs its start even where it is not asked.
-- What is seldom asked stands in functions of its own. The search path and the time zone are the callers'.
CREATE OR REPLACE FUNCTION gatekeeper.decide(
    p_digest bytea, p_act text, p_account text DEFAULT NULL, p_ticket text DEFAULT NULL,
    p_grant bigint DEFAULT NULL, p_categories text[] DEFAULT NULL, p_lock boolean DEFAULT true,
    p_member bigint DEFAULT NULL, p_fields text[] DEFAULT NULL, p_recorded_at timestamptz DEFAULT NULL,
    OUT reason text, OUT codes text[], OUT failed text[],
    OUT actor_id bigint, OUT member text, OUT member_name text, OUT role text,
    OUT session bigint, OUT factor text, OUT signature bigint, OUT nda_version int, OUT nda_ends timestamptz,
    OUT account text, OUT account_id bigint, OUT ticket text, OUT ticket_id bigint, OUT ticket_kind text,
    OUT ticket_state text, OUT assignment_id bigint, OUT purpose text, OUT categories text[],
    OUT request_id bigint, OUT grant_id bigint, OUT approver text, OUT consent text, OUT window_ends_at timestamptz,
    OUT blocked text[], OUT day date, OUT another boolean, OUT uncounted text[], OUT details jsonb)
LANGUAGE plpgsql AS $$
DECLARE
    about_an_account boolean := p_act IN ('gate', 'view', 'search', 'open', 'request');
    at timestamptz;
    who record;  -- what staff says of whoever acts
    l staff.limits;
    m public.staff_member;
    s public.staff_session;
    a public.gatekeeper_account;
    t public.gatekeeper_ticket;
    r public.gatekeeper_accessrequest;
    g public.gatekeeper_grant;
    contact_at timestamptz;
    claimed boolean;  -- the account was the member's at some time, by a ticket or a request
    listed boolean;
    support text; participants text;  -- how the consents stand
    counted text[];  -- the account's fields that the day's budget has
    c_ticket text;
BEGIN
    -- Who, and under what. A grant that is not this member's, or of another account, is no grant.
    SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest;
    IF s.id IS NULL AND NOT p_lock THEN
        SELECT x.* INTO s FROM public.staff_session x WHERE x.id = staff.renewed_session(p_digest);
    END IF;
    actor_id := coalesce(p_member, s.member_id);
    account := p_account;
    IF about_an_account THEN
        SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.reference = p_account;
        SELECT x.* INTO g FROM public.gatekeeper_grant x
        WHERE x.id = p_grant AND x.member_id = actor_id AND x.account_id = a.id;
        ticket_id := g.ticket_id;
        IF g.id IS NULL THEN
            ticket_id := gatekeeper.nearest_ticket(actor_id, CASE WHEN p_grant IS NULL THEN p_ticket END, p_account, a.id);
        END IF;
    END IF;

    -- What is locked is read by the statement that locks it: nobody changes it until this transaction ends.
    IF p_lock THEN
        SELECT x.* INTO m FROM public.staff_member x WHERE x.id = actor_id FOR NO KEY UPDATE;
        SELECT x.* INTO s FROM public.staff_session x WHERE x.digest = p_digest FOR NO KEY UPDATE;
        PERFORM FROM public.staff_signature x WHERE x.member_id = actor_id ORDER BY x.id FOR NO KEY UPDATE;
        SELECT x.* INTO a FROM public.gatekeeper_account x WHERE x.id = a.id FOR NO KEY UPDATE;
        SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.id = ticket_id FOR NO KEY UPDATE;
        SELECT x.* INTO g FROM public.gatekeeper_grant x WHERE x.id = g.id FOR NO KEY UPDATE;
    ELSE
        SELECT x.* INTO m FROM public.staff_member x WHERE x.id = actor_id;
        SELECT x.* INTO t FROM public.gatekeeper_ticket x WHERE x.id = ticket_id;
    END IF;
    -- Every other fact is read by a statement that begins when every lock is held, and by the clock of that moment.
    at := clock_timestamp();  -- not now(), which is the start of the transaction
    SELECT x.* INTO l FROM staff.limits x;
    who := staff.authorize(p_digest, p_act, p_lock, p_member, m, s, l, at);
    member := who.member; member_name := who.member_name; role := who.role; session := who.session; factor := who.factor;
    signature := who.signature; nda_version := who.nda_version; nda_ends := who.nda_ends;
    account_id := a.id; grant_id := g.id;
    IF NOT about_an_account OR member IS NULL THEN
        codes := array_fill(CASE WHEN about_an_account THEN 'cannot_start_yet' ELSE 'not_required' END, '{5}');
    ELSE
        IF l.feed_age > '0' THEN  -- from the first doubt on, hearing the helpdesk makes its tickets no younger
            SELECT least(x.contact_at, x.doubted_at) INTO contact_at FROM public.gatekeeper_feed x
            WHERE x.name = 'tickets' AND x.contact_at IS NOT NULL;
        END IF;
        SELECT x.id, x.accounts @> ARRAY[account]::varchar[] INTO assignment_id, claimed
        FROM public.gatekeeper_assignment x WHERE x.ticket_id = t.id AND x.member_id = actor_id AND x.ended_at IS NULL;
        IF claimed IS NOT TRUE THEN  -- then it was theirs once, or they asked for it
            claimed := gatekeeper.has_claimed(actor_id, account, a.id);
        END IF;
        IF grant_id IS NULL THEN
            SELECT x."grant", x.request INTO grant_id, request_id
            FROM gatekeeper.newest_access(actor_id, a.id, t.id, assignment_id, p_grant IS NOT NULL, at) x;
            SELECT x.* INTO g FROM public.gatekeeper_grant x WHERE x.id = grant_id;
            SELECT x.* INTO r FROM public.gatekeeper_accessrequest x WHERE x.id = request_id;
        END IF;
        listed := EXISTS (SELECT FROM public.gatekeeper_accountpermission x WHERE x.user_id = actor_id AND x.content_object_id = a.id);
        SELECT x.number INTO approver FROM public.staff_member x WHERE x.id = g.approver_id;
        day := (coalesce(p_recorded_at, at) AT TIME ZONE l.time_zone)::date;
        SELECT x.fields INTO counted FROM public.gatekeeper_dailyaccount x
        WHERE x.member_id = actor_id AND x.day = decide.day AND x.account_id = a.id;
        categories := coalesce(p_categories, g.categories, r.categories);
        IF coalesce(g.categories, categories) && '{support,participants}' OR categories && '{support,participants}' THEN
            support := gatekeeper.consent_at(a.support_since, a.support_until, at);
            participants := gatekeeper.consent_at(a.participants_since, a.participants_until, at);
            blocked := CASE WHEN claimed AND a.erased_at IS NULL
                THEN gatekeeper.blocked_categories(coalesce(g.categories, categories), t.kind, support, participants) END;
        END IF;
        another := counted IS NULL;
        uncounted := CASE WHEN p_fields <@ counted THEN '{}' ELSE gatekeeper.uncounted(p_fields, counted) END;
        IF (cardinality(uncounted) = 0) IS NOT TRUE AND g.id IS NOT NULL AND p_act <> 'request' THEN
            details := gatekeeper.beyond_day(actor_id, day, a.id, categories, uncounted, another);
        END IF;
        c_ticket := gatekeeper.ticket_code(t, claimed, actor_id, assignment_id, account, contact_at, l, at);
        codes := ARRAY[c_ticket,
            gatekeeper.approval_code(p_act, c_ticket, t.kind, g, r, listed, categories, l, details, at),
            gatekeeper.time_code(p_act, g, assignment_id, g.signature_id = signature OR staff.signature_runs(g.signature_id, at),
                gatekeeper.approval_ends(g.member_id, g.approver_id), at),
            gatekeeper.consent_code(a, claimed, categories, p_categories IS NOT NULL, support, participants),
            gatekeeper.account_code(a, claimed)];
        details := CASE WHEN codes[2] = 'daily_budget_reached' THEN details END;
        ticket := t.number; ticket_kind := t.kind; ticket_state := t.state;
        request_id := coalesce(g.request_id, r.id); purpose := coalesce(g.purpose, r.purpose); window_ends_at := g.window_ends_at;
    END IF;
    codes := who.codes || codes;
    consent := codes[7];
    failed := staff.failing(codes);
    reason := CASE WHEN who.reason = 'clock_behind' THEN 'clock_behind' WHEN failed[1] IS NOT NULL THEN failed[1]
        WHEN NOT codes <@ '{passed,not_required}' THEN 'check_failed' END;  -- what could not be judged has failed
END $$;

-- The same answer for the pages, without locks and without an entry. The web role may ask it. Of several
-- grants that run, one of which the gate is open is enough: the others' limits and categories do not close it.
CREATE OR REPLACE FUNCTION gatekeeper.gate(
    p_digest bytea, p_account text, p_ticket text, p_grant bigint, p_categories text[],
    OUT reason text, OUT codes text[], OUT signature bigint, OUT account_id bigint, OUT ticket_id bigint,
    OUT request_id bigint, OUT grant_id bigint, OUT blocked text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    other record;
    next_grant bigint;
BEGIN
    d := gatekeeper.decide(p_digest, 'gate', p_account, p_ticket, p_grant, p_categories, false);
    IF d.reason IS NOT NULL AND p_grant IS NULL THEN
        FOR next_grant IN
            SELECT x.id FROM public.gatekeeper_grant x
            WHERE x.member_id = d.actor_id AND x.account_id = d.account_id AND x.ended_at IS NULL
                AND x.window_ends_at > clock_timestamp() AND x.id IS DISTINCT FROM d.grant_id
                AND (p_ticket IS NULL OR x.ticket_id = d.ticket_id)
            ORDER BY x.window_ends_at DESC, x.id DESC
        LOOP
            other := gatekeeper.decide(p_digest, 'gate', p_account, p_ticket, next_grant, p_categories, false);
            IF other.reason IS NULL THEN
                d := other;
                EXIT;
            END IF;
        END LOOP;
    END IF;
    reason := d.reason; codes := d.codes; signature := d.signature; account_id := d.account_id;
    ticket_id := d.ticket_id; request_id := d.request_id; grant_id := d.grant_id; blocked := d.blocked;
END $$;

REVOKE ALL ON FUNCTION gatekeeper.nearest_ticket(bigint, text, text, bigint),
    gatekeeper.newest_access(bigint, bigint, bigint, bigint, boolean, timestamptz), gatekeeper.has_claimed(bigint, text, bigint),
    gatekeeper.decide(bytea, text, text, text, bigint, text[], boolean, bigint, text[], timestamptz),
    gatekeeper.gate(bytea, text, text, bigint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.gate(bytea, text, text, bigint, text[]) TO gatekeeper_web;
