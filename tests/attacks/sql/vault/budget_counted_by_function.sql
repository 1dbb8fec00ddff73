-- As: gatekeeper_vault
-- Wants: a count that goes backwards, by the function that counts.
-- Verdict: refused
SELECT gatekeeper.count_view(:member, current_date, (SELECT 1::bigint), true, '{}'::text[], -1000, -1000);
