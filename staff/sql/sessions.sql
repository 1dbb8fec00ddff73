-- What the role that keeps sessions up to date may not do to them (DESIGN §4.8).

-- A session is one member's from its beginning, and ended is ended: the role that keeps it up to date
-- can neither hand it on, nor prolong it, nor bring it back, nor date it into the future. One that was
-- idle for too long is locked: its last activity moves on with a proof newer than the lock, under a new
-- key, and not otherwise, so that a late click or a poll leaves it locked. Not a definer function: it
-- sees who writes.
-- When the key is renewed, the one before is kept beside it for `vault.renewed_session`: by this trigger, so
-- that no caller can name a key of their own, and only where it was as good a key. One that had not yet
-- proved both factors, or was locked, answers nothing from the renewal on.
CREATE OR REPLACE FUNCTION vault.guard_session() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    locked_at timestamptz;
    awake boolean;
BEGIN
    IF current_user <> 'gatekeeper_web' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND (OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id
            OR NEW.member_id IS DISTINCT FROM OLD.member_id OR NEW.started_at <> OLD.started_at) THEN
        RAISE insufficient_privilege USING MESSAGE = 'a session is not handed on, prolonged or revived';
    END IF;
    NEW.started_at := least(NEW.started_at, clock_timestamp());
    NEW.last_seen_at := least(NEW.last_seen_at, clock_timestamp());
    IF NEW.verified_at > clock_timestamp() THEN
        NEW.verified_at := clock_timestamp();
    END IF;
    NEW.old_digest := CASE WHEN TG_OP = 'UPDATE' THEN OLD.old_digest END;
    NEW.renewed_at := CASE WHEN TG_OP = 'UPDATE' THEN OLD.renewed_at END;
    IF TG_OP = 'UPDATE' AND (NEW.last_seen_at > OLD.last_seen_at OR NEW.digest <> OLD.digest) THEN
        locked_at := OLD.last_seen_at + make_interval(mins => (
            SELECT l.value::int FROM public.gatekeeper_limit l WHERE l.name = 'session_idle_minutes'));
        awake := (clock_timestamp() < locked_at) IS TRUE;
        IF NEW.last_seen_at > OLD.last_seen_at
            AND (awake OR NEW.digest <> OLD.digest AND NEW.verified_at >= locked_at) IS NOT TRUE
        THEN
            NEW.last_seen_at := OLD.last_seen_at;
        END IF;
        IF NEW.digest <> OLD.digest THEN
            NEW.old_digest := CASE WHEN awake AND OLD.verified_at IS NOT NULL THEN OLD.digest END;
            NEW.renewed_at := clock_timestamp();
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER session_guard BEFORE INSERT OR UPDATE ON public.staff_session
    FOR EACH ROW EXECUTE FUNCTION vault.guard_session();

-- The session whose key this was until its renewal, at most ten seconds ago: what a browser sent just before
-- it got the new key is under way with the old one. It answers what locks, writes and reveals nothing
-- (`vault.decide` asks here only for what takes no lock), and ends with its session.
CREATE OR REPLACE FUNCTION vault.renewed_session(p_digest bytea) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT s.id FROM public.staff_session s
    WHERE s.old_digest = p_digest AND s.ended_at IS NULL
        AND clock_timestamp() < s.renewed_at + interval '10 seconds'
$$;

REVOKE ALL ON FUNCTION vault.guard_session(), vault.renewed_session(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.renewed_session(bytea) TO gatekeeper_web;
