-- As: gatekeeper_watch
-- Wants: a run that goes on from a round that is no longer the last.
-- Verdict: refused: READ COMMITTED
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT 1;
SELECT gatekeeper.judge('attack', 100);
