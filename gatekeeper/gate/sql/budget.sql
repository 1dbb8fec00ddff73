-- A member's budget for a day, over all grants: so many accounts, and so many different fields of them. It stops
-- a session that was stolen or bribed, however many accesses are open to it. A day is the company's.
-- gatekeeper_dailybudget has one row a member and day, with what is counted, and gatekeeper_dailyaccount one a
-- member, day and account, with the fields that are. Both are read and written under the lock on the member, which
-- gatekeeper.decide takes first: so two sessions of one member count one after the other, and neither row is locked
-- before it is changed.

-- How many budgets are added to a member's day, as things stand now. In PL/pgSQL, which keeps its plan: each page of
-- an account asks.
CREATE OR REPLACE FUNCTION gatekeeper.more_today(p_member bigint, p_day date) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    RETURN (SELECT count(*) FROM public.gatekeeper_moretoday x
        WHERE x.member_id = p_member AND x.day = p_day AND x.state = 'approved'
            AND gatekeeper.approval_ends(x.member_id, x.decided_by_id) > clock_timestamp());
END $$;

-- How many searches for a participant may find none, of an account's under one grant and in one budget: ten are
-- enough to guess with. It reads nothing, so that PostgreSQL puts the number where it is asked for.
CREATE OR REPLACE FUNCTION gatekeeper.misses_allowed() RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT 10
$$;

-- Whether so much more is beyond what is left of that day: its figures, for the entry, or NULL while it fits. This
-- and the next two are internal, and have no settings of their own, as gatekeeper.decide, which calls them.
CREATE OR REPLACE FUNCTION gatekeeper.beyond_budget(p_member bigint, p_day date, p_accounts integer, p_fields integer)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    x record;
    budgets integer := 1;
BEGIN
    SELECT coalesce(b.accounts, 0) AS accounts, coalesce(b.fields, 0) AS fields, l.accounts_per_day, l.fields_per_day INTO x
    FROM staff.limits l LEFT JOIN public.gatekeeper_dailybudget b ON b.member_id = p_member AND b.day = p_day;
    IF x.accounts + p_accounts > x.accounts_per_day OR x.fields + p_fields > x.fields_per_day THEN
        budgets := 1 + gatekeeper.more_today(p_member, p_day);
    END IF;
    IF (x.accounts + p_accounts <= x.accounts_per_day * budgets AND x.fields + p_fields <= x.fields_per_day * budgets) IS TRUE THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('daily_budget', jsonb_build_object('day', p_day,
        'accounts', x.accounts, 'accounts_allowed', x.accounts_per_day * budgets,
        'fields', x.fields, 'fields_allowed', x.fields_per_day * budgets));
END $$;

-- The same of an account's fields: of these, which are not counted (p_another: nor is the account). Where none are
-- named (NULL), one that may be seen is enough: a new one, or one of these categories that is counted already.
CREATE OR REPLACE FUNCTION gatekeeper.beyond_day(
    p_member bigint, p_day date, p_account bigint, p_categories text[], p_uncounted text[], p_another boolean)
RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    beyond jsonb := gatekeeper.beyond_budget(p_member, p_day, p_another::integer, coalesce(cardinality(p_uncounted), 1));
BEGIN
    IF beyond IS NOT NULL AND p_uncounted IS NULL AND EXISTS (
        SELECT FROM public.gatekeeper_dailyaccount x CROSS JOIN LATERAL unnest(x.fields) y (field)
        WHERE x.member_id = p_member AND x.day = p_day AND x.account_id = p_account
            AND split_part(y.field, '.', 1) = ANY (p_categories)) THEN
        RETURN NULL;
    END IF;
    RETURN beyond;
END $$;

