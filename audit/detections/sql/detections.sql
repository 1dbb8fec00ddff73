-- The rules by which entries are flagged, as far as the log alone can answer them: one function each, which returns the
-- numbers of those among the entries to be judged (p_fresh) to which it applies. Their words, and why they
-- matter, are in audit/detections/known.py; gatekeeper.flag (gatekeeper/reviews/sql/detections.sql) calls them. Internal, all of them.
--
-- What looks back must cost the same in a long log. So it says `account <> ''`, without which the index of
-- accounts cannot be used, and OFFSET 0 where it asks whether something is there, without which PostgreSQL
-- may read the whole log at once instead of a few rows for each entry. Of a member's time it reads a range of the
-- pair (member, number), which is what their index is of: by the number alone it would read everybody's, and so by
-- the event, which is therefore asked where no index can answer.

-- The number of the first entry since a moment: the numbers run as the times do, and every index ends in them.
CREATE OR REPLACE FUNCTION audit.first_since(p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT coalesce((SELECT e.id FROM public.audit_entry e WHERE e."timestamp" >= p_at ORDER BY e."timestamp", e.id LIMIT 1),
        9223372036854775807)
$$;

-- A threshold of the settings, as apply_settings has written it: without it the rule would be silent for ever.
CREATE OR REPLACE FUNCTION audit.threshold(p_of jsonb, p_name text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_of->>p_name IS NULL THEN
        RAISE 'the threshold % is not set: apply_settings', p_name;
    END IF;
    RETURN (p_of->>p_name)::integer;
END $$;

-- The days on which they looked are counted in one pass, whoever looked; a day more crowded than the
-- threshold is compared with the member's own days before it.
CREATE OR REPLACE FUNCTION audit.detect_volume(p_fresh bigint[], p_zone text, p_days integer, p_history integer, p_least integer, p_percent integer)
RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH days AS MATERIALIZED (
        SELECT x.member, x.day, audit.first_since(x.day) AS since, audit.first_since(x.day + interval '25 hours') AS until
        FROM (SELECT DISTINCT e.member, date_trunc('day', e."timestamp", p_zone) AS day FROM public.audit_entry e
            WHERE e.id = ANY (p_fresh) AND audit.is_view(e.event) AND e.outcome = 'allowed') x
    ), counted AS (
        SELECT x.id, d.member, d.day,
            row_number() OVER (PARTITION BY d.member, d.day ORDER BY x.id) AS nth
        FROM days d JOIN public.audit_entry x ON (x.member, x.id) BETWEEN (d.member, d.since) AND (d.member, d.until)
            AND audit.is_view(x.event) AND x.outcome = 'allowed'
        WHERE d.day = date_trunc('day', x."timestamp", p_zone) AND x.id <= (SELECT max(y) FROM unnest(p_fresh) y)
    ), crowded AS MATERIALIZED (
        SELECT c.* FROM counted c WHERE c.nth > p_least AND c.id = ANY (p_fresh)
    ), before AS MATERIALIZED (
        SELECT d.member, d.day, d.since AS until, audit.first_since(d.day - make_interval(days => p_days)) AS since
        FROM days d WHERE (d.member, d.day) IN (SELECT c.member, c.day FROM crowded c)
    )
    SELECT c.id FROM before d
        CROSS JOIN LATERAL (
            SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY h.views) AS usual, count(*) AS days FROM (
                SELECT count(*) AS views FROM public.audit_entry x
                WHERE (x.member, x.id) BETWEEN (d.member, d.since) AND (d.member, d.until)
                    AND audit.is_view(x.event) AND x.outcome = 'allowed'
                    AND date_trunc('day', x."timestamp", p_zone) < d.day
                GROUP BY date_trunc('day', x."timestamp", p_zone)) h) p
        JOIN crowded c ON c.member = d.member AND c.day = d.day
    WHERE p.days >= p_history AND c.nth = 1 + greatest(p.usual * p_percent / 100, p_least)
$$;

-- Of whoever was signed in, and of releases too: whoever asks again and again meets refusals after the record as well
-- as before it. An attempt to sign in names whom it tries to be, and says nothing of them: it is
-- its network's (audit.detect_guesses). Nothing is looked up for what has no actor.
CREATE OR REPLACE FUNCTION audit.detect_refusals(p_fresh bigint[], p_count integer, p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.actor_id IS NOT NULL AND e.outcome IN ('refused', 'withheld') AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE (x.member, x.id) BETWEEN (e.member, audit.first_since(e."timestamp" - make_interval(mins => p_minutes)))
                AND (e.member, e.id)
            AND x.actor_id = e.actor_id AND x.outcome IN ('refused', 'withheld')
            AND x."timestamp" > e."timestamp" - make_interval(mins => p_minutes)) = p_count
$$;

-- Attempts to sign in by whoever was not, from one network (/24, /48), whomever they named.
CREATE OR REPLACE FUNCTION audit.detect_guesses(p_fresh bigint[], p_count integer, p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e CROSS JOIN LATERAL (
            SELECT network(set_masklen(e.remote_addr, CASE family(e.remote_addr) WHEN 4 THEN 24 ELSE 48 END)) AS net,
                (SELECT y.id FROM public.audit_entry y
                    WHERE y."timestamp" > e."timestamp" - make_interval(mins => p_minutes)
                    ORDER BY y."timestamp" LIMIT 1) AS first) f
    WHERE e.id = ANY (p_fresh) AND e.event = 'sign_in_failed' AND e.actor_id IS NULL AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE x.event = 'sign_in_failed' AND x.actor_id IS NULL AND x.remote_addr <<= f.net
            AND x.id BETWEEN f.first AND e.id) = p_count
$$;

-- One requester of an approver's far beyond the others of the same days, whose average is the measure: how much
-- a pair has to do with each other depends on how many there are beside it. Who decides for one alone has
-- nobody to be compared with.
CREATE OR REPLACE FUNCTION audit.detect_same_pair(p_fresh bigint[], p_count integer, p_days integer, p_times integer)
RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH span AS MATERIALIZED (
        SELECT audit.first_since(min(e."timestamp") - make_interval(days => p_days)) AS since, max(e.id) AS until
        FROM public.audit_entry e WHERE e.id = ANY (p_fresh) AND e.event = 'approve' AND e.outcome = 'allowed'
    ), approvals AS MATERIALIZED (
        SELECT x.id, x.member, x.subject, x."timestamp" AS at, count(*) OVER (PARTITION BY x.member, x.subject
                ORDER BY x."timestamp" RANGE make_interval(days => p_days) PRECEDING) AS own,
            count(*) OVER (PARTITION BY x.member
                ORDER BY x."timestamp" RANGE make_interval(days => p_days) PRECEDING) AS everybodys
        FROM span s JOIN public.audit_entry x ON x.id BETWEEN s.since AND s.until
            AND x.event = 'approve' AND x.outcome = 'allowed'
    )
    SELECT a.id FROM approvals a WHERE a.id = ANY (p_fresh) AND a.own % p_count = 0
        AND a.own * (SELECT count(DISTINCT y.subject) FROM approvals y WHERE y.member = a.member
                AND y.subject <> a.subject AND y.at BETWEEN a.at - make_interval(days => p_days) AND a.at)
            > p_times * (a.everybodys - a.own)
$$;

-- How long after its request an approval came.
CREATE OR REPLACE FUNCTION audit.decided_after(p_account text, p_request bigint, p_entry bigint) RETURNS interval
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT (SELECT e."timestamp" FROM public.audit_entry e WHERE e.id = p_entry) - r."timestamp"
    FROM public.audit_entry r WHERE r.account = p_account AND r.account <> '' AND r.request_id = p_request
        AND r.event = 'request' AND r.outcome = 'allowed'
$$;

-- Approvals of one pair that came before the request can have been read.
CREATE OR REPLACE FUNCTION audit.detect_instant(p_fresh bigint[], p_count integer, p_seconds integer, p_days integer)
RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH at_once AS MATERIALIZED (
        SELECT e.id, e.member, e.subject, audit.first_since(e."timestamp" - make_interval(days => p_days)) AS since
        FROM public.audit_entry e WHERE e.id = ANY (p_fresh) AND e.event = 'approve' AND e.outcome = 'allowed'
            AND audit.decided_after(e.account, e.request_id, e.id) < make_interval(secs => p_seconds)
    )
    SELECT e.id FROM at_once e WHERE (
        SELECT count(*) FILTER (WHERE x.event = 'approve' AND x.outcome = 'allowed'
            AND audit.decided_after(x.account, x.request_id, x.id) < make_interval(secs => p_seconds))
        FROM public.audit_entry x
        WHERE (x.member, x.id) BETWEEN (e.member, e.since) AND (e.member, e.id) AND x.subject = e.subject) % p_count = 0
$$;

-- Rejected by one, and approved by another soon after: the same account, for the same member.
CREATE OR REPLACE FUNCTION audit.detect_second_opinion(p_fresh bigint[], p_hours integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'approve' AND e.outcome = 'allowed'
        AND EXISTS (SELECT FROM public.audit_entry x
            WHERE x.account = e.account AND x.account <> '' AND x.subject = e.subject AND x.member <> e.member
                AND x.event = 'deny' AND x.outcome = 'allowed' AND x.id < e.id
                AND e."timestamp" - x."timestamp" < make_interval(hours => p_hours)
            OFFSET 0)
$$;

-- A look after which the ticket was closed, or passed on, sooner than anybody can have worked on it.
CREATE OR REPLACE FUNCTION audit.detect_brief(p_fresh bigint[], p_seconds integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'end' AND e.outcome = 'allowed'
        AND e.details->>'why' IN ('ticket_closed', 'ticket_not_yours') AND (
        SELECT min(x."timestamp") FROM public.audit_entry x
        WHERE x.account = e.account AND x.account <> '' AND x.grant_id = e.grant_id
            AND audit.is_view(x.event) AND x.outcome = 'allowed' AND x.id < e.id)
            > e."timestamp" - make_interval(secs => p_seconds)
$$;

-- One member and one account under ticket after ticket: each from the p_count-th on.
CREATE OR REPLACE FUNCTION audit.detect_same_account(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e CROSS JOIN LATERAL (
        SELECT count(DISTINCT x.ticket) AS tickets, count(*) FILTER (WHERE x.ticket = e.ticket) AS under_this
        FROM public.audit_entry x
        WHERE x.account = e.account AND x.account <> '' AND x.member = e.member
            AND x.event = 'start' AND x.outcome = 'allowed' AND x.id <= e.id
            AND e."timestamp" - x."timestamp" <= make_interval(days => p_days)) h
    WHERE e.id = ANY (p_fresh) AND e.event = 'start' AND e.outcome = 'allowed'
        AND h.tickets >= p_count AND h.under_this = 1
$$;

-- Slow gathering shows over weeks alone: at a member's first access of a week the accounts of the weeks before
-- it are counted, and compared with their own of as long before those and with everybody's median.
CREATE OR REPLACE FUNCTION audit.detect_harvest(
    p_fresh bigint[], p_zone text, p_days integer, p_percent integer, p_least integer)
RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH firsts AS MATERIALIZED (
        SELECT DISTINCT ON (e.member, w.monday) e.id, e.member, w.monday FROM public.audit_entry e
            CROSS JOIN LATERAL (SELECT date_trunc('week', e."timestamp", p_zone)) AS w (monday)
        WHERE e.id = ANY (p_fresh) AND e.event = 'start' AND e.outcome = 'allowed'
            AND NOT EXISTS (SELECT FROM public.audit_entry x
                WHERE (x.member, x.id) >= (e.member, audit.first_since(w.monday)) AND (x.member, x.id) < (e.member, e.id)
                    AND x.event = 'start' AND x.outcome = 'allowed' OFFSET 0)
        ORDER BY e.member, w.monday, e.id
    ), weeks AS MATERIALIZED (
        SELECT w.monday, audit.first_since(w.monday - make_interval(days => 2 * p_days)) AS long_before,
            audit.first_since(w.monday - make_interval(days => p_days)) AS since, audit.first_since(w.monday) AS until
        FROM (SELECT DISTINCT f.monday FROM firsts f) w
    ), counted AS MATERIALIZED (
        SELECT w.monday, w.long_before, w.since, x.member, count(DISTINCT x.account) AS accounts
        FROM weeks w JOIN public.audit_entry x ON x.id >= w.since AND x.id < w.until
            AND x.event = 'start' AND x.outcome = 'allowed'
        GROUP BY 1, 2, 3, 4
    ), usual AS (
        SELECT c.monday, percentile_disc(0.5) WITHIN GROUP (ORDER BY c.accounts) AS accounts FROM counted c GROUP BY 1
    )
    SELECT f.id FROM firsts f JOIN counted c USING (member, monday) JOIN usual u USING (monday)
    WHERE c.accounts >= p_least AND c.accounts * 100 > p_percent * u.accounts AND c.accounts * 100 > p_percent * (
        SELECT count(DISTINCT x.account) FILTER (WHERE x.event = 'start' AND x.outcome = 'allowed')
        FROM public.audit_entry x
        WHERE (x.member, x.id) >= (f.member, c.long_before) AND (x.member, x.id) < (f.member, c.since))
$$;

-- What somebody did on a day between days without any work of theirs: on leave, or ill. It shows when they are
-- back: their first sign-in then has the day before it judged.
CREATE OR REPLACE FUNCTION audit.detect_alone(p_fresh bigint[], p_zone text, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT x.id FROM public.audit_entry e
        CROSS JOIN LATERAL (SELECT y."timestamp" AS at, date_trunc('day', y."timestamp", p_zone) AS day FROM public.audit_entry y
            WHERE y.member = e.member AND y.event = 'sign_in' AND y.id < e.id
            ORDER BY y.id DESC LIMIT 1) d
        CROSS JOIN LATERAL (SELECT y."timestamp" AS at FROM public.audit_entry y
            WHERE y.member = e.member AND y.event = 'sign_in' AND y.id < e.id
                AND y."timestamp" < d.day
            ORDER BY y.id DESC LIMIT 1) b
        JOIN public.audit_entry x ON (x.member, x.id) BETWEEN (e.member, audit.first_since(d.day)) AND (e.member, e.id)
            AND x.event = 'start' AND x.outcome = 'allowed'
    WHERE e.id = ANY (p_fresh) AND e.event = 'sign_in'
        AND e."timestamp" - d.at > make_interval(days => p_days) AND d.day - b.at > make_interval(days => p_days)
$$;

-- Searches for a participant that found none: every p_count-th of a member's within some days.
CREATE OR REPLACE FUNCTION audit.detect_misses(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'search' AND e.outcome = 'allowed' AND e.account <> '' AND e.results = 0 AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE (x.member, x.id) BETWEEN (e.member, audit.first_since(e."timestamp" - make_interval(days => p_days)))
                AND (e.member, e.id)
            AND x.event = 'search' AND x.outcome = 'allowed' AND x.account <> '' AND x.results = 0) % p_count = 0
$$;

-- Refused at one account after the other: every p_count-th that is another. Nothing is looked up for what has no
-- actor.
CREATE OR REPLACE FUNCTION audit.detect_probing(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e CROSS JOIN LATERAL (
        SELECT count(DISTINCT x.account) AS accounts, count(*) FILTER (WHERE x.account = e.account) AS of_this
        FROM public.audit_entry x
        WHERE (x.member, x.id) BETWEEN (e.member, audit.first_since(e."timestamp" - make_interval(days => p_days)))
                AND (e.member, e.id)
            AND x.actor_id = e.actor_id AND x.outcome = 'refused' AND x.account <> '') h
    WHERE e.id = ANY (p_fresh) AND e.actor_id IS NOT NULL AND e.outcome = 'refused'
        AND h.accounts % p_count = 0 AND h.of_this = 1
$$;

-- Whose log begins only now has no usual network yet. Signing in from one makes it known: what is looked at from
-- there is not found a second time. Most entries follow another from the same network: only of the others is the
-- log asked.
CREATE OR REPLACE FUNCTION audit.detect_new_network(p_fresh bigint[], p_days integer, p_history integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH seen AS MATERIALIZED (
        SELECT e.id, e.member, e."timestamp", n.net,
            lag(e."timestamp") OVER (PARTITION BY e.member, n.net ORDER BY e.id) AS before
        FROM public.audit_entry e CROSS JOIN LATERAL (SELECT network(set_masklen(e.remote_addr,
            CASE family(e.remote_addr) WHEN 4 THEN 24 ELSE 48 END)) AS net) n
        WHERE e.id = ANY (p_fresh) AND (e.event = 'sign_in' OR audit.is_view(e.event)) AND e.outcome = 'allowed'
            AND e.remote_addr IS NOT NULL
    )
    SELECT s.id FROM seen s CROSS JOIN LATERAL (
        SELECT min(x."timestamp") AS first, count(*) FILTER (WHERE x.remote_addr <<= s.net
            AND s."timestamp" - x."timestamp" <= make_interval(days => p_days)) AS known
        FROM public.audit_entry x
        WHERE x.member = s.member AND x.id < s.id
            AND CASE WHEN (x.event = 'sign_in' OR audit.is_view(x.event)) THEN x.outcome = 'allowed' AND x.remote_addr IS NOT NULL END) h
    WHERE (s."timestamp" - s.before <= make_interval(days => p_days)) IS NOT TRUE AND h.known = 0
        AND s."timestamp" - h.first >= make_interval(days => p_history)
$$;

CREATE OR REPLACE FUNCTION audit.detect_everything(p_fresh bigint[], p_categories integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND (e.event = 'approve' OR audit.is_view(e.event)) AND e.outcome = 'allowed'
        AND cardinality(e.categories) >= p_categories
$$;

CREATE OR REPLACE FUNCTION audit.detect_participants(p_fresh bigint[], p_count integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e CROSS JOIN LATERAL (
        SELECT sum(cardinality(x.records)) AS shown FROM public.audit_entry x
        WHERE x.account = e.account AND x.account <> '' AND x.grant_id = e.grant_id
            AND (x.event = 'search' OR audit.is_view(x.event)) AND x.outcome = 'allowed' AND x.id <= e.id) h
    WHERE e.id = ANY (p_fresh) AND (e.event = 'search' OR audit.is_view(e.event)) AND e.outcome = 'allowed'
        AND h.shown > p_count AND h.shown - cardinality(e.records) <= p_count
$$;

CREATE OR REPLACE FUNCTION audit.detect_export(p_fresh bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'export' AND e.outcome = 'allowed' AND e.member <> ''
$$;

-- What somebody did in a session that the log does not know: no entry says that they signed in to it with a
-- second factor. A session is made and verified only together with such an entry, so whoever made this one up
-- had more than one role in hand. A session lasts p_hours at most: no entry before that can be the one, and
-- none is looked for there (nor may it be: retention may have taken it, where this entry is as old).
CREATE OR REPLACE FUNCTION audit.detect_suspensions(p_fresh bigint[], p_count integer, p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'change' AND e.outcome = 'allowed' AND e.member <> ''
        AND e.details->'suspended'->1 <> 'false' AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE x.member = e.member AND x.event = 'change' AND x.outcome = 'allowed'
            AND x.details->'suspended'->1 <> 'false' AND x.id <= e.id
            AND x."timestamp" > e."timestamp" - make_interval(mins => p_minutes)) >= p_count
$$;

CREATE OR REPLACE FUNCTION audit.detect_unproved(p_fresh bigint[], p_hours integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.outcome = 'allowed' AND e.session IS NOT NULL
        AND (e.event NOT IN ('sign_in', 'sign_in_failed', 'sign_out', 'change')
            OR e.event = 'change' AND e.details IS NOT NULL AND e.source = '')
        AND NOT EXISTS (SELECT FROM public.audit_entry x
            WHERE x.member = e.member AND x.session = e.session AND x.event = 'sign_in'
                AND x.factor <> '' AND x.id < e.id
                AND x.id >= (SELECT y.id FROM public.audit_entry y
                    WHERE y."timestamp" >= e."timestamp" - make_interval(hours => p_hours)
                    ORDER BY y."timestamp" LIMIT 1)
            OFFSET 0)
        AND NOT EXISTS (SELECT FROM public.audit_leaf l
            WHERE l.place = 0 AND NOT EXISTS (SELECT FROM public.audit_entry y WHERE y.id = l.entry)
                AND e."timestamp" - make_interval(hours => p_hours) < (
                    SELECT y."timestamp" FROM public.audit_entry y ORDER BY y.id LIMIT 1))
$$;

REVOKE ALL ON FUNCTION audit.first_since(timestamptz), audit.threshold(jsonb, text),
    audit.detect_volume(bigint[], text, integer, integer, integer, integer), audit.detect_refusals(bigint[], integer, integer),
    audit.detect_guesses(bigint[], integer, integer), audit.detect_same_pair(bigint[], integer, integer, integer),
    audit.detect_instant(bigint[], integer, integer, integer), audit.decided_after(text, bigint, bigint),
    audit.detect_second_opinion(bigint[], integer), audit.detect_brief(bigint[], integer),
    audit.detect_same_account(bigint[], integer, integer), audit.detect_harvest(bigint[], text, integer, integer, integer),
    audit.detect_alone(bigint[], text, integer), audit.detect_misses(bigint[], integer, integer),
    audit.detect_probing(bigint[], integer, integer), audit.detect_new_network(bigint[], integer, integer),
    audit.detect_everything(bigint[], integer), audit.detect_participants(bigint[], integer), audit.detect_export(bigint[]),
    audit.detect_unproved(bigint[], integer), audit.detect_suspensions(bigint[], integer, integer) FROM PUBLIC;

-- What the rules find, and how far they have read the log, is only ever added to. Rounds go when they are old.
CREATE OR REPLACE TRIGGER flag_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_flag
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
CREATE OR REPLACE TRIGGER round_insert_only BEFORE UPDATE OR TRUNCATE ON public.audit_round
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_rewriting();
