-- The limits: what the settings say, which `apply_settings` writes. They lie in the lowest room that reads them.

-- One limit by its name; NULL where there is none.
CREATE OR REPLACE FUNCTION audit.limit_of(p_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT x.value FROM public.audit_limit x WHERE x.name = p_name);
END $$;

-- All whose names begin so, by the rest of their names.
CREATE OR REPLACE FUNCTION audit.limits_of(p_prefix text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(substr(x.name, length(p_prefix) + 1), x.value) FROM public.audit_limit x
            WHERE starts_with(x.name, p_prefix));
END $$;

-- The company's day at this moment.
CREATE OR REPLACE FUNCTION audit.today() RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (clock_timestamp() AT TIME ZONE audit.limit_of('time_zone'))::date;
END $$;

-- The end of a day in the company's time zone: dates mean their end.
CREATE OR REPLACE FUNCTION audit.end_of_day(p_day date) RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT (p_day + 1)::timestamp AT TIME ZONE audit.limit_of('time_zone')
$$;

REVOKE ALL ON FUNCTION audit.limit_of(text), audit.limits_of(text), audit.today(), audit.end_of_day(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit.limit_of(text), audit.end_of_day(date) TO gatekeeper_web;
