-- Who watches the log may let the rules run, and nothing else: which entries are judged, by which thresholds,
-- and what is written of it, no caller says. So a round cannot claim what was not judged, and no flag comes
-- from anybody's hand.

-- Needs more than the log: who opened the ticket, and when. Internal: vault.flag.
CREATE OR REPLACE FUNCTION vault.odd_own_ticket(p_fresh bigint[], p_minutes integer) RETURNS SETOF bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT e.id FROM public.audit_entry e JOIN public.gatekeeper_ticket t ON t.number = e.ticket
    WHERE e.id = ANY (p_fresh) AND e.event = 'start' AND e.outcome = 'allowed' AND t.opened_by LIKE 'K-%'
        AND e."timestamp" < t.opened_at + make_interval(mins => p_minutes)
$$;

-- Lets every rule judge these entries, flags what they find and queues it for review. Judging an entry twice
-- changes nothing. Returns how many each rule found anew. Internal: judge, judge_again.
CREATE OR REPLACE FUNCTION vault.flag(p_fresh bigint[], p_source text) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    zone text := (SELECT l.value FROM public.gatekeeper_limit l WHERE l.name = 'time_zone');
    hours integer := (SELECT l.value::integer FROM public.gatekeeper_limit l WHERE l.name = 'session_hours');
    t jsonb := (SELECT jsonb_object_agg(substr(l.name, 5), l.value) FROM public.gatekeeper_limit l WHERE l.name LIKE 'odd.%');
    entries bigint[];
    counts jsonb;
BEGIN
    WITH added AS (
        INSERT INTO public.audit_flag (entry, rule, found_at)
        SELECT x.entry, x.rule, clock_timestamp() FROM (
            SELECT 'new_pair', vault.odd_new_pair(p_fresh, vault.threshold(t, 'new_pair.days'))
            UNION ALL SELECT 'hours', vault.odd_hours(p_fresh, zone, vault.threshold(t, 'hours.begins'),
                vault.threshold(t, 'hours.ends'), vault.threshold(t, 'hours.days'))
            UNION ALL SELECT 'volume', vault.odd_volume(p_fresh, zone, vault.threshold(t, 'volume.days'),
                vault.threshold(t, 'volume.history'), vault.threshold(t, 'volume.least'))
            UNION ALL SELECT 'refusals', vault.odd_refusals(p_fresh, vault.threshold(t, 'refusals.count'),
                vault.threshold(t, 'refusals.minutes'))
            UNION ALL SELECT 'guesses', vault.odd_guesses(p_fresh, vault.threshold(t, 'guesses.count'),
                vault.threshold(t, 'guesses.minutes'))
            UNION ALL SELECT 'same_pair', vault.odd_same_pair(p_fresh, vault.threshold(t, 'same_pair.count'),
                vault.threshold(t, 'same_pair.days'))
            UNION ALL SELECT 'new_network', vault.odd_new_network(p_fresh, vault.threshold(t, 'new_network.days'))
            UNION ALL SELECT 'unopened', vault.odd_unopened(p_fresh)
            UNION ALL SELECT 'everything', vault.odd_everything(p_fresh, vault.threshold(t, 'everything.categories'))
            UNION ALL SELECT 'participants', vault.odd_participants(p_fresh, vault.threshold(t, 'participants.count'))
            UNION ALL SELECT 'export', vault.odd_export(p_fresh)
            UNION ALL SELECT 'own_ticket', vault.odd_own_ticket(p_fresh, vault.threshold(t, 'own_ticket.minutes'))
            UNION ALL SELECT 'suspensions', vault.odd_suspensions(p_fresh, vault.threshold(t, 'suspensions.count'),
                vault.threshold(t, 'suspensions.minutes'))
            UNION ALL SELECT 'unproved', vault.odd_unproved(p_fresh, hours)
        ) x (rule, entry)
        ON CONFLICT DO NOTHING RETURNING entry, rule
    ), counted AS (
        SELECT a.rule, count(*) AS entries FROM added a GROUP BY a.rule
    )
    SELECT ARRAY(SELECT a.entry FROM added a), (SELECT jsonb_object_agg(c.rule, c.entries) FROM counted c)
    INTO entries, counts;
    IF cardinality(entries) > 0 THEN
        PERFORM vault.queue_reviews(entries, p_source);
    END IF;
    RETURN coalesce(counts, '{}');
