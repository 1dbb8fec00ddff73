-- As: gatekeeper_web
-- Wants: a temporary table in the ticket table's place.
-- Verdict: refused
CREATE TEMPORARY TABLE gatekeeper_ticket (number text, state text);
