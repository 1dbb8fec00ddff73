-- The gate's conditions 4 to 8, each as one expression over the facts that gatekeeper.decide has found: 'passed',
-- 'not_required', 'cannot_start_yet', or the reason why it does not hold; the first three, about whoever acts, appear in
-- staff/session/sql/authorize.sql. They read nothing and have no settings, so that PostgreSQL makes each a part of the
-- statement that asks it. A row that is not there is NULL, and so is each of its columns. Each WHEN asks 'is it not
-- true', so NULL counts as failure.

-- 4: an open ticket, the member's, that names the account. Without any claim to the account, now or ever, the answer
-- is the same for a known and an unknown one.
CREATE OR REPLACE FUNCTION gatekeeper.ticket_code(
    t public.gatekeeper_ticket, p_claimed boolean, p_member bigint, p_assignment bigint, p_account text,
    p_contact_at timestamptz, l staff.limits, p_at timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p_claimed IS NOT TRUE OR t.id IS NULL THEN 'ticket_missing'
        WHEN (t.state IN ('open', 'pending')) IS NOT TRUE THEN 'ticket_closed'
        WHEN t.assignee_id IS DISTINCT FROM p_member OR p_assignment IS NULL THEN 'ticket_not_yours'
        WHEN (t.accounts @> ARRAY[p_account]::varchar[]) IS NOT TRUE THEN 'ticket_other_account'
        WHEN (l.feed_age > '0') IS NOT FALSE AND (p_at < p_contact_at + l.feed_age) IS NOT TRUE THEN 'ticket_feed_stale'
        ELSE 'passed' END
$$;

-- 5: a grant covers the categories, and its limit and the day's budget are not used up. Guardian's row must stand
-- while the grant lives (p_listed). Without a grant the newest request says how far it came.
CREATE OR REPLACE FUNCTION gatekeeper.approval_code(
    p_act text, p_ticket_code text, p_ticket_kind text, g public.gatekeeper_grant, r public.gatekeeper_accessrequest,
    p_listed boolean, p_categories text[], l staff.limits, p_beyond jsonb, p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_act = 'request' THEN 'not_required'
        WHEN g.id IS NULL AND p_ticket_code <> 'passed' THEN 'cannot_start_yet'
        WHEN g.id IS NULL AND r.state = 'pending' AND p_at < r.expires_at THEN 'approval_pending'
        WHEN g.id IS NULL AND r.state = 'denied' THEN 'approval_denied'
        WHEN g.id IS NULL OR (g.ended_at IS NULL AND p_listed IS NOT TRUE) THEN 'approval_missing'
        WHEN (p_categories <@ g.categories::text[]) IS NOT TRUE
            OR ('participants' = ANY (p_categories) AND p_ticket_kind <> 'support') THEN 'category_not_covered'
        WHEN (g.views < l.views_per_grant) IS NOT TRUE THEN 'view_limit_reached'
        WHEN p_beyond IS NOT NULL THEN 'daily_budget_reached'
        ELSE 'passed' END
$$;

-- 6: the window is open; one while the ticket is open can be followed by another. It rests on the assignment, the
-- signature and the approver's word; a window's written end has the last in it, and whatever changes it later ends
-- the grant.
CREATE OR REPLACE FUNCTION gatekeeper.time_code(
    p_act text, g public.gatekeeper_grant, p_assignment bigint, p_signature_runs boolean, p_approval_ends timestamptz,
    p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_act = 'request' THEN 'not_required'
        WHEN g.id IS NULL THEN 'cannot_start_yet'
        WHEN g.ended_at IS NOT NULL AND g.ended_by_id <> g.member_id THEN 'grant_revoked'
        WHEN g.ended_at IS NOT NULL OR g.assignment_id IS DISTINCT FROM p_assignment
            OR p_signature_runs IS NOT TRUE THEN 'grant_ended'
        WHEN p_at < g.window_ends_at THEN 'passed'
        WHEN p_at < g.open_before AND (g.opened_at IS NULL OR g.while_open) THEN CASE
            WHEN (p_approval_ends > p_at) IS NOT TRUE THEN 'grant_ended'
            WHEN p_act = 'open' THEN 'passed' ELSE 'grant_not_started' END
        WHEN g.opened_at IS NULL THEN 'grant_start_lapsed'
        ELSE 'grant_expired' END
$$;

-- How a consent stands.
CREATE OR REPLACE FUNCTION gatekeeper.consent_at(p_since timestamptz, p_until timestamptz, p_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN (p_since <= p_at) IS NOT TRUE THEN 'consent_missing'
                WHEN p_until <= p_at THEN 'consent_expired' ELSE 'passed' END
$$;

-- 7: the customer's consent, where a category needs one. Of categories that were asked for (p_asked) all must hold;
-- asked for nothing in particular, one is enough, and so is one that needs none.
CREATE OR REPLACE FUNCTION gatekeeper.consent_code(
    a public.gatekeeper_account, p_claimed boolean, p_categories text[], p_asked boolean,
    p_support text, p_participants text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_claimed IS NOT TRUE THEN 'cannot_start_yet'
        WHEN a.id IS NULL OR a.erased_at IS NOT NULL OR (p_categories && '{support,participants}') IS NOT TRUE THEN 'not_required'
        WHEN p_asked THEN CASE
            WHEN 'support' = ANY (p_categories) AND p_support <> 'passed' THEN p_support
            WHEN 'participants' = ANY (p_categories) THEN p_participants ELSE p_support END
        WHEN NOT p_categories <@ '{support,participants}' THEN 'not_required'
        WHEN NOT 'participants' = ANY (p_categories) OR 'support' = ANY (p_categories) AND p_participants <> 'passed' THEN p_support
        ELSE p_participants END
$$;

-- 8: the account is there, neither erased nor restricted.
CREATE OR REPLACE FUNCTION gatekeeper.account_code(a public.gatekeeper_account, p_claimed boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_claimed IS NOT TRUE THEN 'cannot_start_yet'
        WHEN a.id IS NULL THEN 'account_unknown'
        WHEN a.erased_at IS NOT NULL THEN 'account_erased'
        WHEN a.restricted_at IS NOT NULL THEN 'account_restricted'
        ELSE 'passed' END
$$;

-- Of the categories that a grant covers those that stay blocked while others are open, each with its reason.
CREATE OR REPLACE FUNCTION gatekeeper.blocked_categories(p_covered text[], p_ticket_kind text, p_support text, p_participants text)
RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN 'support' = ANY (p_covered) AND p_support <> 'passed' THEN ARRAY[['support', p_support]] END
        || CASE WHEN NOT 'participants' = ANY (p_covered) THEN NULL
                WHEN p_ticket_kind <> 'support' THEN ARRAY[['participants', 'category_not_covered']]
                WHEN p_participants <> 'passed' THEN ARRAY[['participants', p_participants]] END
$$;

REVOKE ALL ON FUNCTION gatekeeper.ticket_code(public.gatekeeper_ticket, boolean, bigint, bigint, text, timestamptz, staff.limits, timestamptz),
    gatekeeper.approval_code(text, text, text, public.gatekeeper_grant, public.gatekeeper_accessrequest, boolean, text[],
        staff.limits, jsonb, timestamptz),
    gatekeeper.time_code(text, public.gatekeeper_grant, bigint, boolean, timestamptz, timestamptz),
    gatekeeper.consent_at(timestamptz, timestamptz, timestamptz),
    gatekeeper.consent_code(public.gatekeeper_account, boolean, text[], boolean, text, text),
    gatekeeper.account_code(public.gatekeeper_account, boolean),
    gatekeeper.blocked_categories(text[], text, text, text) FROM PUBLIC;
