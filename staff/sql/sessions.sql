-- What the role that keeps sessions up to date may not do to them (DESIGN §4.8).

-- A session is one member's from its beginning, and ended is ended: the role that keeps it up to date
-- can neither hand it on, nor prolong it, nor bring it back, nor date it into the future. One that was
-- idle for too long is locked: its last activity moves on with a proof newer than the lock, under a new
-- key, and not otherwise, so that a late click or a poll leaves it locked. Not a definer function: it
-- sees who writes.
CREATE OR REPLACE FUNCTION vault.guard_session() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    locked_at timestamptz;
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
    IF TG_OP = 'UPDATE' AND NEW.last_seen_at > OLD.last_seen_at THEN
        locked_at := OLD.last_seen_at + make_interval(mins => (
            SELECT l.value::int FROM public.gatekeeper_limit l WHERE l.name = 'session_idle_minutes'));
        IF (clock_timestamp() < locked_at OR NEW.digest <> OLD.digest AND NEW.verified_at >= locked_at) IS NOT TRUE THEN
            NEW.last_seen_at := OLD.last_seen_at;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER session_guard BEFORE INSERT OR UPDATE ON public.staff_session
    FOR EACH ROW EXECUTE FUNCTION vault.guard_session();

REVOKE ALL ON FUNCTION vault.guard_session() FROM PUBLIC;
