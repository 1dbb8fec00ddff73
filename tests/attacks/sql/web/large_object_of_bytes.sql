-- As: gatekeeper_web
-- Wants: to fill the disk with what no table has, written at once.
-- Verdict: refused
SELECT lo_from_bytea(0, '\x00');
