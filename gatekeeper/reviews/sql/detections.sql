-- Who watches the log may let the rules run, and nothing else: which entries are judged, by which thresholds,
-- and what is written of it, no caller says. So a round cannot claim what was not judged, and no flag comes
-- from anybody's hand.

-- The hours of a member's team: those that the setting names for them or for the nearest manager above them who
-- has any, and else everybody's. 'hours.K-0020' is '6-22 1-7 Europe/Warsaw'; a night ends before it begins.
CREATE OR REPLACE FUNCTION gatekeeper.working_hours(p_member text, OUT begins integer, OUT ends integer,
    OUT first_day integer, OUT last_day integer, OUT zone text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH RECURSIVE line AS (
        SELECT m.number, m.manager_id, 0 AS far FROM public.staff_member m WHERE m.number = p_member
        UNION SELECT m.number, m.manager_id, l.far + 1 FROM line l JOIN public.staff_member m ON m.id = l.manager_id
        WHERE l.far < 50
    ), named AS (
        SELECT regexp_match(x.value, '^([0-9]+)-([0-9]+) ([1-7])-([1-7]) (.+)$') AS h
        FROM line l CROSS JOIN LATERAL audit.limit_of('hours.' || l.number) x (value)
        WHERE x.value IS NOT NULL ORDER BY l.far LIMIT 1
    ), everybodys AS (
        SELECT ARRAY[audit.limit_of('odd.hours.begins'), audit.limit_of('odd.hours.ends'), '1',
            audit.limit_of('odd.hours.days'), audit.limit_of('time_zone')] AS h
    )
    SELECT x.h[1]::integer, x.h[2]::integer, x.h[3]::integer, x.h[4]::integer, x.h[5]
    FROM (SELECT coalesce((SELECT n.h FROM named n), y.h) AS h FROM everybodys y) x
$$;

-- A night's hours after midnight are the day's before.
CREATE OR REPLACE FUNCTION gatekeeper.detect_hours(p_fresh bigint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH fresh AS MATERIALIZED (
        SELECT e.id, e.member, e."timestamp" FROM public.audit_entry e
        WHERE e.id = ANY (p_fresh) AND (e.event IN ('start', 'search') OR audit.is_view(e.event)) AND e.outcome = 'allowed' AND e.account <> ''
    ), hours AS MATERIALIZED (
        SELECT x.member, h.* FROM (SELECT DISTINCT f.member FROM fresh f) x CROSS JOIN LATERAL gatekeeper.working_hours(x.member) h
    )
    SELECT f.id FROM fresh f JOIN hours h USING (member)
        CROSS JOIN LATERAL (SELECT f."timestamp" AT TIME ZONE h.zone AS at) l
        CROSS JOIN LATERAL (SELECT extract(hour FROM l.at) AS hour, h.ends <= h.begins AS night) w
        CROSS JOIN LATERAL (SELECT extract(isodow FROM l.at
            - CASE WHEN w.night AND w.hour < h.ends THEN interval '1 day' ELSE interval '0' END) AS day) d
    WHERE (CASE WHEN w.night THEN w.hour >= h.begins OR w.hour < h.ends ELSE w.hour >= h.begins AND w.hour < h.ends END
        AND d.day BETWEEN h.first_day AND h.last_day) IS NOT TRUE
$$;

-- Needs more than the log: who opened the ticket, and when.
CREATE OR REPLACE FUNCTION gatekeeper.detect_own_ticket(p_fresh bigint[], p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e JOIN public.gatekeeper_ticket t ON t.number = e.ticket
    WHERE e.id = ANY (p_fresh) AND e.event = 'start' AND e.outcome = 'allowed' AND t.opened_by LIKE 'K-%'
        AND e."timestamp" < t.opened_at + make_interval(mins => p_minutes)
$$;

-- Accesses that were approved and never opened: every p_count-th of a member's within some days.
CREATE OR REPLACE FUNCTION gatekeeper.detect_unopened(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e
        JOIN public.gatekeeper_grant g ON g.id = e.grant_id AND g.opened_at IS NULL AND g.ended_at IS NOT NULL
    WHERE e.id = ANY (p_fresh) AND e.event IN ('end', 'revoke') AND e.outcome = 'allowed' AND (
        SELECT count(*) FROM public.gatekeeper_grant x
        WHERE x.member_id = g.member_id AND x.opened_at IS NULL AND (x.ended_at, x.id) <= (g.ended_at, g.id)
            AND x.ended_at > g.ended_at - make_interval(days => p_days)) % p_count = 0
$$;

-- More than somebody new looks at: every p_count-th access of the first days.
CREATE OR REPLACE FUNCTION gatekeeper.detect_first_days(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    WITH new AS MATERIALIZED (
        SELECT e.id, e.member FROM public.audit_entry e JOIN public.staff_member m ON m.number = e.member
        WHERE e.id = ANY (p_fresh) AND e.event = 'start' AND e.outcome = 'allowed'
            AND e."timestamp" < audit.end_of_day(m.starts_on + p_days - 1)
    )
    SELECT n.id FROM new n WHERE (SELECT count(*) FROM public.audit_entry x
        WHERE x.member = n.member AND x.event = 'start' AND x.outcome = 'allowed' AND x.id <= n.id) % p_count = 0
$$;

-- Before somebody's last day: every p_count-th access.
CREATE OR REPLACE FUNCTION gatekeeper.detect_leaving(p_fresh bigint[], p_count integer, p_days integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e JOIN public.staff_member m ON m.number = e.member
        CROSS JOIN LATERAL (SELECT audit.end_of_day(m.left_on - p_days) AS since) l
    WHERE e.id = ANY (p_fresh) AND e.event = 'start' AND e.outcome = 'allowed' AND e."timestamp" >= l.since AND (
        SELECT count(*) FROM public.audit_entry x
        WHERE (x.member, x.id) BETWEEN (e.member, audit.first_since(l.since)) AND (e.member, e.id)
            AND x.event = 'start' AND x.outcome = 'allowed') % p_count = 0
$$;

-- Lets every rule judge these entries, flags what they find and queues it for review. Judging an entry twice
-- changes nothing. Returns how many each rule newly found. Internal: judge, judge_again.
CREATE OR REPLACE FUNCTION gatekeeper.flag(p_fresh bigint[], p_source text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    zone text := audit.limit_of('time_zone');
    hours integer := audit.limit_of('session_hours')::integer;
    t jsonb := audit.limits_of('odd.');
    entries bigint[];
    counts jsonb;
BEGIN
    WITH added AS (
        INSERT INTO public.audit_flag (entry, rule, found_at)
        SELECT x.entry, x.rule, clock_timestamp() FROM (
            SELECT 'hours', gatekeeper.detect_hours(p_fresh)
            UNION ALL SELECT 'volume', audit.detect_volume(p_fresh, zone, audit.threshold(t, 'volume.days'), audit.threshold(t, 'volume.history'),
                audit.threshold(t, 'volume.least'), audit.threshold(t, 'volume.percent'))
            UNION ALL SELECT 'harvest', audit.detect_harvest(p_fresh, zone, audit.threshold(t, 'harvest.days'),
                audit.threshold(t, 'harvest.percent'), audit.threshold(t, 'harvest.least'))
            UNION ALL SELECT 'same_account', audit.detect_same_account(p_fresh,
                audit.threshold(t, 'same_account.count'), audit.threshold(t, 'same_account.days'))
            UNION ALL SELECT 'brief', audit.detect_brief(p_fresh, audit.threshold(t, 'brief.seconds'))
            UNION ALL SELECT 'alone', audit.detect_alone(p_fresh, zone, audit.threshold(t, 'alone.days'))
            UNION ALL SELECT 'first_days', gatekeeper.detect_first_days(p_fresh,
                audit.threshold(t, 'first_days.count'), audit.threshold(t, 'first_days.days'))
            UNION ALL SELECT 'leaving', gatekeeper.detect_leaving(p_fresh,
                audit.threshold(t, 'leaving.count'), audit.threshold(t, 'leaving.days'))
            UNION ALL SELECT 'refusals', audit.detect_refusals(p_fresh,
                audit.threshold(t, 'refusals.count'), audit.threshold(t, 'refusals.minutes'))
            UNION ALL SELECT 'probing', audit.detect_probing(p_fresh,
                audit.threshold(t, 'probing.count'), audit.threshold(t, 'probing.days'))
            UNION ALL SELECT 'misses', audit.detect_misses(p_fresh,
                audit.threshold(t, 'misses.count'), audit.threshold(t, 'misses.days'))
            UNION ALL SELECT 'guesses', audit.detect_guesses(p_fresh,
                audit.threshold(t, 'guesses.count'), audit.threshold(t, 'guesses.minutes'))
            UNION ALL SELECT 'same_pair', audit.detect_same_pair(p_fresh, audit.threshold(t, 'same_pair.count'),
                audit.threshold(t, 'same_pair.days'), audit.threshold(t, 'same_pair.times'))
            UNION ALL SELECT 'instant', audit.detect_instant(p_fresh, audit.threshold(t, 'instant.count'),
                audit.threshold(t, 'instant.seconds'), audit.threshold(t, 'instant.days'))
            UNION ALL SELECT 'second_opinion', audit.detect_second_opinion(p_fresh, audit.threshold(t, 'second_opinion.hours'))
            UNION ALL SELECT 'new_network', audit.detect_new_network(p_fresh,
                audit.threshold(t, 'new_network.days'), audit.threshold(t, 'new_network.history'))
            UNION ALL SELECT 'unopened', gatekeeper.detect_unopened(p_fresh,
                audit.threshold(t, 'unopened.count'), audit.threshold(t, 'unopened.days'))
            UNION ALL SELECT 'everything', audit.detect_everything(p_fresh, audit.threshold(t, 'everything.categories'))
            UNION ALL SELECT 'participants', audit.detect_participants(p_fresh, audit.threshold(t, 'participants.count'))
            UNION ALL SELECT 'export', audit.detect_export(p_fresh)
            UNION ALL SELECT 'own_ticket', gatekeeper.detect_own_ticket(p_fresh, audit.threshold(t, 'own_ticket.minutes'))
            UNION ALL SELECT 'suspensions', audit.detect_suspensions(p_fresh, audit.threshold(t, 'suspensions.count'),
                audit.threshold(t, 'suspensions.minutes'))
            UNION ALL SELECT 'unproved', audit.detect_unproved(p_fresh, hours)
        ) x (rule, entry)
        ON CONFLICT DO NOTHING RETURNING entry, rule
    ), counted AS (
        SELECT a.rule, count(*) AS entries FROM added a GROUP BY a.rule
    )
    SELECT ARRAY(SELECT a.entry FROM added a), (SELECT jsonb_object_agg(c.rule, c.entries) FROM counted c)
    INTO entries, counts;
    IF cardinality(entries) > 0 THEN
        PERFORM gatekeeper.queue_reviews(entries, p_source);
    END IF;
    RETURN coalesce(counts, '{}');
END $$;

-- A number up to which every entry belongs to a transaction below this horizon, so that the primary key finds
-- the rest (audit/seal/stored.py, `lowest`, has the reasons). Of another cluster's checkpoints none counts.
CREATE OR REPLACE FUNCTION gatekeeper.judged_below(p_horizon xid8, p_system bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT c.drawn FROM public.audit_checkpoint c
        WHERE c.ceiling <= p_horizon AND c.era = (SELECT max(e.number) FROM public.audit_era e)
            AND c.era = (SELECT max(e.number) FROM public.audit_era e WHERE e.system = p_system)
        ORDER BY c.size DESC LIMIT 1), 0)
$$;

-- Judges what is new in the log: at most p_most entries, and says whether there are more. What is new is found
-- by transaction, as the sealer finds it, because a number alone would skip an entry that was being written: a
-- run judges what was there when it began, `next_horizon`, and from the next on the horizon lies there. Another
-- cluster (a restored copy) numbers transactions again: there the entry's number alone counts. One at a time;
-- and only in READ COMMITTED, or it would go on from a round that is no longer the last.
CREATE OR REPLACE FUNCTION gatekeeper.judge(p_source text, p_most integer, OUT more boolean, OUT counts jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    system bigint := (SELECT c.system_identifier FROM pg_control_system() c);
    n public.audit_round;
    goes_on boolean;
    fresh bigint[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' OR (p_most BETWEEN 1 AND 10000) IS NOT TRUE THEN
        RAISE 'the rules judge in READ COMMITTED, and 10000 entries at most';
    END IF;
    LOCK TABLE public.audit_round IN SHARE ROW EXCLUSIVE MODE;
    SELECT r.* INTO n FROM public.audit_round r ORDER BY r.id DESC LIMIT 1;
    goes_on := n.system = system AND n.next_horizon IS NOT NULL;
    IF n.system IS DISTINCT FROM system THEN
        n.system := system;
        n.horizon := '0';
        n.lowest := coalesce(n.lowest, 0);
    END IF;
    IF goes_on IS NOT TRUE THEN
        n.next_horizon := pg_snapshot_xmin(pg_current_snapshot());
        n.newest := coalesce((SELECT max(e.id) FROM public.audit_entry e), 0);
        n.upto := n.lowest;
    END IF;
    fresh := ARRAY(SELECT e.id FROM public.audit_entry e
        WHERE e.id > n.upto AND e.id <= n.newest AND e.xid >= n.horizon ORDER BY e.id LIMIT p_most);
    counts := gatekeeper.flag(fresh, p_source);
    more := cardinality(fresh) = p_most;
    n.upto := fresh[p_most];
    IF NOT more THEN
        n.horizon := n.next_horizon;
        n.lowest := greatest(n.lowest, gatekeeper.judged_below(n.next_horizon, n.system));
        n.next_horizon := NULL;
        n.newest := NULL;
    END IF;
    INSERT INTO public.audit_round (system, horizon, lowest, done_at, next_horizon, newest, upto)
    SELECT n.system, n.horizon, n.lowest, clock_timestamp(), n.next_horizon, n.newest, n.upto
    WHERE cardinality(fresh) > 0 OR goes_on OR n.done_at IS NULL OR n.done_at < clock_timestamp() - interval '10 seconds';
    -- Two at a time, and only one comes: none grows older than this.
    DELETE FROM public.audit_round r WHERE r.done_at < clock_timestamp() - interval '90 days'
        AND r.id IN (SELECT x.id FROM public.audit_round x ORDER BY x.id LIMIT 2);
END $$;

-- Judges again what was judged before: what the rules find there now and no flag says. They may have other
-- thresholds, or somebody may have taken a flag away who can. At most p_most entries between two numbers, each
-- time with an entry; returns up to which they were, and NULL where there are no more.
CREATE OR REPLACE FUNCTION gatekeeper.judge_again(p_after bigint, p_last bigint, p_most integer, p_source text,
    OUT upto bigint, OUT counts jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    fresh bigint[] := ARRAY(SELECT e.id FROM public.audit_entry e WHERE e.id > p_after AND e.id <= p_last
        ORDER BY e.id LIMIT least(greatest(p_most, 1), 10000));
BEGIN
    upto := fresh[cardinality(fresh)];
    IF upto IS NULL THEN
        RETURN;
    END IF;
    counts := gatekeeper.flag(fresh, p_source);
    PERFORM audit.write_entry('review', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'results', (SELECT coalesce(sum(x.value::int), 0) FROM jsonb_each_text(counts) x),
        'details', jsonb_build_object('act', 'judge_again', 'from', fresh[1], 'to', upto, 'lacking', counts)));
END $$;

REVOKE ALL ON FUNCTION gatekeeper.working_hours(text), gatekeeper.detect_hours(bigint[]), gatekeeper.detect_own_ticket(bigint[], integer),
    gatekeeper.detect_unopened(bigint[], integer, integer), gatekeeper.detect_first_days(bigint[], integer, integer),
    gatekeeper.detect_leaving(bigint[], integer, integer), gatekeeper.flag(bigint[], text),
    gatekeeper.judged_below(xid8, bigint), gatekeeper.judge(text, integer), gatekeeper.judge_again(bigint, bigint, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.judge(text, integer), gatekeeper.judge_again(bigint, bigint, integer, text) TO gatekeeper_watch;
