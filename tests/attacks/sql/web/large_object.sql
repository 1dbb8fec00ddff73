-- As: gatekeeper_web
-- Wants: to fill the disk with objects that no table has.
-- Verdict: refused
SELECT lo_create(0);
