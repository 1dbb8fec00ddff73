-- As: gatekeeper_web
-- Wants: a session in which no trigger fires.
-- Verdict: refused
SET session_replication_role = replica;
