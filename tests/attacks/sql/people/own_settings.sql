-- As: gatekeeper_people
-- Wants: an older snapshot in every transaction of its own role, so that every gate is shut.
-- Verdict: seen: gatekeeper.W007
DO $$ BEGIN
    EXECUTE format('ALTER ROLE gatekeeper_people IN DATABASE %I SET default_transaction_isolation = serializable',
        current_database());
END $$;