END $$;

-- A number up to which every entry belongs to a transaction below this horizon, so that the primary key finds
-- the rest (audit/stored.py, `lowest`, has the reasons). Of another cluster's checkpoints none counts.
CREATE OR REPLACE FUNCTION vault.judged_below(p_horizon xid8, p_system bigint) RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((SELECT c.drawn FROM public.audit_checkpoint c
        WHERE c.ceiling <= p_horizon AND c.era = (SELECT max(e.number) FROM public.audit_era e)
            AND c.era = (SELECT max(e.number) FROM public.audit_era e WHERE e.system = p_system)
        ORDER BY c.size DESC LIMIT 1), 0)
$$;

-- Judges what is new in the log: at most p_most entries, and says whether there are more. What is new is found
-- by transaction, as the sealer finds it, for a number alone would skip an entry that was being written: a
-- run judges what was there when it began, `ahead`, and from the next on the horizon lies there. Another
-- cluster (a restored copy) numbers transactions anew: there the entry's number alone counts. One at a time;
-- and only in READ COMMITTED, or it would go on from a round that is no longer the last.
CREATE OR REPLACE FUNCTION vault.judge(p_source text, p_most integer, OUT more boolean, OUT counts jsonb)
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
    goes_on := n.system = system AND n.ahead IS NOT NULL;
    IF n.system IS DISTINCT FROM system THEN
        n.system := system;
        n.horizon := '0';
        n.lowest := coalesce(n.lowest, 0);
    END IF;
    IF goes_on IS NOT TRUE THEN
        n.ahead := pg_snapshot_xmin(pg_current_snapshot());
        n.newest := coalesce((SELECT max(e.id) FROM public.audit_entry e), 0);
        n.upto := n.lowest;
    END IF;
    fresh := ARRAY(SELECT e.id FROM public.audit_entry e
        WHERE e.id > n.upto AND e.id <= n.newest AND e.xid >= n.horizon ORDER BY e.id LIMIT p_most);
    counts := vault.flag(fresh, p_source);
    more := cardinality(fresh) = p_most;
    n.upto := fresh[p_most];
    IF NOT more THEN
        n.horizon := n.ahead;
        n.lowest := greatest(n.lowest, vault.judged_below(n.ahead, n.system));
        n.ahead := NULL;
        n.newest := NULL;
    END IF;
    INSERT INTO public.audit_round (system, horizon, lowest, done_at, ahead, newest, upto)
    SELECT n.system, n.horizon, n.lowest, clock_timestamp(), n.ahead, n.newest, n.upto
    WHERE cardinality(fresh) > 0 OR goes_on OR n.done_at IS NULL OR n.done_at < clock_timestamp() - interval '10 seconds';
    -- Two at a time, and only one comes: none grows older than this.
    DELETE FROM public.audit_round r WHERE r.done_at < clock_timestamp() - interval '90 days'
        AND r.id IN (SELECT x.id FROM public.audit_round x ORDER BY x.id LIMIT 2);
END $$;

-- Judges again what was judged before: what the rules find there now and no flag says. They may have other
-- thresholds, or somebody may have taken a flag away who can. At most p_most entries between two numbers, each
-- time with an entry; returns up to which they were, and NULL where there are no more.
CREATE OR REPLACE FUNCTION vault.judge_again(p_after bigint, p_last bigint, p_most integer, p_source text,
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
    counts := vault.flag(fresh, p_source);
    PERFORM vault.write_entry('review', 'allowed', jsonb_build_object('source', left(p_source, 80),
        'results', (SELECT coalesce(sum(x.value::int), 0) FROM jsonb_each_text(counts) x),
        'details', jsonb_build_object('act', 'judge_again', 'from', fresh[1], 'to', upto, 'lacking', counts)));
END $$;

REVOKE ALL ON FUNCTION vault.odd_own_ticket(bigint[], integer), vault.flag(bigint[], text),
    vault.judged_below(xid8, bigint), vault.judge(text, integer), vault.judge_again(bigint, bigint, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.judge(text, integer), vault.judge_again(bigint, bigint, integer, text) TO gatekeeper_watch;
