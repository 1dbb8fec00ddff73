-- The limits (audit/sql/limits.sql) for whoever decides: in one row, each with its type, because a reveal decides twice, and
-- taking them from names and words takes longer than any row that it reads. What is missing or no number is NULL there,
-- and whoever decides with it raises.
CREATE OR REPLACE FUNCTION staff.spread_limits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO staff.limits AS l (session_idle, session_whole, factor, factor_signing, feed_age, release_age,
        views_per_grant, participants_per_grant, accounts_per_day, fields_per_day, more_per_day,
        time_zone)
    SELECT make_interval(mins => (n->>'session_idle_minutes')::int), make_interval(hours => (n->>'session_hours')::int),
        make_interval(mins => (n->>'factor_minutes')::int), make_interval(mins => (n->>'factor_minutes_signing')::int),
        make_interval(mins => (n->>'ticket_feed_max_age_minutes')::int), make_interval(secs => (n->>'release_seconds')::int),
        (n->>'views_per_grant')::int, (n->>'participants_per_grant')::int,
        (n->>'accounts_per_day')::int, (n->>'fields_per_day')::int, (n->>'more_per_day')::int,
        audit.limit_of('time_zone')
    FROM (SELECT jsonb_object_agg(x.name, x.value) FILTER (WHERE x.value ~ '^[0-9]{1,9}$') FROM public.audit_limit x) y (n)
    ON CONFLICT (one) DO UPDATE SET session_idle = excluded.session_idle, session_whole = excluded.session_whole,
        factor = excluded.factor, factor_signing = excluded.factor_signing, feed_age = excluded.feed_age,
        release_age = excluded.release_age, views_per_grant = excluded.views_per_grant,
        participants_per_grant = excluded.participants_per_grant, accounts_per_day = excluded.accounts_per_day,
        fields_per_day = excluded.fields_per_day, more_per_day = excluded.more_per_day, time_zone = excluded.time_zone;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER limit_spread AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.audit_limit
    FOR EACH STATEMENT EXECUTE FUNCTION staff.spread_limits();
-- What is there already; with no row the trigger runs as well.
UPDATE public.audit_limit SET value = value;

REVOKE ALL ON FUNCTION staff.spread_limits() FROM PUBLIC;
