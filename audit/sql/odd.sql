-- The rules for what is odd, as far as the log alone can answer them: one function each, which returns the
-- numbers of those among the entries to be judged (p_fresh) to which it applies. Their words, and why they
-- matter, stand in audit/odd/known.py; vault.flag (gatekeeper/sql/odd.sql) calls them. Internal, all of them.
--
-- What looks back must cost the same in a long log. So it says `account <> ''`, without which the index of
-- accounts cannot be used, and OFFSET 0 where it asks whether something is there, without which PostgreSQL
-- may read the whole log at once instead of a few rows for each entry.

-- A threshold of the settings, as apply_settings has written it: without it the rule would be silent for ever.
CREATE OR REPLACE FUNCTION vault.threshold(p_of jsonb, p_name text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_of->>p_name IS NULL THEN
        RAISE 'the threshold % is not set: apply_settings', p_name;
    END IF;
    RETURN (p_of->>p_name)::integer;
END $$;

CREATE OR REPLACE FUNCTION vault.odd_new_pair(p_fresh bigint[], p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event IN ('view', 'search') AND e.outcome = 'allowed' AND e.account <> ''
        AND NOT EXISTS (SELECT FROM public.audit_entry x
            WHERE x.account = e.account AND x.account <> '' AND x.member = e.member
                AND x.event IN ('view', 'search') AND x.outcome = 'allowed' AND x.id < e.id
                AND e."timestamp" - x."timestamp" <= make_interval(days => p_days)
            OFFSET 0)
$$;

CREATE OR REPLACE FUNCTION vault.odd_hours(p_fresh bigint[], p_zone text, p_begins integer, p_ends integer, p_days integer)
RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e CROSS JOIN LATERAL (SELECT e."timestamp" AT TIME ZONE p_zone) AS l (at)
    WHERE e.id = ANY (p_fresh) AND e.event IN ('start', 'view', 'search') AND e.outcome = 'allowed' AND e.account <> ''
        AND (extract(hour FROM l.at) < p_begins OR extract(hour FROM l.at) >= p_ends
            OR extract(isodow FROM l.at) > p_days)
$$;

-- The days on which they looked are counted in one pass, whoever looked; a day more crowded than the
-- threshold is compared with the member's own days before it.
CREATE OR REPLACE FUNCTION vault.odd_volume(p_fresh bigint[], p_zone text, p_days integer, p_history integer, p_least integer)
RETURNS SETOF bigint LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH days AS MATERIALIZED (
        SELECT DISTINCT e.member, date_trunc('day', e."timestamp", p_zone) AS day FROM public.audit_entry e
        WHERE e.id = ANY (p_fresh) AND e.event = 'view' AND e.outcome = 'allowed'
    ), counted AS (
        SELECT x.id, d.member, d.day,
            row_number() OVER (PARTITION BY d.member, d.day ORDER BY x.id) AS nth
        FROM public.audit_entry x JOIN days d ON d.member = x.member
            AND d.day = date_trunc('day', x."timestamp", p_zone)
        WHERE x.event = 'view' AND x.outcome = 'allowed'
            AND x."timestamp" >= (SELECT min(y.day) FROM days y)
    ), crowded AS MATERIALIZED (
        SELECT c.* FROM counted c WHERE c.id = ANY (p_fresh) AND c.nth > p_least
    )
    SELECT c.id FROM (SELECT DISTINCT y.member, y.day FROM crowded y) d
        CROSS JOIN LATERAL (
            SELECT percentile_disc(0.99) WITHIN GROUP (ORDER BY h.views) AS usual, count(*) AS days FROM (
                SELECT count(*) AS views FROM public.audit_entry x
                WHERE x.member = d.member AND x.event = 'view' AND x.outcome = 'allowed'
                    -- The member's index by number, and not that of everybody's times.
                    AND x.id >= (SELECT y.id FROM public.audit_entry y
                        WHERE y."timestamp" >= d.day - make_interval(days => p_days)
                        ORDER BY y."timestamp" LIMIT 1)
                    AND date_trunc('day', x."timestamp", p_zone) < d.day
                GROUP BY date_trunc('day', x."timestamp", p_zone)) h) p
        JOIN crowded c ON c.member = d.member AND c.day = d.day
    WHERE p.days >= p_history AND c.nth = 1 + greatest(p.usual, p_least)
$$;

-- Of whoever was signed in. An attempt to sign in names whom it tries to be, and says nothing of them: it is
-- its network's (vault.odd_guesses).
CREATE OR REPLACE FUNCTION vault.odd_refusals(p_fresh bigint[], p_count integer, p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.member <> '' AND e.actor_id IS NOT NULL AND e.outcome = 'refused' AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE x.member = e.member AND x.actor_id = e.actor_id AND x.outcome = 'refused'
            AND x.id <= e.id AND x."timestamp" <= e."timestamp"
            AND x."timestamp" > e."timestamp" - make_interval(mins => p_minutes)) = p_count
$$;

-- Attempts to sign in by whoever was not, from one network (/24, /48), whomever they named.
CREATE OR REPLACE FUNCTION vault.odd_guesses(p_fresh bigint[], p_count integer, p_minutes integer) RETURNS SETOF bigint
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

CREATE OR REPLACE FUNCTION vault.odd_same_pair(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'approve' AND e.outcome = 'allowed' AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE x.member = e.member AND x.subject = e.subject AND x.event = 'approve'
            AND x.outcome = 'allowed' AND x.id <= e.id
            AND e."timestamp" - x."timestamp" < make_interval(days => p_days)) % p_count = 0
$$;

-- Newest first, by the member's index: where the network is known, the search ends at once.
CREATE OR REPLACE FUNCTION vault.odd_new_network(p_fresh bigint[], p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH seen AS (
        SELECT e.id, e.member, e.event, e."timestamp",
            network(set_masklen(e.remote_addr, CASE family(e.remote_addr) WHEN 4 THEN 24 ELSE 48 END)) AS net
        FROM public.audit_entry e
        WHERE e.id = ANY (p_fresh) AND e.event IN ('sign_in', 'view') AND e.outcome = 'allowed' AND e.member <> ''
            AND e.remote_addr IS NOT NULL
    )
    SELECT s.id FROM seen s
        LEFT JOIN LATERAL (
            SELECT x."timestamp" FROM public.audit_entry x
            WHERE x.member = s.member AND x.event = s.event AND x.outcome = 'allowed' AND x.id < s.id
                AND x.remote_addr <<= s.net
            ORDER BY x.id DESC LIMIT 1) known ON true
        LEFT JOIN LATERAL (
            SELECT x."timestamp" FROM public.audit_entry x
            WHERE x.member = s.member AND x.event = s.event AND x.outcome = 'allowed' AND x.id < s.id
                AND x.remote_addr IS NOT NULL
            ORDER BY x.id DESC LIMIT 1) earlier ON true
    WHERE earlier."timestamp" IS NOT NULL
        AND (s."timestamp" - known."timestamp" <= make_interval(days => p_days)) IS NOT TRUE
$$;

CREATE OR REPLACE FUNCTION vault.odd_unopened(p_fresh bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event IN ('end', 'revoke') AND e.outcome = 'allowed' AND e.grant_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM public.audit_entry x
            WHERE x.account = e.account AND x.account <> '' AND x.grant_id = e.grant_id
                AND x.event = 'start' AND x.outcome = 'allowed' OFFSET 0)
$$;

CREATE OR REPLACE FUNCTION vault.odd_everything(p_fresh bigint[], p_categories integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event IN ('approve', 'view') AND e.outcome = 'allowed'
        AND cardinality(e.categories) >= p_categories
$$;

CREATE OR REPLACE FUNCTION vault.odd_participants(p_fresh bigint[], p_count integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e CROSS JOIN LATERAL (
        SELECT sum(cardinality(x.records)) AS shown FROM public.audit_entry x
        WHERE x.account = e.account AND x.account <> '' AND x.grant_id = e.grant_id
            AND x.event IN ('view', 'search') AND x.outcome = 'allowed' AND x.id <= e.id) h
    WHERE e.id = ANY (p_fresh) AND e.event IN ('view', 'search') AND e.outcome = 'allowed' AND e.grant_id IS NOT NULL
        AND h.shown > p_count AND h.shown - cardinality(e.records) <= p_count
$$;

CREATE OR REPLACE FUNCTION vault.odd_export(p_fresh bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'export' AND e.outcome = 'allowed' AND e.member <> ''
$$;

-- What somebody did in a session that the log does not know: no entry says that they signed in to it with a
-- second factor. A session is made and verified only together with such an entry, so whoever made this one up
-- had more than one role in hand. A session lasts p_hours at most: no entry before that can be the one, and
-- none is looked for there (nor may it be: retention may have taken it, where this entry is as old).
CREATE OR REPLACE FUNCTION vault.odd_suspensions(p_fresh bigint[], p_count integer, p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.event = 'change' AND e.outcome = 'allowed' AND e.member <> ''
        AND e.details->'suspended'->1 <> 'false' AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE x.member = e.member AND x.event = 'change' AND x.outcome = 'allowed'
            AND x.details->'suspended'->1 <> 'false' AND x.id <= e.id
            AND x."timestamp" > e."timestamp" - make_interval(mins => p_minutes)) >= p_count
$$;

CREATE OR REPLACE FUNCTION vault.odd_unproved(p_fresh bigint[], p_hours integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
    WHERE e.id = ANY (p_fresh) AND e.outcome = 'allowed' AND e.session IS NOT NULL
        AND (e.event NOT IN ('sign_in', 'sign_in_failed', 'sign_out', 'change')
            OR e.event = 'change' AND e.details IS NOT NULL AND e.source = '')
        AND NOT EXISTS (SELECT FROM public.audit_entry x
            WHERE x.member = e.member AND x.session = e.session AND x.event = 'sign_in' AND x.outcome = 'allowed'
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

REVOKE ALL ON FUNCTION vault.threshold(jsonb, text), vault.odd_new_pair(bigint[], integer),
    vault.odd_hours(bigint[], text, integer, integer, integer), vault.odd_volume(bigint[], text, integer, integer, integer),
    vault.odd_refusals(bigint[], integer, integer), vault.odd_guesses(bigint[], integer, integer), vault.odd_same_pair(bigint[], integer, integer),
    vault.odd_new_network(bigint[], integer), vault.odd_unopened(bigint[]), vault.odd_everything(bigint[], integer),
    vault.odd_participants(bigint[], integer), vault.odd_export(bigint[]), vault.odd_unproved(bigint[], integer),
    vault.odd_suspensions(bigint[], integer, integer) FROM PUBLIC;

-- What the rules find, and how far they have read the log, is only ever added to. Rounds go when they are old.
CREATE OR REPLACE TRIGGER flag_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_flag
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_rewriting();
CREATE OR REPLACE TRIGGER round_insert_only BEFORE UPDATE OR TRUNCATE ON public.audit_round
    FOR EACH STATEMENT EXECUTE FUNCTION vault.refuse_rewriting();
