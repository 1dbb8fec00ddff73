-- As: gatekeeper_web
-- Wants: to fill the disk with objects that no table has, by the older function.
-- Verdict: refused
SELECT lo_creat(-1);