-- Which of these fields are not among those that are counted (NULL: none is), each once.
CREATE OR REPLACE FUNCTION gatekeeper.uncounted(p_fields text[], p_counted text[]) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN p_fields IS NOT NULL THEN ARRAY(SELECT x.field FROM unnest(p_fields) WITH ORDINALITY x (field, place)
        WHERE (x.field = ANY (p_counted)) IS NOT TRUE GROUP BY x.field ORDER BY min(x.place)) END;
END $$;

-- The same for participants, whose records and searches without a match count by account and day: another grant
-- does not begin again.
CREATE OR REPLACE FUNCTION gatekeeper.beyond_participants(
    p_member bigint, p_day date, p_account bigint, p_records integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    l staff.limits;
    u public.gatekeeper_dailyaccount;
    budgets integer := 1 + gatekeeper.more_today(p_member, p_day);
BEGIN
    SELECT x.* INTO l FROM staff.limits x;
    SELECT x.* INTO u FROM public.gatekeeper_dailyaccount x
    WHERE x.member_id = p_member AND x.day = p_day AND x.account_id = p_account;
    IF (coalesce(u.participants_shown, 0) + p_records <= l.participants_per_grant * budgets
        AND coalesce(u.misses, 0) < gatekeeper.misses_allowed() * budgets) IS TRUE THEN
        RETURN NULL;
    END IF;
    RETURN jsonb_build_object('daily_budget', jsonb_build_object('day', p_day,
        'participants', coalesce(u.participants_shown, 0), 'participants_allowed', l.participants_per_grant * budgets,
        'misses', coalesce(u.misses, 0), 'misses_allowed', gatekeeper.misses_allowed() * budgets));
END $$;

-- Counts a view that is allowed: the fields that are new on that day, and participants shown or missed. The caller
-- has decided, and holds the lock on the member; the account is another one of the day's where none of its fields is
-- counted.
CREATE OR REPLACE FUNCTION gatekeeper.count_view(
    p_member bigint, p_day date, p_account bigint, p_another boolean, p_fields text[], p_records integer, p_misses integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_another THEN
        INSERT INTO public.gatekeeper_dailyaccount (member_id, day, account_id, fields, participants_shown, misses)
        VALUES (p_member, p_day, p_account, p_fields, p_records, p_misses);
    ELSE
        UPDATE public.gatekeeper_dailyaccount x SET fields = x.fields || p_fields::varchar[],
            participants_shown = x.participants_shown + p_records, misses = x.misses + p_misses
        WHERE x.member_id = p_member AND x.day = p_day AND x.account_id = p_account;
    END IF;
    UPDATE public.gatekeeper_dailybudget x
    SET accounts = x.accounts + p_another::integer, fields = x.fields + cardinality(p_fields)
    WHERE x.member_id = p_member AND x.day = p_day;
    IF NOT FOUND THEN
        INSERT INTO public.gatekeeper_dailybudget (member_id, day, accounts, fields)
        VALUES (p_member, p_day, 1, cardinality(p_fields));
    END IF;
END $$;

-- Forgets the days that nobody is judged by any more: a view is released on its own day, or just after midnight.
CREATE OR REPLACE FUNCTION gatekeeper.forget_days() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    yesterday date := audit.today() - 1;
BEGIN
    DELETE FROM public.gatekeeper_dailybudget x WHERE x.day < yesterday;
    DELETE FROM public.gatekeeper_dailyaccount x WHERE x.day < yesterday;
END $$;

REVOKE ALL ON FUNCTION gatekeeper.beyond_budget(bigint, date, integer, integer),
    gatekeeper.beyond_day(bigint, date, bigint, text[], text[], boolean), gatekeeper.uncounted(text[], text[]),
    gatekeeper.beyond_participants(bigint, date, bigint, integer),
    gatekeeper.count_view(bigint, date, bigint, boolean, text[], integer, integer), gatekeeper.forget_days(),
    gatekeeper.more_today(bigint, date), gatekeeper.misses_allowed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.more_today(bigint, date), gatekeeper.misses_allowed() TO gatekeeper_web;
