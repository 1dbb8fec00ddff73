-- As: gatekeeper_signin
-- Wants: an older snapshot in every transaction of its own role, so that every gate is shut.
-- Verdict: seen: gatekeeper.W007
DO $$ BEGIN
    EXECUTE format('ALTER ROLE gatekeeper_signin IN DATABASE %I SET default_transaction_isolation = serializable',
        current_database());
END $$;
