-- As: gatekeeper_web
-- Wants: the owner's power, by SET ROLE.
-- Verdict: refused
SET ROLE gatekeeper_owner;
